;;; khoj-rpc.el --- Questions to khojd  -*- lexical-binding: t; -*-

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

;; `khoj-rpc-ask' asks and returns at once; what comes back is handed to
;; functions.  `khoj-rpc-await' waits, for completion tables and for
;; commands that cannot go on without an answer; it can be quit, and has a
;; time limit.
;;
;; Requests are cancelled by a token of our own, because jsonrpc.el did
;; not tell the ids of requests before version 1.0.29.

;;; Code:

(require 'cl-lib)
(require 'khoj-connection)
(require 'subr-x)

(defcustom khoj-patience 5.0
  "Seconds that a command waits for an answer without which it cannot go on."
  :type 'number
  :group 'khoj)

(defcustom khoj-completion-patience 1.0
  "Seconds that completion at point waits for what khojd knows."
  :type 'number
  :group 'khoj)

(defvar khoj-rpc-before-ask-hook nil
  "Run before anything is asked, so that khojd knows the text that is meant.")

(defvar khoj-rpc--waiting nil
  "Requests to be sent when there is a connection, the oldest first.")
(defvar khoj-rpc--sent nil
  "Requests that were sent and not answered, the newest first.")
(defvar khoj-rpc--tokens (make-hash-table :test #'equal)
  "Functions that values of `$/progress' go to, by their tokens.")
(defvar khoj-rpc--next 0)

(cl-defstruct (khoj-rpc-request (:constructor khoj-rpc--make) (:copier nil))
  "A question to khojd."
  method params then fail token again done)


;;; Asking

(cl-defun khoj-rpc-ask (method params &key then fail partial progress again)
  "Ask METHOD, a symbol, with PARAMS, a plist; return the request at once.
Members of PARAMS that are nil are left out.  THEN is called with the result,
FAIL with a message and the error, a plist; without FAIL the message is shown.
PARTIAL is called with each value that is streamed, PROGRESS with what is
reported of the work.  With AGAIN the request is sent anew when the connection
is lost meanwhile."
  (let* ((token (khoj-rpc--token))
         (request (khoj-rpc--make :method method :then then :token token :again again
                                  :fail (or fail #'khoj-rpc-show-failure))))
    (when partial
      (puthash (concat token "-part") (khoj-rpc--guard request partial) khoj-rpc--tokens))
    (puthash token (if progress (khoj-rpc--guard request progress) #'ignore) khoj-rpc--tokens)
    (setf (khoj-rpc-request-params request)
          (append (khoj-rpc--given params) (list :workDoneToken token)
                  (and partial (list :partialResultToken (concat token "-part")))))
    (khoj-rpc--send request)
    request))

(defun khoj-rpc-lsp (method params then &optional fail)
  "Ask METHOD of LSP with PARAMS; THEN and FAIL as for `khoj-rpc-ask'.
Failures are not shown."
  (let* ((token (khoj-rpc--token))
         (request (khoj-rpc--make :method method :then then :token token :fail (or fail #'ignore)
                                  :params (append params (list :workDoneToken token)))))
    (khoj-rpc--send request)
    request))

(defun khoj-rpc-cancel (request)
  "Have REQUEST forgotten, here and by the daemon."
  (when (and request (not (khoj-rpc-request-done request)))
    (let ((sent (memq request khoj-rpc--sent)))
      (khoj-rpc--finish request)
      (when sent
        (khoj-connection-notify 'window/workDoneProgress/cancel (list :token (khoj-rpc-request-token request)))))))

(defun khoj-rpc-part-token (request)
  "The token under which REQUEST is streamed."
  (plist-get (khoj-rpc-request-params request) :partialResultToken))

(defun khoj-rpc--token ()
  "A name for a request."
  (format "khoj-%d-%d" (emacs-pid) (cl-incf khoj-rpc--next)))

(defun khoj-rpc--given (params)
  "The plist PARAMS without members that are nil."
  (cl-loop for (key value) on params by #'cddr
           when value append (list key value)))

(defun khoj-rpc--send (request)
  "Send REQUEST, or keep it until there is a connection."
  ;; What asks may be interrupted by any key; not between what is told and what is noted down.
  (let ((inhibit-quit t))
    (run-hooks 'khoj-rpc-before-ask-hook)
    (if (not (khoj-connection-ready-p))
        (progn (setq khoj-rpc--waiting (append khoj-rpc--waiting (list request)))
               (khoj-connection-open))
      (push request khoj-rpc--sent)
      (khoj-connection-request (khoj-rpc-request-method request) (khoj-rpc-request-params request)
                               (lambda (result) (khoj-rpc--done request result))
                               (lambda (failure) (khoj-rpc--failed request failure))))))

(defun khoj-rpc--guard (request function)
  "FUNCTION, which is only called while REQUEST is wanted."
  (lambda (value)
    (unless (khoj-rpc-request-done request)
      (funcall function value))))

(defun khoj-rpc-show-failure (message &rest _)
  "Show MESSAGE in the echo area."
  (message "Khoj: %s" message))


;;; Answers

(defun khoj-rpc--finish (request)
  "Forget REQUEST."
  (setf (khoj-rpc-request-done request) t)
  (setq khoj-rpc--waiting (delq request khoj-rpc--waiting)
        khoj-rpc--sent (delq request khoj-rpc--sent))
  (let ((token (khoj-rpc-request-token request)))
    (remhash token khoj-rpc--tokens)
    (remhash (concat token "-part") khoj-rpc--tokens)))

(defun khoj-rpc--done (request result)
  "Hand RESULT to whoever made REQUEST."
  (unless (khoj-rpc-request-done request)
    (khoj-rpc--finish request)
    (when (khoj-rpc-request-then request)
      (funcall (khoj-rpc-request-then request) result))))

(defun khoj-rpc--failed (request failure)
  "Tell whoever made REQUEST of FAILURE, or send it anew if it was lost."
  (unless (khoj-rpc-request-done request)
    (let ((lost (eql (plist-get failure :code) -1)))
      (if (and lost (khoj-rpc-request-again request))
          (progn (setq khoj-rpc--sent (delq request khoj-rpc--sent))
                 (khoj-rpc--send request))
        (khoj-rpc--finish request)
        (funcall (khoj-rpc-request-fail request)
                 (if lost "the connection to khojd was lost" (plist-get failure :message))
                 failure)))))

(defun khoj-rpc--fail-all (reason requests)
  "Let REQUESTS fail for REASON.  Return whether there were any."
  (dolist (request requests)
    (khoj-connection-later #'khoj-rpc--failed request (list :code -2 :message reason)))
  requests)

(defun khoj-rpc--progressed (params)
  "Hand PARAMS of `$/progress' on."
  (when-let ((function (gethash (plist-get params :token) khoj-rpc--tokens)))
    (funcall function (plist-get params :value))))

(defun khoj-rpc--connected ()
  "Send what was asked meanwhile."
  (let ((waiting khoj-rpc--waiting))
    (setq khoj-rpc--waiting nil)
    (mapc #'khoj-rpc--send waiting)))

(defun khoj-rpc--not-connected (reason)
  "Nothing can be asked, for REASON."
  (khoj-rpc--fail-all reason khoj-rpc--waiting))

(defun khoj-rpc--left ()
  "The connection is left for good."
  (khoj-rpc--fail-all "the connection was closed" (append khoj-rpc--waiting khoj-rpc--sent)))

(defun khoj-rpc--wanted-p ()
  "Whether something waits for a connection."
  khoj-rpc--waiting)


;;; Waiting

(defun khoj-rpc-await (method params &optional limit)
  "The result of METHOD with PARAMS; wait for it LIMIT seconds at most.
LIMIT defaults to `khoj-patience'.  Errors are those of `user-error'.  Quitting
cancels the request."
  (khoj-rpc--await (lambda (then fail) (khoj-rpc-ask method params :then then :fail fail)) limit))

(defun khoj-rpc-await-lsp (method params &optional limit)
  "The result of METHOD of LSP with PARAMS, as `khoj-rpc-await' with LIMIT."
  (khoj-rpc--await (lambda (then fail) (khoj-rpc-lsp method params then fail)) limit))

(defun khoj-rpc-await-unless-input (method params &optional limit)
  "As `khoj-rpc-await' for METHOD, PARAMS and LIMIT, but give up for input.
Return nil then, and when it failed."
  (let ((result (while-no-input
                  (condition-case failure
                      (list (khoj-rpc-await method params limit))
                    (user-error (message "%s" (error-message-string failure)) nil)))))
    (and (consp result) (car result))))

(defun khoj-rpc--await (ask limit)
  "Call ASK with two functions and wait LIMIT seconds until one is called."
  (let* ((answer nil)
         (deadline (+ (float-time) (or limit khoj-patience)))
         (request (funcall ask
                           (lambda (result) (setq answer (list 'ok result)))
                           (lambda (message &rest _) (setq answer (list 'failed message))))))
    (unwind-protect
        (while (and (not answer) (< (float-time) deadline))
          (accept-process-output nil 0.02))
      (unless answer (khoj-rpc-cancel request)))
    (pcase answer
      (`(ok ,result) result)
      (`(failed ,message) (user-error "Khoj: %s" message))
      (_ (user-error "Khoj: khojd has not answered within %s seconds" (or limit khoj-patience))))))

(setf (alist-get '$/progress khoj-connection-notifications) #'khoj-rpc--progressed)
;; After those that tell khojd what is in buffers.
(add-hook 'khoj-connection-ready-hook #'khoj-rpc--connected 90)
(add-hook 'khoj-connection-left-hook #'khoj-rpc--left)
(add-hook 'khoj-connection-failed-functions #'khoj-rpc--not-connected)
(add-hook 'khoj-connection-wanted-functions #'khoj-rpc--wanted-p)

(defun khoj-rpc-unload-function ()
  "Take back what loading has changed in the connection."
  (khoj-disconnect)
  (setq khoj-connection-notifications (assq-delete-all '$/progress khoj-connection-notifications))
  (remove-hook 'khoj-connection-ready-hook #'khoj-rpc--connected)
  (remove-hook 'khoj-connection-left-hook #'khoj-rpc--left)
  (remove-hook 'khoj-connection-failed-functions #'khoj-rpc--not-connected)
  (remove-hook 'khoj-connection-wanted-functions #'khoj-rpc--wanted-p)
  nil)

(provide 'khoj-rpc)
;;; khoj-rpc.el ends here
