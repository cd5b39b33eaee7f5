;;; khoj-rpc.el --- The connection to khojd  -*- lexical-binding: t; -*-

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
;; and made again when it is lost.  `khoj-rpc-request' asks and returns
;; at once; what comes back is handed to functions, outside of process
;; filters and in the order in which it came.  `khoj-rpc-await' waits,
;; for completion tables and for commands that cannot go on without an
;; answer; it can be quit, and has a time limit.
;;
;; Requests are cancelled by a token of our own, because jsonrpc.el did
;; not tell the ids of requests before version 1.0.29.

;;; Code:

(require 'cl-lib)
(require 'subr-x)

;; jsonrpc.el is loaded when a connection is made: it takes three times as long to load as all of this package.
(declare-function jsonrpc-async-request "jsonrpc" (connection method params &rest args))
(declare-function jsonrpc-error "jsonrpc" (&rest args))
(declare-function jsonrpc-notify "jsonrpc" (connection method params))
(declare-function jsonrpc-running-p "jsonrpc" (conn))
(declare-function jsonrpc-stderr-buffer "jsonrpc" (conn))
(declare-function jsonrpc--process "jsonrpc" (conn))

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

(defcustom khoj-patience 5.0
  "Seconds that a command waits for an answer without which it cannot go on."
  :type 'number
  :group 'khoj)

(defconst khoj-rpc-protocol 1
  "The version of the khoj/* messages that this package speaks.")

(defconst khoj-rpc--install
  "khojd is not installed: install it (`pipx install khojd'), or set `khoj-command'"
  "What to do when there is no khojd.")

(defvar khoj-rpc-ready-hook nil
  "Run when the connection was made, or made again, before anything is asked.")

(defvar khoj-rpc-lost-hook nil
  "Run when the connection was lost, or could not be made.")

(defvar khoj-rpc-before-ask-hook nil
  "Run before anything is asked, so that khojd knows the text that is meant.")

(defvar khoj-rpc-wanted-functions nil
  "Functions without arguments that say whether a lost connection is missed.")

(defvar khoj-rpc-notifications nil
  "Alist of a method, a symbol, and the function that its params go to.")

(defvar khoj-rpc-requests nil
  "Alist of a method, a symbol, and the function of its params that replies.")

(defvar khoj-rpc-problem nil
  "Why there is no connection, in one line; or nil.")

(defvar khoj-rpc--connection nil)
(defvar khoj-rpc--state nil
  "The symbol `connecting', `ready', or nil.")
(defvar khoj-rpc--hello nil
  "What the daemon said of itself.")
(defvar khoj-rpc--capabilities nil
  "What the daemon can do, as LSP has it.")
(defvar khoj-rpc--waiting nil
  "Requests to be sent when there is a connection, the oldest first.")
(defvar khoj-rpc--tokens (make-hash-table :test #'equal)
  "Functions that values of `$/progress' go to, by their tokens.")
(defvar khoj-rpc--next 0)
(defvar khoj-rpc--tries 0
  "How often it was tried in vain to connect.")
(defvar khoj-rpc--timers nil)
(defvar khoj-rpc--due nil
  "Functions to call outside of the process filter, the newest first.")

(defconst khoj-rpc--most-tries 5
  "How often it is tried to connect before giving up.")

(cl-defstruct (khoj-rpc-request (:constructor khoj-rpc--make) (:copier nil))
  "A question to khojd."
  method params then fail token again done)


;;; Talking

(cl-defun khoj-rpc-ask (method params &key then fail partial progress again)
  "Ask METHOD, a symbol, with PARAMS, a plist; return the request at once.
Members of PARAMS that are nil are left out.  THEN is called with the result,
FAIL with a message and the error, a plist; without FAIL the message is shown.
PARTIAL is called with each value that is streamed, PROGRESS with what is
reported of the work.  With AGAIN the request is sent anew when the connection
is lost meanwhile."
  (run-hooks 'khoj-rpc-before-ask-hook)
  (let* ((token (format "khoj-%d-%d" (emacs-pid) (cl-incf khoj-rpc--next)))
         (request (khoj-rpc--make :method method :then then :token token :again again
                                  :fail (or fail #'khoj-rpc--show-failure))))
    (when partial
      (puthash (concat token "-part") (khoj-rpc--guard request partial) khoj-rpc--tokens))
    (puthash token (if progress (khoj-rpc--guard request progress) #'ignore) khoj-rpc--tokens)
    (setf (khoj-rpc-request-params request)
          (append (khoj-rpc--given params) (list :workDoneToken token)
                  (and partial (list :partialResultToken (concat token "-part")))))
    (khoj-rpc--send request)
    request))

(defun khoj-rpc-lsp (method params then &optional fail)
  "Ask METHOD of LSP with PARAMS; THEN and FAIL as for `khoj-rpc-ask'."
  (run-hooks 'khoj-rpc-before-ask-hook)
  (let ((request (khoj-rpc--make :method method :params params :then then :fail (or fail #'ignore))))
    (khoj-rpc--send request)
    request))

(defun khoj-rpc-cancel (request)
  "Have REQUEST forgotten, here and by the daemon."
  (when (and request (not (khoj-rpc-request-done request)))
    (setq khoj-rpc--waiting (delq request khoj-rpc--waiting))
    (let ((token (khoj-rpc-request-token request)))
      (khoj-rpc--finish request)
      (when (and token (khoj-rpc-ready-p))
        (khoj-rpc-notify 'window/workDoneProgress/cancel (list :token token))))))

(defun khoj-rpc-part-token (request)
  "The token under which REQUEST is streamed."
  (plist-get (khoj-rpc-request-params request) :partialResultToken))

(defun khoj-rpc-notify (method params)
  "Tell METHOD with PARAMS, if there is a connection."
  (when (khoj-rpc-ready-p)
    (jsonrpc-notify khoj-rpc--connection method params)))

(defun khoj-rpc-ready-p ()
  "Whether khojd can be asked right now."
  (and (eq khoj-rpc--state 'ready) (jsonrpc-running-p khoj-rpc--connection)))

(defun khoj-rpc-can (capability)
  "What the daemon has said of CAPABILITY, a keyword of LSP."
  (let ((value (plist-get khoj-rpc--capabilities capability)))
    (and (not (eq value :json-false)) value)))

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

(defun khoj-rpc--given (params)
  "The plist PARAMS without members that are nil."
  (cl-loop for (key value) on params by #'cddr
           when value append (list key value)))

(defun khoj-rpc--send (request)
  "Send REQUEST, or keep it until there is a connection."
  (if (not (khoj-rpc-ready-p))
      (progn (setq khoj-rpc--waiting (append khoj-rpc--waiting (list request)))
             (khoj-rpc-connect))
    (condition-case failure
        (jsonrpc-async-request
         khoj-rpc--connection (khoj-rpc-request-method request) (khoj-rpc-request-params request)
         ;; No time limit of jsonrpc's: in Emacs 28 a reply that comes after it is an error.
         :timeout nil
         :success-fn (lambda (result) (khoj-rpc--later #'khoj-rpc--done request result))
         :error-fn (lambda (failure) (khoj-rpc--later #'khoj-rpc--failed request failure)))
      (file-error (khoj-rpc--later #'khoj-rpc--failed request
                                   (list :code -1 :message (error-message-string failure)))))))

(defun khoj-rpc--guard (request function)
  "FUNCTION, which is only called while REQUEST is wanted."
  (lambda (value)
    (unless (khoj-rpc-request-done request)
      (funcall function value))))

(defun khoj-rpc--finish (request)
  "Forget REQUEST."
  (setf (khoj-rpc-request-done request) t)
  (when-let ((token (khoj-rpc-request-token request)))
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
    (if (and (eql (plist-get failure :code) -1) (khoj-rpc-request-again request))
        (khoj-rpc--send request)
      (khoj-rpc--finish request)
      (funcall (khoj-rpc-request-fail request)
               (if (eql (plist-get failure :code) -1)
                   "the connection to khojd was lost"
                 (plist-get failure :message))
               failure))))

(defun khoj-rpc--show-failure (message &rest _)
  "Show MESSAGE in the echo area."
  (message "Khoj: %s" message))

(defun khoj-rpc--later (&rest call)
  "Make CALL, a function and its arguments, outside of the process filter.
What is waited for inside of it would break the reading of jsonrpc.el in Emacs
28."
  (unless khoj-rpc--due
    (run-at-time 0 nil #'khoj-rpc--drain))
  (push call khoj-rpc--due))

(defun khoj-rpc--drain ()
  "Call what is due, the oldest first."
  (let ((calls (nreverse khoj-rpc--due)))
    (setq khoj-rpc--due nil)
    (dolist (call calls)
      (with-demoted-errors "Khoj: %S"
        (apply call)))))


;;; Listening

(defun khoj-rpc--notified (connection method params)
  "Hand PARAMS of the notification METHOD over CONNECTION on."
  (when (eq connection khoj-rpc--connection)
    (if (eq method '$/progress)
        (when-let ((function (gethash (plist-get params :token) khoj-rpc--tokens)))
          (khoj-rpc--later function (plist-get params :value)))
      (when-let ((function (alist-get method khoj-rpc-notifications)))
        (khoj-rpc--later function params)))))

(defun khoj-rpc--requested (_connection method params)
  "Reply to the request METHOD of the daemon with PARAMS."
  (let ((function (alist-get method khoj-rpc-requests)))
    (cond (function (funcall function params))
          ((memq method '(window/workDoneProgress/create client/registerCapability client/unregisterCapability)) nil)
          ((eq method 'workspace/configuration) (make-vector (length (plist-get params :items)) nil))
          (t (jsonrpc-error :code -32601 :message (format "%s is not known to khoj.el" method))))))


;;; Connecting

(defun khoj-rpc-connect ()
  "Attach to khojd, unless that is done or under way; return at once."
  (unless khoj-rpc--state
    (khoj-rpc--stop-timers)
    (setq khoj-rpc-problem nil)
    (condition-case failure
        (progn
          ;; Before the connection is there, as replies may come while it is made.
          (setq khoj-rpc--state 'connecting
                khoj-rpc--connection (khoj-rpc--open))
          (khoj-rpc--initialize khoj-rpc--connection))
      (error
       ;; A process that has ended by now says why to `khoj-rpc--lost'.
       (unless khoj-rpc--connection
         (setq khoj-rpc--state nil khoj-rpc--tries khoj-rpc--most-tries)
         (khoj-rpc--later #'khoj-rpc--give-up (error-message-string failure)))))))

(defun khoj-rpc--open ()
  "A new connection, over which nothing was said."
  (require 'jsonrpc)
  (let ((arguments (list :name "khoj"
                         :notification-dispatcher #'khoj-rpc--notified
                         :request-dispatcher #'khoj-rpc--requested
                         :on-shutdown #'khoj-rpc--lost
                         :process #'khoj-rpc--process)))
    (let ((connection
           (condition-case nil
               (apply #'make-instance 'jsonrpc-process-connection
                      :events-buffer-config '(:size 0 :format full) arguments)
             ;; Before jsonrpc.el 1.0.21, which made no process before it saw this.
             (invalid-slot-name
              (apply #'make-instance 'jsonrpc-process-connection
                     :events-buffer-scrollback-size 0 arguments)))))
      ;; What is wrong is said by us, once.
      (add-function :around (process-sentinel (jsonrpc--process connection)) #'khoj-rpc--quietly)
      connection)))

(defun khoj-rpc--quietly (sentinel &rest arguments)
  "Call SENTINEL with ARGUMENTS without messages."
  (let ((inhibit-message t) (message-log-max nil))
    (apply sentinel arguments)))

(defun khoj-rpc--process ()
  "A process that speaks the protocol.  Signal an error when there is none."
  (or (and khoj-socket
           (condition-case nil
               (make-network-process :name "khoj" :family 'local :service (expand-file-name khoj-socket)
                                     :coding 'utf-8-emacs-unix :noquery t)
             (file-error nil)))
      (let ((default-directory (expand-file-name "~/")))
        (unless (executable-find (car khoj-command))
          (error "%s" (if (equal (car khoj-command) "khojd")
                          khoj-rpc--install
                        (format "`khoj-command' names no program: %s" (car khoj-command)))))
        (make-process :name "khoj" :command khoj-command :connection-type 'pipe :coding 'utf-8-emacs-unix
                      :noquery t :stderr (get-buffer-create "*khoj stderr*")))))

(defun khoj-rpc--initialize (connection)
  "Say hello over CONNECTION."
  (jsonrpc-async-request
   connection :initialize
   (list :processId (emacs-pid)
         :rootUri nil
         :clientInfo (list :name "Emacs" :version emacs-version)
         :capabilities
         '( :general (:positionEncodings ["utf-32"])
            :workspace ( :applyEdit t
                         :workspaceEdit (:documentChanges t :resourceOperations ["create"]))
            :textDocument ( :synchronization (:didSave t)
                            :hover (:contentFormat ["plaintext"]))
            :window (:showDocument (:support t)))
         :initializationOptions
         (list :khoj (list :protocol khoj-rpc-protocol :client (format "khoj.el on Emacs %s" emacs-version)
                           :features '(:diagnostics :json-false))))
   :timeout nil
   :success-fn (lambda (reply) (khoj-rpc--later #'khoj-rpc--welcomed connection reply))
   :error-fn (lambda (failure)
               (unless (eql (plist-get failure :code) -1) ; the connection is lost, of which we hear anyway
                 (khoj-rpc--later #'khoj-rpc--refused connection (plist-get failure :message)))))
  (push (run-at-time 60 nil #'khoj-rpc--refused connection "khojd does not answer; its log may say why") khoj-rpc--timers))

(defun khoj-rpc--welcomed (connection reply)
  "CONNECTION is ready, if REPLY is khojd's."
  (when (eq connection khoj-rpc--connection)
    (let* ((capabilities (plist-get reply :capabilities))
           (hello (plist-get (plist-get capabilities :experimental) :khoj))
           (lowest (and hello (aref (plist-get hello :protocol) 0))))
      (cond
       ((not hello)
        (khoj-rpc--refused connection (format "%s is not khojd" (string-join khoj-command " "))))
       ((< khoj-rpc-protocol lowest)
        (khoj-rpc--refused connection (format "khojd %s is too new for this package: update the package `khoj'"
                                              (plist-get hello :version))))
       (t
        (khoj-rpc--stop-timers)
        (jsonrpc-notify connection :initialized (make-hash-table))
        (setq khoj-rpc--state 'ready
              khoj-rpc--hello hello
              khoj-rpc--capabilities capabilities
              khoj-rpc--tries 0)
        (run-hooks 'khoj-rpc-ready-hook)
        (let ((waiting khoj-rpc--waiting))
          (setq khoj-rpc--waiting nil)
          (mapc #'khoj-rpc--send waiting)))))))

(defun khoj-rpc--refused (connection reason)
  "Give CONNECTION up for REASON."
  (when (and (eq connection khoj-rpc--connection) (eq khoj-rpc--state 'connecting))
    (setq khoj-rpc--connection nil khoj-rpc--state nil khoj-rpc--tries khoj-rpc--most-tries)
    (delete-process (jsonrpc--process connection))
    (khoj-rpc--give-up reason)))

(defun khoj-rpc--lost (connection)
  "CONNECTION has ended."
  (when (or (eq connection khoj-rpc--connection)
            (and (eq khoj-rpc--state 'connecting) (not khoj-rpc--connection)))
    (let ((was-ready (eq khoj-rpc--state 'ready)))
      (setq khoj-rpc--connection nil khoj-rpc--state nil)
      (khoj-rpc--stop-timers)
      ;; After the last words of the process, and after the failures of what was asked.
      (push (run-at-time 0.1 nil #'khoj-rpc--mourn connection was-ready) khoj-rpc--timers))))

(defun khoj-rpc--mourn (connection was-ready)
  "Connect again after CONNECTION, WAS-READY or not, if that is of use."
  (let ((words (khoj-rpc--last-words connection)))
    (khoj-rpc--bury connection)
    (unless was-ready (cl-incf khoj-rpc--tries))
    (run-hooks 'khoj-rpc-lost-hook)
    (cond
     (khoj-rpc--state nil)              ; somebody asked, so that a new one is being made
     ((>= khoj-rpc--tries (if was-ready khoj-rpc--most-tries 2))
      (khoj-rpc--give-up (or words "khojd ended at once; `khojd doctor' in a shell says why")))
     ((or khoj-rpc--waiting (run-hook-with-args-until-success 'khoj-rpc-wanted-functions))
      (push (run-at-time (* 0.4 (expt 2 khoj-rpc--tries)) nil #'khoj-rpc-connect) khoj-rpc--timers)))))

(defun khoj-rpc--last-words (connection)
  "The last line that the process of CONNECTION said to people, or nil."
  (let ((buffer (jsonrpc-stderr-buffer connection)))
    (when (buffer-live-p buffer)
      (with-current-buffer buffer
        (let ((lines (cl-remove-if (lambda (line) (string-match-p "\\`Process .* \\(finished\\|exited\\|killed\\)" line))
                                   (split-string (buffer-string) "\n" t "[ \t]+"))))
          (and lines (string-remove-prefix "khojd: " (car (last lines)))))))))

(defun khoj-rpc--bury (connection)
  "Remove the buffers of CONNECTION."
  (dolist (buffer (list (process-buffer (jsonrpc--process connection)) (jsonrpc-stderr-buffer connection)
                        (get-buffer "*khoj events*")))
    (when (buffer-live-p buffer)
      (let ((kill-buffer-query-functions nil))
        (kill-buffer buffer)))))

(defun khoj-rpc--give-up (reason)
  "Say REASON once, and let all requests fail with it."
  (setq khoj-rpc-problem reason)
  (let ((waiting khoj-rpc--waiting))
    (setq khoj-rpc--waiting nil khoj-rpc--tries 0)
    (if (not waiting)
        (khoj-rpc--show-failure reason)
      (dolist (request waiting)
        (khoj-rpc--failed request (list :code -2 :message reason)))))
  (run-hooks 'khoj-rpc-lost-hook))

(defun khoj-rpc--stop-timers ()
  "Stop what was to be done about the connection."
  (mapc #'cancel-timer khoj-rpc--timers)
  (setq khoj-rpc--timers nil))

;;;###autoload
(defun khoj-disconnect ()
  "Leave khojd, which stays for others.
The next command of this package attaches to it again."
  (interactive)
  (khoj-rpc--stop-timers)
  (let ((connection khoj-rpc--connection))
    (setq khoj-rpc--connection nil khoj-rpc--state nil khoj-rpc--waiting nil khoj-rpc--tries 0)
    (clrhash khoj-rpc--tokens)
    (when connection
      (ignore-errors (jsonrpc-notify connection :exit nil))
      (delete-process (jsonrpc--process connection))
      (khoj-rpc--bury connection))
    (run-hooks 'khoj-rpc-lost-hook)))

;;;###autoload
(defun khoj-reconnect ()
  "Attach to khojd anew, after its settings or `khoj-command' have changed."
  (interactive)
  (khoj-disconnect)
  (khoj-rpc-connect))

(defun khoj-rpc-unload-function ()
  "Leave khojd before the package is unloaded."
  (khoj-disconnect)
  (cancel-function-timers #'khoj-rpc--drain)
  nil)

(provide 'khoj-rpc)
;;; khoj-rpc.el ends here
