;;; khoj-session.el --- A search while it is typed  -*- lexical-binding: t; -*-

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

;; What is asked, what was found by now, and in which phase.  A request
;; that is no longer wanted is cancelled.

;;; Code:

(require 'cl-lib)
(require 'khoj-results)
(require 'khoj-rpc)
(require 'subr-x)

(defcustom khoj-search-limit 30
  "How many hits are asked for."
  :type '(integer :tag "Hits" 1)
  :group 'khoj)

(cl-defstruct (khoj-session (:constructor khoj-session-make) (:copier nil))
  "A search while it is typed."
  params                                ; further ones of khoj/search
  (query "")                            ; that `hits' are of, or that is asked
  hits phase problem request
  (candidates (make-hash-table :test #'equal)) ; all that were shown
  update                                ; called when `hits' are others
  listed)                               ; whether tables have no other candidates than these


;;; Asking

(defun khoj-session-ask (session query)
  "Have SESSION ask for QUERY, and forget what it has asked."
  (khoj-rpc-cancel (khoj-session-request session))
  (setf (khoj-session-query session) query
        (khoj-session-phase session) nil
        (khoj-session-problem session) nil
        (khoj-session-request session)
        (and (not (string-blank-p query))
             (khoj-rpc-ask 'khoj/search
                           (append (list :query query :limit khoj-search-limit) (khoj-session-params session))
                           :again t
                           :partial (lambda (result)
                                      (khoj-session--take session (plist-get result :phase)
                                                         (append (plist-get result :hits) nil)))
                           :then (lambda (result)
                                   (let ((notes (plist-get result :notes)))
                                     (unless (equal notes [])
                                       (setf (khoj-session-problem session) (aref notes 0)))
                                     (setf (khoj-session-phase session) 'complete)
                                     (khoj-session--updated session)))
                           :fail (lambda (message &rest _)
                                   (setf (khoj-session-problem session) message)
                                   (khoj-session--take session 'complete nil)))))
  (when (string-blank-p query)
    (khoj-session--take session 'complete nil)))

(defun khoj-session--take (session phase hits)
  "SESSION has HITS now, found in PHASE."
  (setf (khoj-session-phase session) phase
        (khoj-session-hits session) (khoj-session--candidates session hits))
  (khoj-session--updated session))

(defun khoj-session--updated (session)
  "Say that SESSION has changed."
  (when (khoj-session-update session)
    (funcall (khoj-session-update session) session)))

(defun khoj-session--candidates (session hits)
  "HITS as strings that SESSION knows."
  (let ((known (khoj-session-candidates session)) (taken (make-hash-table :test #'equal)))
    (mapcar (lambda (hit)
              (let* ((line (khoj-results-line hit (- (frame-width) 45))) (text line) (number 1))
                (while (gethash text taken)
                  (setq text (format "%s (%d)" line (cl-incf number))))
                (puthash text t taken)
                (setq text (propertize text 'khoj-hit hit))
                (puthash text hit known)
                text))
            hits)))

(provide 'khoj-session)
;;; khoj-session.el ends here
