;;; khoj-candidate.el --- Hits as candidates of a completion  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The khojd authors

;; SPDX-License-Identifier: GPL-3.0-or-later

;; This program is free software; you can redistribute it and/or modify
;; it under the terms of the GNU General Public License as published by
;; the Free Software Foundation, either version 3 of the License, or
;; (at your option) any later version.
;;
;; This program is distributed in the hope that it will be useful,
;; but WITHOUT ANY WARRANTY; without even the implied warranty of
;; MERCHANTABILITY or FITNESS FOR A PARTICULAR PURPOSE.  See the
;; GNU General Public License for more details.
;;
;; You should have received a copy of the GNU General Public License
;; along with this program.  If not, see <https://www.gnu.org/licenses/>.

;;; Commentary:

;; A completion table of what is found by now, with annotations, groups
;; and a style of its own: khojd has chosen, and nothing is filtered by
;; the letters of the query.

;;; Code:

(require 'khoj-results)
(require 'khoj-rpc)
(require 'khoj-session)
(require 'minibuffer)

(defvar fido-mode)
(defvar icomplete-mode)
(defvar vertico--input)

(defcustom khoj-search-live t
  "Whether default completion shows hits while you type.
Icomplete, fido and vertico do so in any case."
  :type 'boolean
  :group 'khoj)

(defface khoj-annotation '((t :inherit completions-annotations))
  "Where a hit is, its date and its tags."
  :group 'khoj)

(defvar khoj-candidate-session nil
  "The search that goes on in the minibuffer, or the last one.")


;;; Candidates

(defun khoj-candidate--fetch (session string)
  "The candidates of SESSION for STRING.
Where they are shown anew when they have changed, these are the ones that there
are; else the first of them are waited for, unless there is input."
  (cond
   ((gethash string (khoj-session-candidates session))
    (list string))
   ((and (khoj-session-update session) (khoj-candidate-shown-anew-p))
    (khoj-session-hits session))
   (t
    (unless (and (equal string (khoj-session-query session)) (khoj-session-phase session))
      (while-no-input
        (let ((deadline (+ (float-time) khoj-patience)))
          (unless (equal string (khoj-session-query session))
            (khoj-session-ask session string))
          (while (and (not (khoj-session-phase session)) (< (float-time) deadline))
            (accept-process-output nil 0.02)))))
    (khoj-session-hits session))))

(defun khoj-candidate-shown-anew-p ()
  "Whether candidates are shown anew without a key when they have changed."
  (or khoj-search-live (khoj-candidate-vertico-p) (khoj-candidate-icomplete-p)))

(defun khoj-candidate-vertico-p ()
  "Whether vertico is on."
  (bound-and-true-p vertico--input))

(defun khoj-candidate-icomplete-p ()
  "Whether icomplete, or fido, is on."
  (or (bound-and-true-p icomplete-mode) (bound-and-true-p fido-mode)))

(defun khoj-candidate-hit (candidate)
  "The hit that CANDIDATE stands for, or nil."
  (or (get-text-property 0 'khoj-hit candidate)
      (and khoj-candidate-session (gethash candidate (khoj-session-candidates khoj-candidate-session)))))

(defun khoj-candidate-affix (candidates)
  "CANDIDATES with what is before and after them."
  (mapcar (lambda (candidate)
            (let ((hit (khoj-candidate-hit candidate)))
              (list candidate
                    (if (eq (plist-get hit :unsaved) t) (propertize "● " 'face 'khoj-annotation) "")
                    (propertize (concat "  " (khoj-results-about hit)) 'face 'khoj-annotation))))
          candidates))

(defun khoj-candidate-group (candidate transform)
  "The group of CANDIDATE, its note; or CANDIDATE itself with TRANSFORM."
  (if transform candidate
    (khoj-results-note (khoj-candidate-hit candidate))))

(defun khoj-candidate-table (session)
  "A completion table of what is found by SESSION."
  (lambda (string _predicate action)
    (pcase action
      ('metadata '(metadata (category . khoj-hit)
                            (affixation-function . khoj-candidate-affix)
                            (group-function . khoj-candidate-group)
                            (display-sort-function . identity)
                            (cycle-sort-function . identity)))
      (`(boundaries . ,_) nil)
      ('lambda (and (gethash string (khoj-session-candidates session)) t))
      ('t (khoj-candidate--fetch session string))
      (_ (and (khoj-candidate--fetch session string) string)))))

;; khojd has chosen; nothing is to be filtered by the letters of the query.
(defun khoj-candidate--try (string table _predicate point)
  "STRING and POINT as they are, when TABLE has something."
  (and (khoj-candidate--all string table nil nil) (cons string point)))

(defun khoj-candidate--all (string table _predicate _point)
  "All that TABLE has for STRING."
  (let ((all (all-completions (if (khoj-session-listed khoj-candidate-session) "" string) table)))
    (and all (nconc (copy-sequence all) 0))))

(setf (alist-get 'khoj completion-styles-alist)
      '(khoj-candidate--try khoj-candidate--all "As khojd has found it."))
(setf (alist-get 'khoj-hit completion-category-defaults) '((styles khoj)))

(defun khoj-candidate-unload-function ()
  "Take back what loading has changed elsewhere."
  (setq completion-styles-alist (assq-delete-all 'khoj completion-styles-alist)
        completion-category-defaults (assq-delete-all 'khoj-hit completion-category-defaults))
  nil)

(provide 'khoj-candidate)
;;; khoj-candidate.el ends here
