;;; khoj-index.el --- The files of khojd and their states  -*- lexical-binding: t; -*-

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

;; `khoj-index' lists all files with their state and its reason, the
;; failed ones first, and has keys for what can be done.

;;; Code:

(require 'cl-lib)
(require 'khoj-place)
(require 'khoj-rpc)
(require 'khoj-status)
(require 'tabulated-list)

(defvar khoj-index-mode-map
  (let ((map (make-sparse-keymap)))
    (define-key map (kbd "RET") #'khoj-index-visit)
    (define-key map "u" #'khoj-index-update-file)
    (define-key map "U" #'khoj-index-update)
    (define-key map "p" #'khoj-index-pause)
    (define-key map "/" #'khoj-index-only)
    (define-key map "c" #'khoj-open-config)
    (define-key map "L" #'khoj-open-log)
    (define-key map "+" #'khoj-index-add-folder)
    (define-key map "?" #'khoj-index-why)
    map)
  "Keys in the list of files.")

(defvar-local khoj-index--states nil
  "The states that are listed, or nil for all.")

(defvar-local khoj-index--cost 0
  "Seconds that it took to list the files.")

(defvar khoj-index--timer nil
  "What lists the files anew.")

(define-derived-mode khoj-index-mode tabulated-list-mode "Khoj-Index"
  "All files that khojd knows, with their states.

\\<khoj-index-mode-map>\\[khoj-index-visit] visits the file, \
\\[khoj-index-update-file] has it read anew, \\[khoj-index-update] all of them,
\\[khoj-index-pause] pauses indexing or lets it go on, \\[khoj-index-only] lists one state only,
\\[khoj-index-why] says why the file has its state, \\[khoj-index-add-folder] adds a folder,
\\[khoj-open-config] visits the configuration and \\[khoj-open-log] the log."
  :interactive nil
  (setq tabulated-list-format
        [("State" 8 khoj-index--worse-p) ("File" 40 t) ("Entries" 7 nil :right-align t) ("Since" 16 t) ("Reason" 0 t)]
        tabulated-list-sort-key '("State")
        revert-buffer-function (lambda (&rest _) (khoj-index--ask (current-buffer))))
  (setq header-line-format nil)
  (tabulated-list-init-header)
  (add-hook 'khoj-status-hook #'khoj-index--status-changed)
  (add-hook 'kill-buffer-hook (lambda () (remove-hook 'khoj-status-hook #'khoj-index--status-changed)) nil t))

(defconst khoj-index--order '("failed" "pending" "skipped" "indexed")
  "States, the worst first.")

(defun khoj-index--worse-p (one other)
  "Whether the row ONE comes before OTHER."
  (< (or (cl-position (substring-no-properties (aref (cadr one) 0)) khoj-index--order :test #'equal) 9)
     (or (cl-position (substring-no-properties (aref (cadr other) 0)) khoj-index--order :test #'equal) 9)))

;;;###autoload
(defun khoj-index ()
  "List all files with their states, and what can be done about them."
  (interactive)
  (let ((buffer (get-buffer-create "*khoj index*")))
    (with-current-buffer buffer
      (unless (derived-mode-p 'khoj-index-mode)
        (khoj-index-mode)))
    (pop-to-buffer buffer)
    (khoj-index--ask buffer)))

(defun khoj-index--ask (buffer)
  "Fill BUFFER with the files as they are now."
  (khoj-rpc-ask 'khoj/index/files (list :states (buffer-local-value 'khoj-index--states buffer))
                :again t
                :then (lambda (result)
                        (when (buffer-live-p buffer)
                          (with-current-buffer buffer
                            (khoj-index--show (plist-get result :files)))))))

(defun khoj-index--show (files)
  "List FILES in this buffer."
  (let ((start (float-time))
        ;; Of many thousand rows, three quarters of the time would go to collections.
        (gc-cons-threshold most-positive-fixnum))
    (setq tabulated-list-entries (mapcar #'khoj-index--row files))
    (tabulated-list-print t t)
    (khoj-index--head)
    (setq khoj-index--cost (- (float-time) start))))

(defun khoj-index--row (file)
  "FILE as a row."
  (let ((state (plist-get file :state)) (notes (append (plist-get file :notes) nil)))
    (list file
          (vector (propertize state 'face (pcase state ("failed" 'error) ("pending" 'warning) ("skipped" 'shadow) (_ 'success)))
                  (concat (abbreviate-file-name (plist-get file :path))
                          (if (eq (plist-get file :unsaved) t) " ●" ""))
                  (number-to-string (plist-get file :entries))
                  (format-time-string "%F %R" (plist-get file :since))
                  (string-join (delete "" (cons (plist-get file :reason) notes)) "; ")))))

(defun khoj-index--head ()
  "Say above the list how the index is."
  (setq mode-line-process (concat ": " (replace-regexp-in-string "%" "%%" (car (khoj-status-summary)))))
  (force-mode-line-update))

(defun khoj-index--status-changed ()
  "Show files anew where they are listed, in a moment.
While many are read that takes no more than a small part of the time."
  (when-let ((buffer (get-buffer "*khoj index*")))
    (unless (or khoj-index--timer (not (get-buffer-window buffer t)))
      (setq khoj-index--timer
            (run-at-time (* 20 (buffer-local-value 'khoj-index--cost buffer)) nil #'khoj-index--again buffer)))))

(defun khoj-index--again (buffer)
  "List the files in BUFFER anew."
  (setq khoj-index--timer nil)
  (when (buffer-live-p buffer)
    (khoj-index--ask buffer)))

(defun khoj-index--file ()
  "The file of this line."
  (or (tabulated-list-get-id) (user-error "Khoj: no file in this line")))

(defun khoj-index-visit ()
  "Visit the file of this line."
  (interactive)
  (find-file-other-window (plist-get (khoj-index--file) :path)))

(defun khoj-index-why ()
  "Say why the file of this line has its state."
  (interactive)
  (let* ((file (khoj-index--file)) (reason (plist-get file :reason)))
    (message "%s is %s%s" (abbreviate-file-name (plist-get file :path)) (plist-get file :state)
             (if (string-empty-p reason) "" (concat ": " reason)))))

(defun khoj-index-only (state)
  "List files of STATE only; all of them for an empty one."
  (interactive (list (completing-read "Only files that are (empty for all): " khoj-index--order nil t)))
  (setq khoj-index--states (and (not (string-empty-p state)) (vector state)))
  (khoj-index--ask (current-buffer)))

(defun khoj-index-update-file ()
  "Have the file of this line read anew."
  (interactive)
  (khoj-index-update (plist-get (khoj-index--file) :path)))

;;;###autoload
(defun khoj-index-update (&optional path)
  "Have khojd look at all files again, or at PATH only."
  (interactive)
  (let ((reporter (make-progress-reporter "Khoj: reading notes...")))
    (khoj-rpc-ask 'khoj/index/update (list :paths (and path (vector path)))
                  :progress (lambda (value) (progress-reporter-update reporter nil (plist-get value :message)))
                  :then (lambda (result)
                          (khoj-index--status-changed)
                          (message "Khoj: %d added, %d changed, %d removed, %d failed, in %.1f s"
                                   (plist-get result :added) (plist-get result :changed) (plist-get result :removed)
                                   (plist-get result :failed) (/ (plist-get result :tookMs) 1000.0))))))

;;;###autoload
(defun khoj-index-pause ()
  "Pause indexing, or let it go on."
  (interactive)
  (khoj-rpc-ask (if (eq (plist-get khoj-status :paused) t) 'khoj/index/resume 'khoj/index/pause) nil
                :then (lambda (status)
                        (khoj-status--take status)
                        (message "Khoj: indexing %s" (if (eq (plist-get status :paused) t) "is paused" "goes on")))))

;;;###autoload
(defun khoj-index-add-folder (folder keep)
  "Have khojd read FOLDER; with KEEP it is written into the configuration."
  (interactive
   (let ((folder (expand-file-name (read-directory-name "Folder of notes: " nil default-directory t))))
     (list folder (y-or-n-p (format "Also write %s into khojd's configuration? " (abbreviate-file-name folder))))))
  (khoj-rpc-ask 'khoj/index/add (list :path (directory-file-name folder) :persist keep)
                :then (lambda (_) (message "Khoj: %s is being read" (abbreviate-file-name folder)))))

;;;###autoload
(defun khoj-index-show-status ()
  "Say how the index is."
  (interactive)
  (khoj-rpc-ask 'khoj/index/status nil
                :then (lambda (status)
                        (khoj-status--take status)
                        (message "Khoj: %s" (car (khoj-status-summary))))))

;;;###autoload
(defun khoj-open-config ()
  "Visit khojd's configuration file."
  (interactive)
  (khoj-rpc-ask 'khoj/config/get nil :then (lambda (config) (find-file-other-window (plist-get config :file)))))

;;;###autoload
(defun khoj-open-log ()
  "Visit khojd's log."
  (interactive)
  (khoj-rpc-ask 'khoj/daemon/status nil
                :then (lambda (status)
                        (find-file-other-window (plist-get status :log))
                        (goto-char (point-max))
                        (auto-revert-tail-mode 1))))

(defun khoj-index-unload-function ()
  "Take back what loading has changed elsewhere."
  (remove-hook 'khoj-status-hook #'khoj-index--status-changed)
  (when khoj-index--timer
    (cancel-timer khoj-index--timer))
  (when (get-buffer "*khoj index*")
    (kill-buffer "*khoj index*"))
  nil)

(provide 'khoj-index)
;;; khoj-index.el ends here
