;;; khoj-chat.el --- Ask your notes  -*- lexical-binding: t; -*-

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

;; `khoj-chat' opens a buffer in which questions are asked below all that
;; was said.  Answers stream in, and what they cite can be visited with
;; RET.  The conversation is kept by khojd, so that any editor, and the
;; command line, can go on with it.

;;; Code:

(require 'cl-lib)
(require 'khoj-question)
(require 'khoj-rpc)
(require 'khoj-view)
(require 'subr-x)

(declare-function khoj-chat-menu "khoj-menu" ())
(declare-function khoj-conversations "khoj-conversations" (&optional query))
(declare-function markdown-mode "ext:markdown-mode" ())

(defcustom khoj-chat-format 'org
  "What conversations are shown in: `org' or `markdown'.
The latter is `markdown-mode' where that is installed, else `text-mode'."
  :type '(choice (const org) (const markdown))
  :group 'khoj)

(defvar-local khoj-chat--conversation nil "The id of the conversation, or nil.")
(defvar-local khoj-chat--title nil)
(defvar-local khoj-chat--views nil "The turns, the newest first.")
(defvar-local khoj-chat--running nil "The request that is being answered, or nil.")
(defvar-local khoj-chat--end nil "Where turns end and the prompt begins.")
(defvar-local khoj-chat--replaces nil "The turn that the next question replaces.")

(defvar khoj-chat-mode-map
  (let ((map (make-sparse-keymap)))
    (define-key map (kbd "C-c C-c") #'khoj-chat-send)
    (define-key map (kbd "C-c C-k") #'khoj-chat-stop)
    (define-key map (kbd "C-c C-r") #'khoj-chat-retry)
    (define-key map (kbd "C-c C-e") #'khoj-chat-edit)
    (define-key map (kbd "C-c . k") #'khoj-chat-fork)
    (define-key map (kbd "C-c . p") #'khoj-chat-set-persona)
    (define-key map (kbd "C-c . m") #'khoj-chat-set-model)
    (define-key map (kbd "C-c . f") #'khoj-chat-set-filters)
    (define-key map (kbd "C-c . a") #'khoj-chat-attach)
    (define-key map (kbd "C-c . d") #'khoj-chat-detach)
    (define-key map (kbd "C-c . h") #'khoj-conversations)
    (define-key map (kbd "C-c . .") #'khoj-chat-menu)
    map)
  "Keys in a conversation.")

(define-minor-mode khoj-chat-mode
  "A conversation about your notes.

\\<khoj-chat-mode-map>\\[khoj-chat-send] asks what is written below the last line, \
\\[khoj-chat-stop] stops the answer,
\\[khoj-chat-retry] asks anew, \\[khoj-chat-edit] lets you edit the question first,
\\[khoj-chat-fork] goes on from here in a conversation of its own.
@ with the name of a note gives that note to the model; \\[completion-at-point] completes it.
\\[khoj-chat-menu] shows all that can be done."
  :interactive nil
  :group 'khoj
  (if khoj-chat-mode
      (progn
        (add-to-invisibility-spec 'khoj-view)
        (setq header-line-format '(:eval (khoj-chat--header)))
        (visual-line-mode 1)
        (add-hook 'kill-buffer-hook #'khoj-chat--killed nil t)
        (add-hook 'completion-at-point-functions #'khoj-question-capf -10 t)
        (add-hook 'eldoc-documentation-functions #'khoj-view-eldoc nil t))
    (setq header-line-format nil)
    (remove-from-invisibility-spec 'khoj-view)
    (remove-hook 'kill-buffer-hook #'khoj-chat--killed t)
    (remove-hook 'completion-at-point-functions #'khoj-question-capf t)
    (remove-hook 'eldoc-documentation-functions #'khoj-view-eldoc t)))


;;; The buffer

;;;###autoload
(defun khoj-chat ()
  "Go to the last conversation that is open, or begin a new one."
  (interactive)
  (pop-to-buffer (or (cl-find-if (lambda (buffer) (buffer-local-value 'khoj-chat-mode buffer)) (buffer-list))
                     (khoj-chat--make)))
  (goto-char (point-max)))

;;;###autoload
(defun khoj-chat-new ()
  "Begin a new conversation."
  (interactive)
  (pop-to-buffer (khoj-chat--make))
  (goto-char (point-max)))

;;;###autoload
(defun khoj-ask-region (start end question)
  "Ask QUESTION about what is between START and END, or about the whole note."
  (interactive (let ((active (use-region-p)))
                 (list (and active (region-beginning)) (and active (region-end)) (read-string "Ask: "))))
  (let* ((place (and buffer-file-name (khoj-question-place start end)))
         (quoted (and (not place) start (buffer-substring-no-properties start end))))
    (pop-to-buffer (khoj-chat--make))
    (setq khoj-question-context (and place (list place)))
    (khoj-chat--ask (if quoted (concat question "\n\n" quoted) question))))

(defun khoj-chat--make ()
  "A new buffer for a conversation."
  (with-current-buffer (generate-new-buffer "*khoj chat*")
    (khoj-chat-set-mode)
    (khoj-chat-mode 1)
    (setq khoj-chat--end (copy-marker (point-min) t))
    (khoj-view--editing
      (insert (khoj-view--string (concat (if (derived-mode-p 'org-mode) "* " "# ") "Ask\n") 'font-lock-face 'khoj-aside)))
    (set-marker khoj-chat--end (point-min))
    (setq khoj-question-start (copy-marker (point-max)))
    (current-buffer)))

(defun khoj-chat-set-mode ()
  "Turn on the major mode of `khoj-chat-format'."
  (cond ((eq khoj-chat-format 'org) (org-mode))
        ((require 'markdown-mode nil t) (markdown-mode))
        (t (text-mode))))

(defun khoj-chat--header ()
  "What is above a conversation."
  (string-join
   (append (list (concat " " (or khoj-chat--title "New conversation")))
           (khoj-question-about)
           (and khoj-chat--replaces '("asks anew"))
           (cond (khoj-chat--running '("answering; C-c C-k stops"))
                 (khoj-connection-problem (list khoj-connection-problem))))
   "  ·  "))

(defun khoj-chat--killed ()
  "Have the answer stopped that nobody sees any longer."
  (khoj-rpc-cancel khoj-chat--running))


;;; Asking

(defmacro khoj-chat--in (buffer &rest body)
  "Run BODY in BUFFER, if it lives."
  (declare (indent 1))
  `(when (buffer-live-p ,buffer)
     (with-current-buffer ,buffer ,@body)))

(defun khoj-chat-send ()
  "Ask what is written below the last turn."
  (interactive)
  (khoj-question-check)
  (when khoj-chat--running (user-error "Khoj: an answer is being written; C-c C-k stops it"))
  (let ((question (string-trim (buffer-substring-no-properties khoj-question-start (point-max)))))
    (when (string-empty-p question) (user-error "Khoj: there is no question below the last line"))
    (delete-region khoj-question-start (point-max))
    (khoj-chat--ask question)))

(defun khoj-chat--ask (question)
  "Ask QUESTION in this conversation."
  (let ((buffer (current-buffer)) view)
    (when khoj-chat--replaces
      (khoj-chat--remove khoj-chat--replaces))
    (setq view (khoj-view-open question khoj-chat--end))
    (when khoj-chat--replaces
      (setf (khoj-view-id view) khoj-chat--replaces))
    (push view khoj-chat--views)
    (setq khoj-chat--running
          (khoj-rpc-ask
           'khoj/chat
           (append (list :message question :conversation khoj-chat--conversation :replaces khoj-chat--replaces)
                   (khoj-question-params))
           :partial (lambda (part) (khoj-chat--in buffer (khoj-chat--heard view part)))
           :then (lambda (result) (khoj-chat--in buffer (khoj-chat--answered view result)))
           :fail (lambda (message failure) (khoj-chat--in buffer (khoj-chat--failed view message failure)))))
    (setq khoj-question-context nil khoj-chat--replaces nil)
    (force-mode-line-update)))

(defun khoj-chat--heard (view part)
  "Show PART of the answer of VIEW."
  (pcase (plist-get part :kind)
    ("started" (setf (khoj-view-id view) (plist-get part :turn))
     (khoj-chat--name (plist-get part :conversation) (plist-get part :title)))
    ("step" (khoj-view-step view (plist-get part :step)))
    ("thinking" (khoj-view-think view (plist-get part :text)))
    ("text" (khoj-view-text view (plist-get part :text)))
    ("citation" (khoj-view-cite view (plist-get part :citation)))))

(defun khoj-chat--answered (view result)
  "The answer of VIEW has ended with RESULT."
  (setq khoj-chat--running nil)
  (setf (khoj-view-id view) (plist-get result :turn))
  (khoj-chat--name (plist-get result :conversation) (plist-get result :title))
  (khoj-view-end view result)
  (force-mode-line-update))

(defun khoj-chat--failed (view message failure)
  "The answer of VIEW has ended with FAILURE, in words MESSAGE."
  (setq khoj-chat--running nil)
  (if (eql (plist-get failure :code) -1)
      (khoj-view-remark view "Cut off" (concat message "; C-c C-r asks again"))
    (khoj-view-remark view "Failed" message))
  ;; A question that was refused is not lost.
  (when (and (not (khoj-view-id view)) (= khoj-question-start (point-max)))
    (save-excursion
      (goto-char (point-max))
      (insert (khoj-view-question view))))
  (force-mode-line-update))

(defun khoj-chat--name (conversation title)
  "The conversation is CONVERSATION, with TITLE."
  (setq khoj-chat--conversation conversation khoj-chat--title title)
  (let ((name (format "*khoj chat: %s*" (truncate-string-to-width title 40 nil nil t))))
    (unless (string-prefix-p name (buffer-name))
      (rename-buffer name t)))
  (force-mode-line-update))

(defun khoj-chat-stop ()
  "Stop the answer; what there is of it stays."
  (interactive)
  (khoj-question-check)
  (unless khoj-chat--running (user-error "Khoj: nothing is being answered"))
  (khoj-rpc-ask 'khoj/chat/cancel (list :token (khoj-rpc-part-token khoj-chat--running))))


;;; Turns

(defun khoj-chat--view ()
  "The turn at point, or the last one."
  (or (cl-find-if (lambda (view) (<= (khoj-view-begin view) (point))) khoj-chat--views)
      (car khoj-chat--views)
      (user-error "Khoj: nothing was asked yet")))

(defun khoj-chat--turn ()
  "The turn at point, which khojd knows."
  (khoj-question-check)
  (when khoj-chat--running (user-error "Khoj: an answer is being written; C-c C-k stops it"))
  (let ((view (khoj-chat--view)))
    (unless (khoj-view-id view) (user-error "Khoj: this question was not taken; it can be sent as it is"))
    view))

(defun khoj-chat--remove (id)
  "Take the turn ID, and those after it, out of the buffer."
  (when-let ((view (cl-find id khoj-chat--views :key #'khoj-view-id :test #'equal)))
    (khoj-view--editing
      (let ((begin (marker-position (khoj-view-begin view))))
        (remove-overlays begin khoj-chat--end)
        (delete-region begin khoj-chat--end)))
    (setq khoj-chat--views (cdr (memq view khoj-chat--views)))))

(defun khoj-chat-retry ()
  "Ask the question at point, or the last one, anew.
It and what came after it are put aside."
  (interactive)
  (let ((view (khoj-chat--turn)))
    (setq khoj-chat--replaces (khoj-view-id view))
    (khoj-chat--ask (khoj-view-question view))))

(defun khoj-chat-edit ()
  "Put the question at point, or the last one, below the last line to be edited.
When it is sent, it and what came after it are put aside."
  (interactive)
  (let ((view (khoj-chat--turn)))
    (setq khoj-chat--replaces (khoj-view-id view))
    (delete-region khoj-question-start (point-max))
    (goto-char (point-max))
    (insert (khoj-view-question view))
    (force-mode-line-update)))

(defun khoj-chat-fork ()
  "Go on from the turn at point in a conversation of its own."
  (interactive)
  (khoj-rpc-ask 'khoj/conversations/fork (list :turn (khoj-view-id (khoj-chat--turn)))
                :then (lambda (conversation) (khoj-chat-open (plist-get conversation :id)))))

(defun khoj-chat-open (conversation)
  "Show CONVERSATION, an id."
  (let ((buffer (cl-find-if (lambda (buffer) (equal (buffer-local-value 'khoj-chat--conversation buffer) conversation))
                            (buffer-list))))
    (if buffer
        (pop-to-buffer buffer)
      (khoj-rpc-ask 'khoj/conversations/get (list :conversation conversation)
                    :again t
                    :then #'khoj-chat--show))))

(defun khoj-chat--show (result)
  "Show the conversation of RESULT in a buffer of its own."
  (let ((conversation (plist-get result :conversation)))
    (pop-to-buffer (khoj-chat--make))
    (khoj-chat--name (plist-get conversation :id) (plist-get conversation :title))
    (setq khoj-question-persona (plist-get conversation :persona)
          khoj-question-filters (plist-get conversation :filters))
    (seq-doseq (turn (plist-get result :turns))
      (let ((view (khoj-view-open (plist-get turn :question) khoj-chat--end)))
        (setf (khoj-view-id view) (plist-get turn :id))
        (push view khoj-chat--views)
        (seq-doseq (step (plist-get turn :steps)) (khoj-view-step view step))
        (unless (string-empty-p (plist-get turn :thinking)) (khoj-view-think view (plist-get turn :thinking)))
        (khoj-view-text view (plist-get turn :answer))
        (khoj-view-end view turn)))
    (goto-char (point-max))))

(provide 'khoj-chat)
;;; khoj-chat.el ends here
