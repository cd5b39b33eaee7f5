;;; emacs.el --- What is measured in Emacs  -*- lexical-binding: t; -*-

;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; Loaded by emacs.py into an Emacs in a terminal, in which that types.  What happens is said in lines of the file
;; KHOJD_BENCH_SAID, each a JSON array that begins with what it is.

;;; Code:

(require 'json)
(require 'khoj)
(require 'khoj-mode)
(require 'khoj-search)

(setq khoj-command (append (json-parse-string (getenv "KHOJD_CONNECT")) nil)
      make-backup-files nil
      auto-save-default nil
      create-lockfiles nil
      inhibit-startup-screen t
      ring-bell-function #'ignore
      native-comp-deferred-compilation nil
      native-comp-jit-compilation nil
      enable-local-variables nil)

(defun bench-say (&rest what)
  "Write WHAT to whoever measures."
  (let ((coding-system-for-write 'utf-8) (write-region-inhibit-fsync t))
    (write-region (concat (json-serialize (vconcat what)) "\n") nil (getenv "KHOJD_BENCH_SAID") 'append 'quiet)))

(defvar bench-shown nil
  "The query whose hits were painted last.")

(defun bench-paint (buffer)
  "Paint now what the minibuffer BUFFER has, and say when that was done."
  (let ((query (khoj-session-query khoj-candidate-session)))
    (when (and (khoj-session-hits khoj-candidate-session)
               (not (equal query bench-shown))
               (equal query (with-current-buffer buffer (minibuffer-contents-no-properties))))
      (setq bench-shown query)
      (redisplay t)
      (bench-say "painted" (float-time) query))))

(advice-add 'khoj-search--refresh :after #'bench-paint)
(add-hook 'minibuffer-setup-hook (lambda () (setq bench-shown nil) (bench-say "reading" (float-time))))

(defun bench-search ()
  "Search, whatever comes of it."
  (interactive)
  (condition-case nil (khoj-search) (quit nil))
  (bench-say "left" (float-time)))

(defvar bench-told nil
  "How long each flush took.")

(advice-add 'khoj-mode-flush :around
            (lambda (flush)
              (if (not khoj-mode--dirty) (funcall flush)
                (let ((start (float-time)))
                  (funcall flush)
                  (push (- (float-time) start) bench-told)))))

(defun bench-open ()
  "Show the large note."
  (interactive)
  (find-file (getenv "KHOJD_BENCH_LARGE"))
  (goto-char (/ (point-max) 2))
  (end-of-line)
  (when (fboundp 'org-fold-show-all) (with-no-warnings (org-fold-show-all)))
  (garbage-collect)
  (bench-say "open" (float-time) (buffer-size)))

(defun bench-mode ()
  "Turn the mode on or off, and say so once khojd knows."
  (interactive)
  (khoj-mode 'toggle)
  (while (and khoj-mode (not khoj-mode--uri))
    (accept-process-output nil 0.05))
  (setq bench-told nil)
  (garbage-collect)
  (bench-say "mode" (float-time) (if khoj-mode t :false)))

(defun bench-used ()
  "Say how much processor time Emacs has used, and how long each flush took."
  (interactive)
  (bench-say "used" (float-time) (float-time (get-internal-run-time)) (vconcat bench-told)))

(global-set-key (kbd "<f5>") #'bench-search)
(global-set-key (kbd "<f6>") #'bench-open)
(global-set-key (kbd "<f7>") #'bench-mode)
(global-set-key (kbd "<f8>") #'bench-used)
(khoj-connection-open)
(let ((limit (+ (float-time) 60)))
  (while (not (or (khoj-connection-ready-p) (> (float-time) limit)))
    (accept-process-output nil 0.05)))
(when (getenv "KHOJD_BENCH_FIDO") (fido-mode 1))
(bench-say "there" (float-time) (if (khoj-connection-ready-p) t :false))

;;; emacs.el ends here
