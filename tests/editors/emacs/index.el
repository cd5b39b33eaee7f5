;;; index.el --- The state of the index  -*- lexical-binding: t; -*-

;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Code:

(require 'khoj)
(require 'khoj-index)
(require 'khoj-menu)
(require 'khoj-mode)
(require 'khoj-search)

(defun test-listed (&rest parts)
  "Whether some line of the list of files has all PARTS."
  (with-current-buffer "*khoj index*"
    (goto-char (point-min))
    (catch 'found
      (while (not (eobp))
        (let ((line (buffer-substring-no-properties (line-beginning-position) (line-end-position))))
          (when (cl-every (lambda (part) (string-match-p part line)) parts)
            (throw 'found line)))
        (forward-line)))))

(defun test-lighter ()
  "What the mode line of the current buffer has from \"Khoj\" on, with its properties."
  (let ((line (format-mode-line mode-line-format nil nil (current-buffer))))
    (substring line (or (string-search "Khoj" line) (error "No Khoj in %s" line)))))

(defun test-settled ()
  "Wait until khojd has read all files, of which one has failed."
  (test-wait "all files" (lambda () (and khoj-status
                                         (equal (mapcar (lambda (what) (plist-get khoj-status what)) '(:indexed :pending :failed))
                                                '(2 0 1))))))

(ert-deftest index-lists-files-with-states-and-reasons ()
  (save-window-excursion
    (test-connect)
    (khoj-index)
    (test-wait "the files" (lambda () (test-listed "failed" "broken\\.md")))
    (should (test-listed "indexed" "tea\\.md"))
    ;; The worst are first, and say why.
    (goto-char (point-min))
    (should (equal (plist-get (tabulated-list-get-id) :state) "failed"))
    (should-not (string-empty-p (plist-get (tabulated-list-get-id) :reason)))
    (khoj-index-why)
    (should (string-match-p "broken\\.md is failed: .+" (current-message)))
    (khoj-index-only "indexed")
    (test-wait "the indexed ones" (lambda () (not (test-listed "failed"))))
    (khoj-index-only "")
    (test-wait "all of them" (lambda () (test-listed "failed")))
    (test-listed "tea\\.md")
    (khoj-index-visit)
    (with-current-buffer (window-buffer)
      (should (equal buffer-file-name (test-file "tea.md"))))))

(ert-deftest index-is-updated-when-files-change ()
  (save-window-excursion
    (test-connect)
    (khoj-index)
    (test-wait "the files" (lambda () (test-listed "tea\\.md")))
    (write-region "# Coffee\n\nRoasted.\n" nil (test-file "coffee.md") nil 'quiet)
    ;; Nobody asks: khojd sees the file, and tells.
    (should (test-wait "the new file" (lambda () (test-listed "indexed" "coffee\\.md"))))
    (delete-file (test-file "coffee.md"))
    (khoj-index-update)
    (test-wait "its end" (lambda () (not (test-listed "coffee\\.md"))))
    (test-listed "broken\\.md")
    (khoj-index-update-file)
    (test-wait "the outcome" (lambda () (with-current-buffer (messages-buffer) (string-match-p "0 removed, 1 failed, in" (buffer-string)))))))

(ert-deftest index-is-shown-in-the-mode-line ()
  (test-connect)
  (test-settled)
  (with-current-buffer (find-file-noselect (test-file "tea.md"))
    (khoj-mode 1)
    (unwind-protect
        (let ((lighter (test-lighter)))
          (should (string-match-p "\\`Khoj:!1\\_>" lighter))
          (should (eq (get-text-property 0 'face lighter) 'khoj-problem))
          (should (string-match-p "2 of 3 files indexed, 1 failed" (get-text-property 0 'help-echo lighter))))
      (kill-buffer))))

(ert-deftest index-is-told-in-a-line ()
  (test-connect)
  (test-settled)
  (khoj-index-show-status)
  (test-wait "the line" (lambda () (string-match-p "Khoj: 2 of 3 files indexed, 1 failed" (or (current-message) "")))))

(ert-deftest index-is-paused-and-resumed ()
  (test-connect)
  (test-settled)
  (khoj-index-pause)
  (test-wait "the pause" (lambda () (eq (plist-get khoj-status :paused) t)))
  (with-current-buffer (find-file-noselect (test-file "tea.md"))
    (khoj-mode 1)
    (should (string-match-p "\\`Khoj:paused:!1" (test-lighter)))
    (kill-buffer))
  (khoj-index-pause)
  (test-wait "its end" (lambda () (not (eq (plist-get khoj-status :paused) t)))))

(ert-deftest index-adds-a-folder-when-told-to ()
  (test-connect)
  (let ((folder (file-name-as-directory (make-temp-file "khoj" t))))
    (khoj-index-add-folder folder nil)
    (test-wait "the folder" (lambda () (member folder (khoj-status-folders))))
    (khoj-rpc-await 'khoj/index/remove (list :path (directory-file-name folder)))
    (delete-directory folder t)))

(ert-deftest index-asks-before-a-folder-is-read ()
  "That Emacs has told khojd of, and its configuration does not have."
  (save-window-excursion
    (let* ((folder (file-name-as-directory (make-temp-file "khoj" t))) (khoj-folders (list folder)))
      (dolist (answer '("[Not now]" "[Index it]"))
        (khoj-reconnect)
        (let ((here (selected-window))
              (buffer (test-wait "the question" (lambda () (get-buffer "*khoj question*")))))
          (should (get-buffer-window buffer))
          ;; Nobody's keys go there by accident.
          (should (eq (selected-window) here))
          (with-current-buffer buffer
            (should (string-search (directory-file-name folder) (buffer-string)))
            (search-forward answer)
            (push-button (1- (point))))
          (should-not (buffer-live-p buffer)))
        (test-wait "the status" (lambda () khoj-status))
        (if (equal answer "[Index it]")
            (test-wait "the folder" (lambda () (member folder (khoj-status-folders))))
          (should-not (member folder (khoj-status-folders)))
          ;; A no is kept as long as the daemon runs.
          (test-cli "stop" "--force")
          (khoj-disconnect)))
      (khoj-rpc-await 'khoj/index/remove (list :path (directory-file-name folder)))
      (delete-directory folder t))))

(ert-deftest index-says-that-a-file-is-in-no-folder ()
  (test-connect)
  (test-wait "the folders" #'khoj-status-folders)
  (let ((file (make-temp-file "khoj" nil ".md" "Elsewhere.\n")))
    (with-current-buffer (find-file-noselect file)
      (khoj-mode 1)
      (let ((lighter (test-lighter)))
        (should (string-match-p "\\`Khoj:outside" lighter))
        (should (string-match-p "in no folder that khojd reads" (get-text-property 0 'help-echo lighter))))
      (kill-buffer))
    (delete-file file)))

(ert-deftest index-y-says-what-to-do-when-no-folder-is-read ()
  (test-connect)
  (let ((folder (directory-file-name (getenv "KHOJD_NOTES"))) said)
    (khoj-rpc-await 'khoj/index/remove (list :path folder))
    (test-wait "the status" (lambda () (and khoj-status (not (khoj-status-folders)))))
    (unwind-protect
        (progn
          (should (string-match-p "no folder is read yet; .khoj-index-add-folder." (car (khoj-status-summary))))
          (test-typing ("tea" (setq said (khoj-search--nowhere)) "C-g")
            (condition-case nil (khoj-search) (quit nil)))
          (should (string-match-p "no folder is read yet" said)))
      (khoj-rpc-await 'khoj/index/add (list :path folder)))
    (test-wait "the files" (lambda () (equal (plist-get khoj-status :indexed) 2)))))

(ert-deftest index-shows-configuration-and-log ()
  (save-window-excursion
    (test-connect)
    (khoj-open-config)
    (test-wait "the configuration" (lambda () (get-buffer "config.toml")))
    (khoj-open-log)
    (test-wait "the log" (lambda () (cl-some (lambda (buffer) (string-suffix-p ".log" (or (buffer-file-name buffer) "")))
                                             (buffer-list))))))

(ert-deftest index-is-in-the-menu ()
  (save-window-excursion
    (test-connect)
    (let ((map (make-sparse-keymap)))
      (define-key map (kbd "<f5>") #'khoj)
      (with-temp-buffer
        (switch-to-buffer (current-buffer))
        (use-local-map map)
        (execute-kbd-macro (kbd "<f5> i"))
        (should (equal (buffer-name (window-buffer)) "*khoj index*"))))))

(ert-deftest index-z-unloads-with-all-of-the-package ()
  (save-window-excursion
    (test-connect)
    (global-khoj-mode 1)
    (with-current-buffer (find-file-noselect (test-file "tea.md"))
      (test-wait "khojd to know the buffer" (lambda () khoj-mode--uri))
      (unload-feature 'khoj t)
      (should-not (cl-some (lambda (feature) (string-prefix-p "khoj" (symbol-name feature))) features))
      (should-not (get-process "khoj"))
      (should-not (fboundp 'khoj-search))
      (should-not (cl-some (lambda (hook) (string-prefix-p "khoj" (format "%s" hook)))
                           (append after-change-functions after-save-hook kill-buffer-hook find-file-hook
                                   after-change-major-mode-hook completion-at-point-functions)))
      (insert "goes on")
      (normal-mode)
      (set-buffer-modified-p nil)
      (kill-buffer))))

;;; index.el ends here
