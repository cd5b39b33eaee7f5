;;; khoj-consult.el --- Search through consult  -*- lexical-binding: t; -*-

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

;; Where consult is loaded, `khoj-consult-search' searches through it:
;; with its preview keys, its history and its asynchronous refreshing.
;; Consult has had two protocols for asynchronous sources, before and
;; since version 2.0; both are spoken.

;;; Code:

(require 'cl-lib)
(require 'khoj-candidate)
(require 'khoj-place)
(require 'khoj-preview)
(require 'khoj-results)
(require 'khoj-search)
(require 'khoj-session)

(declare-function consult--read "ext:consult" (table &rest options))
(declare-function consult--async-sink "ext:consult" ())
(declare-function consult--async-refresh-immediate "ext:consult" (async))
(declare-function consult--async-throttle "ext:consult" (&rest args))
(declare-function consult--async-pipeline "ext:consult" (&rest async))

(defun khoj-consult--source (session sink)
  "A source of consult that hands the hits of SESSION to SINK."
  (lambda (action)
    (pcase action
      ('setup
       (setf (khoj-session-update session)
             (lambda (session)
               (funcall sink 'flush)
               (when (khoj-session-hits session)
                 (funcall sink (copy-sequence (khoj-session-hits session))))
               (funcall sink 'refresh)))
       (setq khoj-candidate-session session)
       (funcall sink 'setup))
      ('destroy
       (khoj-rpc-cancel (khoj-session-request session))
       (setf (khoj-session-update session) nil)
       (funcall sink 'destroy))
      ((pred stringp)
       (unless (equal action (khoj-session-query session))
         (khoj-session-ask session action))
       (funcall sink action))
      (_ (funcall sink action)))))

(defun khoj-consult--table (session)
  "A table of consult of what is found by SESSION."
  (if (fboundp 'consult--async-pipeline)
      (consult--async-pipeline (consult--async-throttle khoj-search-delay khoj-search-delay)
                               (lambda (sink) (khoj-consult--source session sink)))
    (consult--async-throttle
     (khoj-consult--source session (consult--async-refresh-immediate (consult--async-sink)))
     khoj-search-delay khoj-search-delay)))

(defun khoj-consult--preview (action hit)
  "Show HIT, or all as it was before, as ACTION has it."
  (pcase action
    ('preview (when hit
                (khoj-preview-hit hit (or (minibuffer-selected-window) (selected-window)))))
    ('exit (khoj-preview-end))))

;;;###autoload
(defun khoj-consult-search (&optional initial)
  "Search all notes through consult, beginning with INITIAL, and go to a hit."
  (interactive)
  (unless (require 'consult nil t)
    (user-error "Khoj: consult is not installed; `khoj-search' does without it"))
  (let* ((session (khoj-session-make :listed t))
         (choice (apply #'consult--read (khoj-consult--table session)
                        :prompt "Search notes: "
                        :initial initial
                        :category 'khoj-hit
                        :history 'khoj-search-history
                        :annotate (lambda (candidate) (car (khoj-candidate-affix (list candidate))))
                        :group #'khoj-candidate-group
                        :lookup (lambda (selected &rest _)
                                  (and selected (gethash selected (khoj-session-candidates session))))
                        :state #'khoj-consult--preview
                        :require-match t
                        :sort nil
                        ;; The query is for khojd alone; consult is not to split it.
                        (and (fboundp 'consult--async-pipeline) (list :async-wrap #'identity)))))
    (when choice
      (khoj-place-visit (plist-get choice :location)))))

(provide 'khoj-consult)
;;; khoj-consult.el ends here
