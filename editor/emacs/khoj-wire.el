;;; khoj-wire.el --- The line to khojd  -*- lexical-binding: t; -*-

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

;; A process or a socket over which jsonrpc.el talks with khojd, and what
;; jsonrpc.el lacks: replies that come later, because a person is asked.
;; Loaded when a connection is made: jsonrpc.el takes three times as long
;; to load as all of this package.

;;; Code:

(require 'cl-lib)
(require 'jsonrpc)
(require 'subr-x)

(defvar khoj-command)
(defvar khoj-socket)

(defconst khoj-wire--install
  "khojd is not installed: install it (`pipx install khojd'), or set `khoj-command'"
  "What to do when there is no khojd.")

(defclass khoj-wire (jsonrpc-process-connection) ()
  "A line to khojd.")

(cl-defmethod jsonrpc-connection-send ((wire khoj-wire) &rest message)
  "Send MESSAGE over WIRE, unless it is a reply that is a function.
Such a function is called with another one, which is to be called with the
result, once."
  (let ((result (plist-get message :result)))
    (if (not (functionp result))
        (cl-call-next-method)
      (funcall result
               (lambda (value)
                 (when (jsonrpc-running-p wire)
                   (apply #'jsonrpc-connection-send wire (plist-put (copy-sequence message) :result value))))))))

(defun khoj-wire-open (notified requested lost)
  "A new line, over which nothing was said.
NOTIFIED and REQUESTED get what khojd says, LOST is called at the end.  Signal
an error when there is no khojd."
  (let* ((arguments (list :name "khoj"
                          :notification-dispatcher notified
                          :request-dispatcher requested
                          :on-shutdown lost
                          :process #'khoj-wire--process))
         (wire (delay-mode-hooks        ; the modes of buffers nobody sees need no colours
                 (condition-case nil
                     (apply #'make-instance 'khoj-wire :events-buffer-config '(:size 0 :format full) arguments)
                   ;; Before jsonrpc.el 1.0.21, which made no process before it saw this.
                   (invalid-slot-name
                    (apply #'make-instance 'khoj-wire :events-buffer-scrollback-size 0 arguments))))))
    ;; What is wrong is said by us, once.
    (add-function :around (process-sentinel (jsonrpc--process wire)) #'khoj-wire--quietly)
    wire))

(defun khoj-wire--quietly (sentinel &rest arguments)
  "Call SENTINEL with ARGUMENTS without messages."
  (let ((inhibit-message t) (message-log-max nil))
    (apply sentinel arguments)))

(defun khoj-wire--process ()
  "A process that speaks the protocol.  Signal an error when there is none."
  (or (and khoj-socket
           (condition-case nil
               (make-network-process :name "khoj" :family 'local :service (expand-file-name khoj-socket)
                                     :coding 'utf-8-emacs-unix :noquery t)
             (file-error nil)))
      (let ((default-directory (expand-file-name "~/")))
        (unless (executable-find (car khoj-command))
          (error "%s" (if (equal (car khoj-command) "khojd")
                          khoj-wire--install
                        (format "`khoj-command' names no program: %s" (car khoj-command)))))
        (make-process :name "khoj" :command khoj-command :connection-type 'pipe :coding 'utf-8-emacs-unix
                      :noquery t :stderr (get-buffer-create "*khoj stderr*")))))

(defun khoj-wire-cut (wire)
  "End WIRE now."
  (delete-process (jsonrpc--process wire)))

(defun khoj-wire-last-words (wire)
  "The last line that the process of WIRE said to people, or nil."
  (let ((buffer (jsonrpc-stderr-buffer wire)))
    (when (buffer-live-p buffer)
      (with-current-buffer buffer
        (let ((lines (cl-remove-if (lambda (line) (string-match-p "\\`Process .* \\(finished\\|exited\\|killed\\)" line))
                                   (split-string (buffer-string) "\n" t "[ \t]+"))))
          (and lines (string-remove-prefix "khojd: " (car (last lines)))))))))

(defun khoj-wire-bury (wire)
  "Remove the buffers of WIRE, which has ended."
  (dolist (buffer (list (process-buffer (jsonrpc--process wire)) (jsonrpc-stderr-buffer wire)
                        (get-buffer "*khoj events*")))
    (when (buffer-live-p buffer)
      (let ((kill-buffer-query-functions nil))
        (kill-buffer buffer)))))

(provide 'khoj-wire)
;;; khoj-wire.el ends here
