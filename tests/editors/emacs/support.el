;;; support.el --- What tests of the package khoj share  -*- lexical-binding: t; -*-

;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; Loaded by conftest.py into an Emacs with a terminal.  KHOJD_CONNECT is the command that attaches, KHOJD the command line with its
;; options for the index, both JSON arrays; KHOJD_NOTES is the folder of notes, KHOJD_REPORT where the results go, and what is
;; appended to KHOJD_KEYBOARD is typed in the terminal.

;;; Code:

(require 'cl-lib)
(require 'ert)
(require 'json)
(require 'khoj-rpc)

(defvar khoj-chat--running)
(defvar khoj-chat-mode)
(declare-function khoj-chat-new "khoj-chat" ())
(declare-function khoj-chat-send "khoj-chat" ())

(setq khoj-command (append (json-parse-string (getenv "KHOJD_CONNECT")) nil)
      ;; The machine may have much else to do.
      khoj-patience 60.0
      khoj-completion-patience 60.0
      mouse-1-click-follows-link t
      make-backup-files nil
      auto-save-default nil
      create-lockfiles nil
      inhibit-startup-screen t
      ring-bell-function #'ignore
      native-comp-deferred-compilation nil
      native-comp-jit-compilation nil
      enable-local-variables nil)
(add-to-list 'auto-mode-alist '("\\.md\\'" . text-mode))

(defun test-file (name)
  "The path of the note NAME."
  (expand-file-name name (getenv "KHOJD_NOTES")))

(defun test-wait (what condition &optional seconds)
  "Wait until CONDITION returns something true, and return that; WHAT says what for.
Give up after SECONDS, by default 60."
  (let ((deadline (+ (float-time) (or seconds 60))) value)
    (while (not (setq value (funcall condition)))
      (when (> (float-time) deadline)
        (error "Waited in vain for %s; the screen has\n%s" what (test-screen)))
      (accept-process-output nil 0.02))
    value))

(defun test-connect ()
  "Attach to the daemon, and wait until that is done."
  (khoj-connection-open)
  (test-wait "the daemon" #'khoj-connection-ready-p))

(defun test-cli (&rest arguments)
  "What the command line prints for ARGUMENTS, as it is run beside Emacs."
  (let ((command (append (json-parse-string (getenv "KHOJD")) arguments nil)) (buffer (generate-new-buffer " *cli*")) process)
    (setq process (make-process :name "cli" :command command :buffer buffer :noquery t))
    (test-wait (format "khojd %s" arguments) (lambda () (not (process-live-p process))))
    (with-current-buffer buffer
      (prog1 (buffer-string) (kill-buffer)))))

(defmacro test-typing (steps &rest body)
  "Run BODY while STEPS are typed.
A step is a string, for `kbd', or an expression that is waited for."
  (declare (indent 1))
  `(let* ((steps (list ,@(mapcar (lambda (step) (if (stringp step) step `(lambda () ,step))) steps)))
          (failure nil) (deadline (+ (float-time) 60)) (typing nil))
     (setq typing
           (run-at-time
            0.02 0.02
            (lambda ()
              (condition-case oops
                  (cond (failure (setq unread-command-events (listify-key-sequence (kbd "C-]"))))
                        ((> (float-time) deadline)
                         (error "Waited in vain for step %d of %S; the screen has\n%s"
                                (- ,(length steps) (length steps)) ',steps (test-screen)))
                        ((null steps) nil)
                        (unread-command-events nil)
                        ((stringp (car steps))
                         (setq unread-command-events (listify-key-sequence (kbd (pop steps)))
                               deadline (+ (float-time) 60)))
                        ((funcall (car steps)) (setq steps (cdr steps) deadline (+ (float-time) 60))))
                ((error quit)
                 ;; Out of whatever reads keys now.
                 (setq failure oops))))))
     (unwind-protect
         (condition-case oops
             (prog1 (progn ,@body)
               (when failure (signal (car failure) (cdr failure))))
           (quit (if failure (signal (car failure) (cdr failure)) (signal (car oops) (cdr oops)))))
       (cancel-timer typing))))

(defun test-press (keys)
  "Have the bytes KEYS typed in the terminal, and return t at once.
Unlike `unread-command-events' that sends the signal of \\[keyboard-quit], and clicks."
  (let ((coding-system-for-write 'no-conversion) (write-region-inhibit-fsync t))
    (write-region keys nil (getenv "KHOJD_KEYBOARD") 'append 'quiet))
  t)

(defun test-click (button where &optional window)
  "Click with mouse BUTTON, 1 to 3, at WHERE in WINDOW, or in the selected one.
WHERE is a position, or what a part of the mode line begins with."
  (redisplay t)
  (pcase-let* ((window (or window (selected-window)))
               ;; What is above the text, such as a header line, is counted by `pos-visible-in-window-p', too.
               (`(,left ,top ,_ ,bottom) (window-edges window))
               (row (1- bottom))
               (`(,column . ,row)
                (if (stringp where)
                    (cons (or (cl-loop for column from left below (frame-width)
                                       for (text . at) = (posn-string (posn-at-x-y column row (window-frame window)))
                                       when (and text at (string-prefix-p where (substring text at)))
                                       return column)
                              (error "The mode line has no %s" where))
                          row)
                  (pcase (pos-visible-in-window-p where window t)
                    (`(,x ,y . ,_) (cons (+ left x) (+ top y)))
                    (_ (error "Position %s is not to be seen" where))))))
    (dolist (end '("M" "m"))
      (test-press (format "\e[<%d;%d;%d%s" (1- button) (1+ column) (1+ row) end)))
    t))

(defun test-new ()
  "A new conversation in the selected window."
  (test-connect)
  (khoj-chat-new)
  (should khoj-chat-mode))

(defun test-ask (question)
  "Ask QUESTION, and wait for the end of the answer."
  (goto-char (point-max))
  (insert question)
  (khoj-chat-send)
  (test-wait "the end of the answer" (lambda () (not khoj-chat--running))))

(defun test-transcript ()
  "All that the buffer says."
  (buffer-substring-no-properties (point-min) (point-max)))

(defun test-here ()
  "The file and the place that the selected window shows."
  (with-current-buffer (window-buffer)
    (list buffer-file-name (point))))

(defun test-screen ()
  "The text of all windows, from the top, and the last keys."
  (concat
   (mapconcat (lambda (window)
               (with-current-buffer (window-buffer window)
                 (buffer-substring-no-properties (window-start window) (min (point-max) (window-end window t)))))
             (window-list nil t) "\n----\n")
   "\n---- keys: " (key-description (let ((keys (recent-keys))) (substring keys (max 0 (- (length keys) 20)))))))

(defun test-run ()
  "Run all tests, write what came of them, and leave."
  (unwind-protect
      (ert-run-tests-batch t)
    (let ((coding-system-for-write 'utf-8))
      (write-region (with-current-buffer (messages-buffer) (buffer-string)) nil (getenv "KHOJD_REPORT")))
    (kill-emacs 0)))

;;; support.el ends here
