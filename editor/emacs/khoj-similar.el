;;; khoj-similar.el --- Notes like the one at hand  -*- lexical-binding: t; -*-

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

;; `khoj-similar' shows what is like the place at point, the region, or
;; the note.  `khoj-similar-follow-mode' keeps that in a side window, and
;; asks anew when point has moved and Emacs is idle.

;;; Code:

(require 'khoj-place)
(require 'khoj-results)
(require 'khoj-rpc)
(require 'khoj-status)

(defcustom khoj-similar-delay 0.6
  "Seconds of rest after which the side window follows point."
  :type 'number
  :group 'khoj)

(defvar khoj-similar--timer nil)
(defvar khoj-similar--request nil)
(defvar khoj-similar--last nil
  "What was asked last.")

(defun khoj-similar--params (&optional note)
  "What is asked about the region, else about the place at point, else about NOTE."
  (cond
   ((and (use-region-p) (not note))
    (if buffer-file-name
        (list :textDocument (list :uri (khoj-place-uri buffer-file-name))
              :range (khoj-place-range (region-beginning) (region-end)))
      (list :text (buffer-substring-no-properties (region-beginning) (region-end)))))
   ((not buffer-file-name)
    (list :text (or (thing-at-point 'paragraph t) (user-error "Khoj: nothing is here"))))
   (note (list :textDocument (list :uri (khoj-place-uri buffer-file-name))))
   (t (list :textDocument (list :uri (khoj-place-uri buffer-file-name)) :position (khoj-place-position)))))

;;;###autoload
(defun khoj-similar (&optional note)
  "Show notes like what is at point, or like the region.
With prefix NOTE, show notes like this note."
  (interactive "P")
  (khoj-results--ask "Similar" 'khoj/similar (khoj-similar--params note)))

;;;###autoload
(define-minor-mode khoj-similar-follow-mode
  "Show in a side window what is like the place at point, wherever that goes."
  :global t
  :group 'khoj
  (when khoj-similar--timer
    (cancel-timer khoj-similar--timer)
    (setq khoj-similar--timer nil))
  (khoj-rpc-cancel khoj-similar--request)
  (setq khoj-similar--last nil)
  (if khoj-similar-follow-mode
      (progn (add-hook 'khoj-status-hook #'khoj-similar--follow)
             (setq khoj-similar--timer (run-with-idle-timer khoj-similar-delay t #'khoj-similar--follow))
             (khoj-similar--follow))
    (remove-hook 'khoj-status-hook #'khoj-similar--follow)
    (when-let ((window (get-buffer-window "*khoj related*")))
      (delete-window window))))

(defun khoj-similar--follow ()
  "Ask about the place at point, unless that was done."
  (with-current-buffer (window-buffer)
    (when (and buffer-file-name (bound-and-true-p khoj-mode))
      (let ((params (list :textDocument (list :uri (khoj-place-uri buffer-file-name)) :position (khoj-place-position)))
            (tick (buffer-chars-modified-tick)))
        (unless (equal (cons tick params) khoj-similar--last)
          (setq khoj-similar--last (cons tick params))
          (khoj-rpc-cancel khoj-similar--request)
          (setq khoj-similar--request
                (khoj-rpc-ask 'khoj/similar params
                              ;; What is not indexed yet is asked about again when it is.
                              :fail (lambda (&rest _) (setq khoj-similar--last nil))
                              :then (lambda (result)
                                      (when khoj-similar-follow-mode
                                        (khoj-similar--show (append (plist-get result :hits) nil)))))))))))

(defun khoj-similar--show (hits)
  "Show HITS in the side window."
  (let ((buffer (khoj-results-show "Related" hits nil t)))
    (display-buffer-in-side-window buffer '((side . right) (window-width . 0.35)
                                            (window-parameters (no-delete-other-windows . t))))))

(defun khoj-similar-unload-function ()
  "Stop following point."
  (khoj-similar-follow-mode -1)
  nil)

(provide 'khoj-similar)
;;; khoj-similar.el ends here
