;;; markdown.el --- Asking notes in markdown-mode  -*- lexical-binding: t; -*-

;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; The package itself, of the version that is installed.

;;; Code:

(require 'khoj-chat)
(require 'khoj-conversations)
(require 'khoj-mode)
(require 'khoj-search)
(require 'markdown-mode)
(require 'xt-mouse)

(xterm-mouse-mode 1)
(setq khoj-chat-format 'markdown)

(defun test-face (text)
  "The faces of the first TEXT in the buffer."
  (font-lock-ensure)
  (save-excursion
    (goto-char (point-min))
    (search-forward text)
    (let ((face (get-char-property (match-beginning 0) 'face)))
      (if (listp face) face (list face)))))

(ert-deftest markdown-is-coloured-asked-by-keys-and-stopped ()
  (save-window-excursion
    (delete-other-windows)
    (test-new)
    (should (derived-mode-p 'markdown-mode))
    ;; The mode has a prefix where the conversation has a command.
    (test-typing ("How SPC is SPC green SPC tea SPC made?" "C-c C-c"
                  (and (string-match-p "That is all\\." (test-transcript)) (not khoj-chat--running))
                  "Talk SPC for SPC ever" "C-c C-c"
                  (string-match-p "On and on" (test-transcript)) "C-c C-k"
                  (string-match-p "On and on.*\n?.*(Stopped" (test-transcript))
                  "C-M-c")
      (recursive-edit))
    (should (string-match-p "Green tea 🍵 is \\*\\*steamed\\*\\* \\[1\\]\\. That is all\\." (test-transcript)))
    (should (string-match-p "^\\[1\\] Tea.*: “Green tea" (test-transcript)))
    (should (memq 'markdown-header-face-1 (test-face "How is green tea")))
    (should (memq 'markdown-bold-face (test-face "steamed")))
    (should (memq 'khoj-citation (test-face "[1]")))
    (should (memq 'khoj-aside (test-face "▸ ")))
    (should (memq 'khoj-aside (test-face "(Stopped")))
    (goto-char (point-min))
    (search-forward "the user asks about tea")
    (should (invisible-p (match-beginning 0)))
    (goto-char (point-min))
    (should-error (insert "x") :type 'text-read-only)))

(ert-deftest markdown-citations-are-visited-by-return-and-by-clicks ()
  (save-window-excursion
    (test-new)
    (test-ask "How is green tea made?")
    (let ((chat (current-buffer)))
      (dolist (how '(return 1 2))
        (pop-to-buffer-same-window chat)
        (delete-other-windows)
        (goto-char (point-min))
        (search-forward "[1]")
        (backward-char 2)
        (if (eq how 'return)
            (execute-kbd-macro (kbd "RET"))
          (let ((here (point)))
            (goto-char (point-max))
            (test-typing ((test-click how here) (equal (car (test-here)) (test-file "tea.md")) "C-M-c")
              (recursive-edit))))
        (should (equal buffer-file-name (test-file "tea.md")))
        (should (looking-at "Green tea 🍵 is steamed"))))))

(ert-deftest markdown-conversations-are-exported-as-markdown ()
  (save-window-excursion
    (test-new)
    (test-ask "How is green tea made?")
    (khoj-conversations)
    (test-wait "the list" (lambda () (tabulated-list-get-id)))
    (khoj-conversations-export)
    (with-current-buffer (test-wait "the note of it" (lambda () (cl-find-if (lambda (buffer) (string-match-p "\\`[^*]*[Gg]reen.*\\.md" (buffer-name buffer)))
                                                                           (buffer-list))))
      (should (derived-mode-p 'markdown-mode))
      (should (string-match-p "How is green tea made" (buffer-string))))))

(ert-deftest markdown-notes-have-links-and-are-told-as-markdown ()
  (test-connect)
  (test-wait "the folders" #'khoj-status-folders)
  (let ((auto-mode-alist (cons '("\\.md\\'" . markdown-mode) auto-mode-alist)))
    (save-window-excursion
      (switch-to-buffer (find-file-noselect (test-file "tea.md")))
      (should (derived-mode-p 'markdown-mode))
      (khoj-mode 1)
      (should khoj-mode--uri)
      (should (equal (khoj-mode--language) "markdown"))
      (goto-char (point-max))
      (khoj-results-insert-link (car (append (plist-get (khoj-rpc-await 'khoj/search '(:query "oolong oxidised" :limit 1)) :hits) nil)))
      (should (string-suffix-p "[Oolong](tea.md#oolong)" (buffer-string)))
      (set-buffer-modified-p nil)
      (kill-buffer))))

;;; markdown.el ends here
