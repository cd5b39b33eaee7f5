;;; khoj-embark.el --- Actions of Embark for hits  -*- lexical-binding: t; -*-

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

;; Loaded by khoj-search.el where Embark is; hits are of the category
;; `khoj-hit'.

;;; Code:

(require 'khoj-candidate)
(require 'khoj-place)
(require 'khoj-results)

(defvar embark-keymap-alist)
(defvar embark-exporters-alist)
(defvar embark-default-action-overrides)

(defvar khoj-hit-map
  (let ((map (make-sparse-keymap)))
    (define-key map "l" #'khoj-hit-link)
    (define-key map "o" #'khoj-hit-other-window)
    (define-key map "s" #'khoj-hit-similar)
    map)
  "Keys of Embark for a hit.")

(defun khoj-hit--read (candidate)
  "The hit of CANDIDATE.  Signal an error when there is none."
  (or (khoj-candidate-hit candidate) (user-error "Khoj: %s is no hit" candidate)))

(defun khoj-hit-link (candidate)
  "Insert a link to the hit CANDIDATE."
  (interactive "sHit: ")
  (khoj-results-insert-link (khoj-hit--read candidate)))

(defun khoj-hit-other-window (candidate)
  "Show the hit CANDIDATE in another window."
  (interactive "sHit: ")
  (khoj-place-visit (plist-get (khoj-hit--read candidate) :location) #'pop-to-buffer))

(defun khoj-hit-similar (candidate)
  "Find notes like the hit CANDIDATE."
  (interactive "sHit: ")
  (khoj-results-similar (khoj-hit--read candidate)))

(defun khoj-hit-export (candidates)
  "Show the hits CANDIDATES in a buffer."
  (khoj-results-show "Search" (mapcar #'khoj-hit--read candidates)))

(defun khoj-hit-visit (candidate)
  "Go to the hit CANDIDATE."
  (interactive "sHit: ")
  (khoj-place-visit (plist-get (khoj-hit--read candidate) :location)))

(with-eval-after-load 'embark
  (add-to-list 'embark-keymap-alist '(khoj-hit . khoj-hit-map))
  (add-to-list 'embark-exporters-alist '(khoj-hit . khoj-hit-export))
  (add-to-list 'embark-default-action-overrides '(khoj-hit . khoj-hit-visit)))

(defun khoj-embark-unload-function ()
  "Take back what loading has changed in Embark."
  (dolist (variable '(embark-keymap-alist embark-exporters-alist embark-default-action-overrides))
    (when (boundp variable)
      (set variable (assq-delete-all 'khoj-hit (symbol-value variable)))))
  nil)

(provide 'khoj-embark)
;;; khoj-embark.el ends here
