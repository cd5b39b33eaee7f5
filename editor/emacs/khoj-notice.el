;;; khoj-notice.el --- What khojd has to say to a person  -*- lexical-binding: t; -*-

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

;; Messages are shown in the echo area, or kept in *Messages*.  Questions,
;; such as whether a folder may be read, are asked in a window of their own
;; below the others, which is not selected: what is typed meanwhile goes
;; where it was meant to go.

;;; Code:

(require 'button)
(require 'khoj-connection)

(defvar-local khoj-notice--reply nil
  "Function that is to be called with the answer, or nil once it was.")

(defvar khoj-notice-mode-map
  (let ((map (make-sparse-keymap)))
    (define-key map (kbd "TAB") #'forward-button)
    (define-key map [backtab] #'backward-button)
    map)
  "Keys where khojd asks something.")

(define-derived-mode khoj-notice-mode special-mode "Khoj-Question"
  "A question of khojd's.

\\<khoj-notice-mode-map>\\[forward-button] goes to the answers, RET chooses one; \\[quit-window] leaves the question for now."
  :interactive nil
  (add-hook 'kill-buffer-hook #'khoj-notice--close nil t))

(defun khoj-notice--say (params)
  "Show the message of PARAMS."
  (let ((inhibit-message (> (or (plist-get params :type) 1) 2)))
    (message "Khoj: %s" (plist-get params :message))))

(defun khoj-notice--log (params)
  "Show the message of PARAMS, if it is a warning or an error."
  (when (<= (or (plist-get params :type) 4) 2)
    (message "Khoj: %s" (plist-get params :message))))

(defun khoj-notice--asked (params)
  "Ask what PARAMS say, as the daemon wants it."
  (lambda (reply)
    (khoj-connection-later #'khoj-notice--ask (plist-get params :message) (append (plist-get params :actions) nil) reply)))

(defun khoj-notice--ask (question answers reply)
  "Ask QUESTION; call REPLY with the one of ANSWERS that is chosen."
  (let ((buffer (generate-new-buffer "*khoj question*")))
    (with-current-buffer buffer
      (khoj-notice-mode)
      (setq khoj-notice--reply reply)
      (let ((inhibit-read-only t))
        (insert question "\n\n")
        (dolist (answer answers)
          (insert-text-button (concat "[" (plist-get answer :title) "]")
                              'follow-link t
                              'action (lambda (_) (khoj-notice--answer buffer answer)))
          (insert "  "))
        (insert "\n")
        (goto-char (point-min))
        (forward-button 1)))
    (display-buffer buffer '(display-buffer-at-bottom (window-height . fit-window-to-buffer)))
    (message "Khoj: %s" question)))

(defun khoj-notice--answer (buffer answer)
  "Reply ANSWER to the question of BUFFER."
  (with-current-buffer buffer
    (when khoj-notice--reply
      (funcall (prog1 khoj-notice--reply (setq khoj-notice--reply nil)) answer)))
  (quit-windows-on buffer t))

(defun khoj-notice--close ()
  "Reply nothing to the question of this buffer."
  (when khoj-notice--reply
    (funcall (prog1 khoj-notice--reply (setq khoj-notice--reply nil)) nil)))

(defun khoj-notice--forget ()
  "Nobody waits for answers any longer."
  (dolist (buffer (buffer-list))
    (when (buffer-local-value 'khoj-notice--reply buffer)
      (quit-windows-on buffer t))))

(setf (alist-get 'window/showMessage khoj-connection-notifications) #'khoj-notice--say
      (alist-get 'window/logMessage khoj-connection-notifications) #'khoj-notice--log
      (alist-get 'window/showMessageRequest khoj-connection-requests) #'khoj-notice--asked)
(add-hook 'khoj-connection-lost-hook #'khoj-notice--forget)

(defun khoj-notice-unload-function ()
  "Take back what loading has changed in the connection."
  (khoj-notice--forget)
  (remove-hook 'khoj-connection-lost-hook #'khoj-notice--forget)
  (dolist (method '(window/showMessage window/logMessage))
    (setq khoj-connection-notifications (assq-delete-all method khoj-connection-notifications)))
  (setq khoj-connection-requests (assq-delete-all 'window/showMessageRequest khoj-connection-requests))
  nil)

(provide 'khoj-notice)
;;; khoj-notice.el ends here
