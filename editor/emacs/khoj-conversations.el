;;; khoj-conversations.el --- The list of conversations  -*- lexical-binding: t; -*-

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

;; A list of all conversations, from whichever editor they are, with keys
;; to open, rename, delete and export them.

;;; Code:

(require 'khoj-chat)
(require 'khoj-rpc)
(require 'tabulated-list)

(defvar khoj-conversations-mode-map
  (let ((map (make-sparse-keymap)))
    (define-key map (kbd "RET") #'khoj-conversations-open)
    (define-key map "r" #'khoj-conversations-rename)
    (define-key map "d" #'khoj-conversations-delete)
    (define-key map "w" #'khoj-conversations-export)
    (define-key map "/" #'khoj-conversations)
    map)
  "Keys in the list of conversations.")

(defvar-local khoj-conversations--query nil)

(define-derived-mode khoj-conversations-mode tabulated-list-mode "Khoj-Conversations"
  "All conversations, the last changed first.

\\<khoj-conversations-mode-map>\\[khoj-conversations-open] opens one, \
\\[khoj-conversations-rename] renames it, \\[khoj-conversations-delete] deletes it,
\\[khoj-conversations-export] makes a note of it, \\[khoj-conversations] lists those with some words."
  :interactive nil
  (setq tabulated-list-format [("Changed" 16 t) ("Turns" 5 nil :right-align t) ("Title" 0 t)]
        revert-buffer-function (lambda (&rest _) (khoj-conversations--ask (current-buffer))))
  (tabulated-list-init-header))

;;;###autoload
(defun khoj-conversations (&optional query)
  "List all conversations, or with prefix those that hold all words of QUERY."
  (interactive (list (and (or current-prefix-arg (derived-mode-p 'khoj-conversations-mode))
                          (read-string "Conversations with: "))))
  (let ((buffer (get-buffer-create "*khoj conversations*")))
    (with-current-buffer buffer
      (unless (derived-mode-p 'khoj-conversations-mode)
        (khoj-conversations-mode))
      (setq khoj-conversations--query query))
    (pop-to-buffer buffer)
    (khoj-conversations--ask buffer)))

(defun khoj-conversations--ask (buffer)
  "Fill BUFFER with the conversations as they are now."
  (khoj-rpc-ask 'khoj/conversations/list (list :query (buffer-local-value 'khoj-conversations--query buffer))
                :again t
                :then (lambda (result)
                        (when (buffer-live-p buffer)
                          (with-current-buffer buffer
                            (setq tabulated-list-entries
                                  (mapcar (lambda (one)
                                            (list one (vector (format-time-string "%F %R" (plist-get one :updated))
                                                              (number-to-string (plist-get one :turns))
                                                              (plist-get one :title))))
                                          (plist-get result :conversations)))
                            (tabulated-list-print t)
                            (unless (string-empty-p (plist-get result :problem))
                              (message "Khoj: %s" (plist-get result :problem))))))))

(defun khoj-conversations--here ()
  "The conversation of this line."
  (or (tabulated-list-get-id) (user-error "Khoj: no conversation in this line")))

(defun khoj-conversations-open ()
  "Open the conversation of this line."
  (interactive)
  (khoj-chat-open (plist-get (khoj-conversations--here) :id)))

(defun khoj-conversations-rename (title)
  "Give the conversation of this line TITLE."
  (interactive (list (read-string "Title: " (plist-get (khoj-conversations--here) :title))))
  (khoj-conversations--do 'khoj/conversations/rename (list :title title)))

(defun khoj-conversations-delete ()
  "Delete the conversation of this line for good."
  (interactive)
  (when (yes-or-no-p (format "Delete “%s” for good? " (plist-get (khoj-conversations--here) :title)))
    (khoj-conversations--do 'khoj/conversations/delete nil)))

(defun khoj-conversations--do (method params)
  "Ask METHOD with PARAMS of the conversation of this line, and list all anew."
  (let ((buffer (current-buffer)))
    (khoj-rpc-ask method (append (list :conversation (plist-get (khoj-conversations--here) :id)) params)
                  :then (lambda (_)
                          (when (buffer-live-p buffer)
                            (khoj-conversations--ask buffer))))))

(defun khoj-conversations-export ()
  "Make a note of the conversation of this line, to be saved where you like."
  (interactive)
  (khoj-rpc-ask 'khoj/conversations/export
                (list :conversation (plist-get (khoj-conversations--here) :id)
                      :format (if (eq khoj-chat-format 'org) "org" "markdown"))
                :then (lambda (exported)
                        (pop-to-buffer (generate-new-buffer (plist-get exported :name)))
                        (insert (plist-get exported :text))
                        (goto-char (point-min))
                        (khoj-chat-set-mode))))

(provide 'khoj-conversations)
;;; khoj-conversations.el ends here
