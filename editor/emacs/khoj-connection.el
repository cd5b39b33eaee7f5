;;; khoj-connection.el --- Attaching to khojd  -*- lexical-binding: t; -*-

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

;; One connection for all of Emacs, made when something is first asked
;; and made again when it is lost and missed.  What khojd says is handed
;; to the functions that wait for it, outside of process filters and in
;; the order in which it came.

;;; Code:

(require 'cl-lib)
(require 'subr-x)

(declare-function jsonrpc-async-request "jsonrpc" (connection method params &rest args))
(declare-function jsonrpc-error "jsonrpc" (&rest args))
(declare-function jsonrpc-notify "jsonrpc" (connection method params))
(declare-function jsonrpc-running-p "jsonrpc" (conn))
(declare-function khoj-wire-bury "khoj-wire" (wire))
(declare-function khoj-wire-cut "khoj-wire" (wire))
(declare-function khoj-wire-last-words "khoj-wire" (wire))
(declare-function khoj-wire-open "khoj-wire" (notified requested lost))

(defgroup khoj nil
  "Search your notes and ask them questions, through khojd."
  :group 'applications
  :prefix "khoj-")

(defcustom khoj-command '("khojd" "connect")
  "The command that attaches Emacs to khojd, and starts that if need be.
Options such as \"--config\" and a file name can be added."
  :type '(repeat string)
  :group 'khoj)

(defcustom khoj-socket nil
  "The socket of a khojd that runs, or nil to find one by `khoj-command'.
Where nothing listens at the socket, `khoj-command' is run."
  :type '(choice (const :tag "Found by the command" nil) file)
  :group 'khoj)

(defcustom khoj-folders nil
  "Folders of notes that khojd is told of.
Before it reads one that its configuration does not have it asks, and keeps the
answer.  Folders can also be added by `khoj-index-add-folder'."
  :type '(repeat directory)
  :group 'khoj)

(defconst khoj-connection-protocol 1
  "The version of the khoj/* messages that this package speaks.")

(defvar khoj-connection-ready-hook nil
  "Run when the connection was made, or made again.
What tells khojd of buffers comes before what asks.")

(defvar khoj-connection-lost-hook nil
  "Run when the connection was lost, or could not be made.")

(defvar khoj-connection-left-hook nil
  "Run when the connection is left for good.")

(defvar khoj-connection-failed-functions nil
  "Functions that are told why there will be no connection.
When none of them returns non-nil the reason is shown.")

(defvar khoj-connection-wanted-functions nil
  "Functions without arguments that say whether a lost connection is missed.")

(defvar khoj-connection-notifications nil
  "Alist of a method, a symbol, and the function that its params go to.")

(defvar khoj-connection-requests nil
  "Alist of a method, a symbol, and the function of its params that replies.
A reply that is a function comes later: it is called with a function, which is
to be called with the result.")

(defvar khoj-connection-problem nil
  "Why there is no connection, in one line; or nil.")

(defvar khoj-connection--wire nil)
(defvar khoj-connection--state nil
  "The symbol `connecting', `ready', or nil.")
(defvar khoj-connection--tries 0
  "How often it was tried in vain to connect.")
(defvar khoj-connection--timers nil)
(defvar khoj-connection--retired nil
  "Whether a khojd that was too old was `asked' to leave, or has done so.")
(defvar khoj-connection--due nil
  "Functions to call outside of the process filter, the newest first.")

(defconst khoj-connection--most-tries 5
  "How often it is tried to connect before giving up.")

(defun khoj-connection-ready-p ()
  "Whether khojd can be asked right now."
  (and (eq khoj-connection--state 'ready) (jsonrpc-running-p khoj-connection--wire)))

(defun khoj-connection-notify (method params)
  "Tell METHOD with PARAMS, if there is a connection."
  (when (khoj-connection-ready-p)
    (jsonrpc-notify khoj-connection--wire method params)))

(defun khoj-connection-request (method params then fail)
  "Ask METHOD with PARAMS; call THEN with the result, or FAIL with the error.
The connection must be ready."
  (condition-case failure
      (jsonrpc-async-request
       khoj-connection--wire method params
       ;; No time limit of jsonrpc's: in Emacs 28 a reply that comes after it is an error.
       :timeout nil
       :success-fn (lambda (result) (khoj-connection-later then result))
       :error-fn (lambda (failure) (khoj-connection-later fail failure)))
    (file-error (khoj-connection-later fail (list :code -1 :message (error-message-string failure))))))


;;; Listening

(defmacro khoj-connection-keeping-quit (&rest body)
  "Run BODY, the work of a timer, so that \\[keyboard-quit] meanwhile is not lost.
Timers inhibit quitting, but Emacs allows it where a mode turns colours on, and
when it displays what a timer has done: a quit there would end the timer, or the
display, and not what somebody does in the minibuffer."
  (declare (indent 0))
  `(prog1 (condition-case nil
              (progn ,@body)
            (quit (setq quit-flag t)
                  nil))
     (khoj-connection--hand-quit-on)))

(defun khoj-connection--hand-quit-on ()
  "Have a quit that is pending read as the key it was, if Emacs waits for keys."
  (when (and (eq quit-flag t) (current-idle-time))
    (setq quit-flag nil
          unread-command-events (append unread-command-events (list (nth 3 (current-input-mode)))))))

(defun khoj-connection-later (&rest call)
  "Make CALL, a function and its arguments, outside of the process filter.
What is waited for inside of it would break the reading of jsonrpc.el in Emacs
28."
  (unless khoj-connection--due
    (run-at-time 0 nil #'khoj-connection--drain))
  (push call khoj-connection--due))

(defun khoj-connection--drain ()
  "Call what is due, the oldest first."
  (let ((calls (nreverse khoj-connection--due)))
    (setq khoj-connection--due nil)
    (dolist (call calls)
      (khoj-connection-keeping-quit
        (with-demoted-errors "Khoj: %S"
          (apply call))))))

(defun khoj-connection--notified (wire method params)
  "Hand PARAMS of the notification METHOD over WIRE on."
  (when (eq wire khoj-connection--wire)
    (when-let ((function (alist-get method khoj-connection-notifications)))
      (khoj-connection-later function params))))

(defun khoj-connection--requested (_wire method params)
  "Reply to the request METHOD of the daemon with PARAMS."
  (let ((function (alist-get method khoj-connection-requests)))
    (cond (function (or (khoj-connection-keeping-quit (funcall function params))
                        (jsonrpc-error :code -32603 :message "it was quit in Emacs")))
          ((memq method '(window/workDoneProgress/create client/registerCapability client/unregisterCapability)) nil)
          ((eq method 'workspace/configuration) (make-vector (length (plist-get params :items)) nil))
          (t (jsonrpc-error :code -32601 :message (format "%s is not known to khoj.el" method))))))


;;; Connecting

(defun khoj-connection-open ()
  "Attach to khojd, unless that is done or under way; return at once."
  (unless khoj-connection--state
    (khoj-connection--stop-timers)
    (setq khoj-connection-problem nil)
    (condition-case failure
        ;; Asked by `while-no-input' this would stop halfway for a key, with nobody left to go on.
        (let ((inhibit-quit t))
          (require 'khoj-wire)
          (require 'khoj-notice)
          ;; Before the connection is there, as replies may come while it is made.
          (setq khoj-connection--state 'connecting
                khoj-connection--wire (khoj-wire-open #'khoj-connection--notified #'khoj-connection--requested
                                                      #'khoj-connection--lost))
          (khoj-connection--initialize khoj-connection--wire))
      (error
       ;; A process that has ended by now says why to `khoj-connection--lost'.
       (unless khoj-connection--wire
         (setq khoj-connection--state nil khoj-connection--tries khoj-connection--most-tries)
         (khoj-connection-later #'khoj-connection--give-up (error-message-string failure)))))))

(defun khoj-connection--initialize (wire)
  "Say hello over WIRE."
  (jsonrpc-async-request
   wire :initialize
   (list :processId (emacs-pid)
         :rootUri nil
         :clientInfo (list :name "Emacs" :version emacs-version)
         :capabilities
         '( :general (:positionEncodings ["utf-32"])
            :workspace ( :applyEdit t
                         :workspaceEdit (:documentChanges t :resourceOperations ["create"]))
            :textDocument ( :synchronization (:didSave t)
                            :hover (:contentFormat ["plaintext"]))
            :window ( :showDocument (:support t)
                      :showMessage (:messageActionItem (:additionalPropertiesSupport :json-false))))
         :initializationOptions
         (list :khoj (list :protocol khoj-connection-protocol
                           :client (format "khoj.el on Emacs %s" emacs-version)
                           :folders (vconcat (mapcar #'expand-file-name khoj-folders))
                           :features '(:diagnostics :json-false))))
   :timeout nil
   :success-fn (lambda (reply) (khoj-connection-later #'khoj-connection--welcomed wire reply))
   :error-fn (lambda (failure)
               (unless (eql (plist-get failure :code) -1) ; the connection is lost, of which we hear anyway
                 (khoj-connection-later #'khoj-connection--refused wire (plist-get failure :message)))))
  (push (run-at-time 60 nil #'khoj-connection--refused wire "khojd does not answer; its log may say why")
        khoj-connection--timers))

(defun khoj-connection--welcomed (wire reply)
  "WIRE is ready, if REPLY is khojd's."
  (when (eq wire khoj-connection--wire)
    (let* ((hello (plist-get (plist-get (plist-get reply :capabilities) :experimental) :khoj))
           (versions (plist-get hello :protocol)))
      (jsonrpc-notify wire :initialized (make-hash-table))
      (cond
       ((not hello)
        (khoj-connection--refused wire (format "%s is not khojd" (string-join khoj-command " "))))
       ((< khoj-connection-protocol (aref versions 0))
        (khoj-connection--refused wire (format "khojd %s is too new for this package: update the package `khoj'"
                                               (plist-get hello :version))))
       ((and (> khoj-connection-protocol (aref versions 1)) (not khoj-connection--retired))
        (khoj-connection--retire wire hello))
       (t (khoj-connection--begin wire hello))))))

(defun khoj-connection--begin (wire hello)
  "WIRE is ready; khojd has said HELLO."
  (when (eq wire khoj-connection--wire)
    (khoj-connection--stop-timers)
    (setq khoj-connection--state 'ready
          khoj-connection--tries 0)
    (when (> khoj-connection-protocol (aref (plist-get hello :protocol) 1))
      (message "Khoj: khojd %s is older than this package, and may lack what that asks for: update it"
               (plist-get hello :version)))
    (run-hooks 'khoj-connection-ready-hook)))

(defun khoj-connection--retire (wire hello)
  "Have the khojd of WIRE, which said HELLO, make way for the one installed now.
That is done once; where others use it, it is used as it is."
  (setq khoj-connection--retired 'asked)
  (jsonrpc-async-request
   wire 'khoj/daemon/retire (make-hash-table)
   :timeout nil
   :success-fn (lambda (reply)
                 ;; When it leaves, the end of the connection has the next one made.
                 (unless (eq (plist-get reply :retiring) t)
                   (khoj-connection-later #'khoj-connection--begin wire hello)))
   :error-fn (lambda (failure)
               (unless (eql (plist-get failure :code) -1)
                 (khoj-connection-later #'khoj-connection--begin wire hello)))))

(defun khoj-connection--refused (wire reason)
  "Give WIRE up for REASON."
  (when (and (eq wire khoj-connection--wire) (eq khoj-connection--state 'connecting))
    (setq khoj-connection--wire nil khoj-connection--state nil khoj-connection--tries khoj-connection--most-tries)
    (khoj-wire-cut wire)
    (khoj-connection--give-up reason)))

(defun khoj-connection--lost (wire)
  "WIRE has ended."
  (when (or (eq wire khoj-connection--wire)
            (and (eq khoj-connection--state 'connecting) (not khoj-connection--wire)))
    (let ((was-ready (eq khoj-connection--state 'ready)))
      (setq khoj-connection--wire nil khoj-connection--state nil)
      (khoj-connection--stop-timers)
      ;; After the last words of the process, and after the failures of what was asked.
      (push (run-at-time 0.1 nil #'khoj-connection--mourn wire was-ready) khoj-connection--timers))))

(defun khoj-connection--mourn (wire was-ready)
  "Connect again after WIRE, WAS-READY or not, if that is of use."
  (let ((words (khoj-wire-last-words wire)))
    (khoj-wire-bury wire)
    (unless was-ready (cl-incf khoj-connection--tries))
    (run-hooks 'khoj-connection-lost-hook)
    (cond
     (khoj-connection--state nil)       ; somebody asked, so that a new one is being made
     ((eq khoj-connection--retired 'asked)
      (setq khoj-connection--retired t)
      (khoj-connection-open))
     ((>= khoj-connection--tries (if was-ready khoj-connection--most-tries 2))
      (khoj-connection--give-up (or words "khojd ended at once; `khojd doctor' in a shell says why")))
     ((run-hook-with-args-until-success 'khoj-connection-wanted-functions)
      (push (run-at-time (* 0.4 (expt 2 khoj-connection--tries)) nil #'khoj-connection-open) khoj-connection--timers)))))

(defun khoj-connection--give-up (reason)
  "Say REASON once, and let all that was asked fail with it."
  (setq khoj-connection-problem reason khoj-connection--tries 0)
  (unless (run-hook-with-args-until-success 'khoj-connection-failed-functions reason)
    (message "Khoj: %s" reason))
  (run-hooks 'khoj-connection-lost-hook))

(defun khoj-connection--stop-timers ()
  "Stop what was to be done about the connection."
  (mapc #'cancel-timer khoj-connection--timers)
  (setq khoj-connection--timers nil))

;;;###autoload
(defun khoj-disconnect ()
  "Leave khojd, which stays for others.
The next command of this package attaches to it again."
  (interactive)
  (khoj-connection--stop-timers)
  (let ((wire khoj-connection--wire))
    (setq khoj-connection--wire nil khoj-connection--state nil khoj-connection--tries 0)
    (run-hooks 'khoj-connection-left-hook)
    (when wire
      (ignore-errors (jsonrpc-notify wire :exit nil))
      (khoj-wire-cut wire)
      (khoj-wire-bury wire))
    (run-hooks 'khoj-connection-lost-hook)))

;;;###autoload
(defun khoj-reconnect ()
  "Attach to khojd anew, after its settings or `khoj-command' have changed."
  (interactive)
  (khoj-disconnect)
  (setq khoj-connection--retired nil)
  (khoj-connection-open))

(defun khoj-connection-unload-function ()
  "Leave khojd before the package is unloaded."
  (khoj-disconnect)
  (cancel-function-timers #'khoj-connection--drain)
  nil)

(provide 'khoj-connection)
;;; khoj-connection.el ends here
