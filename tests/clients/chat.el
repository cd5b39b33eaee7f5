;;; chat.el --- What Emacs asks of khojd's chat, over the socket  -*- lexical-binding: t; -*-

;; SPDX-License-Identifier: Apache-2.0

;;; Commentary:

;; Run by test_emacs_chat.py, which plays the model server.  client.el is loaded first.

;;; Code:

(require 'cl-lib)
(require 'ert)
(require 'jsonrpc)

(defun chat-parts (token)
  "The values that were streamed under TOKEN so far, the oldest first."
  (cl-loop for (method . params) in (reverse client-heard)
           when (and (eq method '$/progress) (equal (plist-get params :token) token))
           collect (plist-get params :value)))

(defun chat-kind (kind parts)
  "Those of PARTS that are of KIND."
  (cl-remove-if-not (lambda (part) (equal (plist-get part :kind) kind)) parts))

(defun chat-text (parts)
  "The answer that PARTS make up."
  (mapconcat (lambda (part) (plist-get part :text)) (chat-kind "text" parts) ""))

(ert-deftest chat-streams-an-answer-whose-citation-leads-to-its-text ()
  (client-with connection
    (let* ((reply (client-ask connection :khoj/chat :message "How is green tea made?" :partialResultToken "answer"))
           (parts (chat-parts "answer")))
      (should (equal (chat-text parts) "Green tea 🍵 is steamed [1]. That is all."))
      (should (> (length (chat-kind "text" parts)) 1))
      (should (equal (plist-get reply :state) "complete"))
      ;; The reply does not repeat what was streamed.
      (should (equal (plist-get reply :text) ""))
      (let* ((citation (plist-get (car (chat-kind "citation" parts)) :citation))
             (location (plist-get citation :location)))
        (should (equal (plist-get citation :number) 1))
        (should (equal (plist-get location :uri) (client-uri "tea.md")))
        (with-temp-buffer
          (insert-file-contents (plist-get citation :path))
          (should (equal (client-text location) (plist-get citation :quote)))
          (should (string-match-p "steamed" (client-text location)))))
      ;; Which server the question went to is said before the answer.
      (should (cl-find-if (lambda (part) (equal (plist-get (plist-get part :step) :kind) "model")) (chat-kind "step" parts)))
      ;; The conversation is kept, and goes on.
      (let ((again (client-ask connection :khoj/chat :message "And oolong?" :conversation (plist-get reply :conversation))))
        (should (equal (plist-get again :conversation) (plist-get reply :conversation)))
        (should (string-match-p "steamed" (plist-get again :text)))))))

(ert-deftest chat-stops-an-answer-that-would-never-end ()
  (client-with connection
    (let (reply cancelled)
      (jsonrpc-async-request connection :khoj/chat '(:message "Talk for ever" :partialResultToken "endless")
                             :success-fn (lambda (result) (setq reply result))
                             :error-fn (lambda (failure) (setq reply failure)))
      (client-wait (lambda () (string-match-p "On and on" (chat-text (chat-parts "endless")))))
      ;; Not `jsonrpc-request': in Emacs 28 it leaves what came along with its reply unread until more comes.
      (jsonrpc-async-request connection :khoj/chat/cancel '(:token "endless")
                             :success-fn (lambda (result) (setq cancelled (plist-get result :cancelled))))
      (client-wait (lambda () (and reply cancelled)))
      (should (eq cancelled t))
      (should (equal (plist-get reply :state) "cancelled"))
      ;; What there was is kept.
      (let* ((kept (client-ask connection :khoj/conversations/get :conversation (plist-get reply :conversation)))
             (turn (aref (plist-get kept :turns) 0)))
        (should (equal (plist-get turn :state) "cancelled"))
        (should (string-match-p "On and on" (plist-get turn :answer)))))))

;;; chat.el ends here
