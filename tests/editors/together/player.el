;;; player.el --- Emacs does what a test says  -*- lexical-binding: t; -*-

;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; See conductor.py.

;;; Code:

(require 'khoj-chat)
(require 'khoj-mode)
(require 'khoj-search)

(defconst player-patience 120
  "Seconds for each thing that is done: several editors share the machine.")

(defvar player-heard ""
  "What the conductor has said, and was not done yet.")

(defun player-line ()
  "What the conductor says next."
  (test-wait "the conductor" (lambda () (string-search "\n" player-heard)) 450)
  (let ((end (string-search "\n" player-heard)))
    (prog1 (json-parse-string (substring player-heard 0 end) :object-type 'plist)
      (setq player-heard (substring player-heard (1+ end))))))

(defun player-find (query)
  "Names of the notes that are found for QUERY, in the minibuffer."
  (let (found)
    (save-window-excursion
      (condition-case nil
          (test-typing ((and khoj-candidate-session
                             (equal query (khoj-session-query khoj-candidate-session))
                             (memq (khoj-session-phase khoj-candidate-session) '(complete failed))
                             (progn (setq found (khoj-session-hits khoj-candidate-session)) t))
                        "C-g")
            (khoj-search query))
        (quit nil)))
    (delete-dups (mapcar (lambda (hit) (file-name-nondirectory (plist-get (khoj-candidate-hit hit) :path))) found))))

(defun player-chat (title)
  "The buffer of the conversation TITLE, as it is now."
  (dolist (buffer (buffer-list))
    (when (buffer-local-value 'khoj-chat-mode buffer) (kill-buffer buffer)))
  (let* ((all (plist-get (khoj-rpc-await 'khoj/conversations/list nil) :conversations))
         (found (seq-find (lambda (each) (equal (plist-get each :title) title)) all)))
    (khoj-chat-open (plist-get found :id))
    (test-wait "the conversation"
               (lambda ()
                 (set-buffer (window-buffer))
                 (and khoj-chat-mode khoj-chat--views))
               player-patience)))

(defun player-do (asked)
  "Do what is ASKED; return what came of it."
  (let ((note (and (plist-get asked :note) (test-file (plist-get asked :note)))))
    (pcase (plist-get asked :do)
      ("type" (with-current-buffer (find-file note)
                (erase-buffer)
                (insert (plist-get asked :text)))
       t)
      ("save" (with-current-buffer (find-file note) (save-buffer)) t)
      ("find" (player-find (plist-get asked :query)))
      ("await" (test-wait "the note" (lambda () (player-find (plist-get asked :query))) player-patience))
      ("ask" (unless khoj-chat-mode (khoj-chat-new))
       (goto-char (point-max))
       (insert (plist-get asked :question))
       (khoj-chat-send)
       (test-wait "the end of the answer" (lambda () (not khoj-chat--running)) player-patience)
       (buffer-substring-no-properties (point-min) (point-max)))
      ("continue" (player-chat (plist-get asked :title))
       (mapcar #'khoj-view-question (reverse khoj-chat--views))))))

(ert-deftest player-takes-part ()
  (global-khoj-mode 1)
  (test-connect)
  (let ((conductor (make-network-process :name "conductor" :family 'local :service (getenv "KHOJD_CONDUCTOR") :coding 'utf-8
                                         :filter (lambda (_ text) (setq player-heard (concat player-heard text)))))
        asked)
    (process-send-string conductor "{\"player\": \"emacs\"}\n")
    (while (not (equal (plist-get (setq asked (player-line)) :do) "leave"))
      (process-send-string
       conductor
       (concat (json-serialize
                (condition-case failure
                    (let ((value (player-do asked)))
                      (list :value (if (listp value) (vconcat value) value)))
                  (error (list :failure (error-message-string failure)))))
               "\n")))
    (delete-process conductor)))

;;; player.el ends here
