;;; keys.el --- What is typed and clicked in a terminal  -*- lexical-binding: t; -*-

;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; \\[keyboard-quit] comes as a signal, and clicks as xterm sends them.

;;; Code:

(require 'khoj)
(require 'khoj-mode)
(require 'khoj-search)
(require 'org)
(require 'xt-mouse)

(xterm-mouse-mode 1)

(defun test-quit ()
  "Type \\[keyboard-quit] while Emacs runs this, and wait until that has come."
  (test-press "\C-g")
  (let ((deadline (+ (float-time) 60)))
    (while (not (or quit-flag (> (float-time) deadline)))))
  (should quit-flag))

(defmacro test-quitting-in (function &rest body)
  "Run BODY, and type \\[keyboard-quit] when FUNCTION is called first.
Return whether it was called, and BODY was quit."
  (declare (indent 1))
  `(let* ((called nil)
          (quit (lambda (&rest _) (unless called (setq called t) (test-quit)))))
     (advice-add ,function :before quit)
     (unwind-protect
         (condition-case nil (progn ,@body nil) (quit called))
       (advice-remove ,function quit))))


;;; Quitting

(ert-deftest keys-quit-a-search-while-its-hits-are-shown ()
  (test-connect)
  (save-window-excursion
    (should (test-quitting-in 'minibuffer-completion-help
              (test-typing ("steamed" called (not (active-minibuffer-window)))
                (khoj-search))))))

(ert-deftest keys-quit-a-search-while-a-note-is-shown ()
  (test-connect)
  (save-window-excursion
    (should (test-quitting-in 'khoj-preview--note
              (test-typing ("steamed" called (not (active-minibuffer-window)))
                (khoj-search))))))

(ert-deftest keys-quit-what-is-shown-and-nothing-else ()
  "Of several things that khojd has said, each is heard."
  (let* ((heard nil)
         (say (lambda ()
                (khoj-connection-later (lambda () (push 1 heard)))
                (khoj-connection-later (lambda ()
                                         (push 2 heard)
                                         (test-quit)
                                         ;; As Emacs does it where a mode turns colours on.
                                         (let (inhibit-quit) (ignore (identity 1)))
                                         (push 'too-late heard)))
                (khoj-connection-later (lambda () (push 3 heard)))
                (khoj-connection--drain)))
         (timer (run-with-idle-timer 0.01 nil say)))
    (unwind-protect
        ;; Who reads keys gets this one, too.
        (should (condition-case nil
                    (progn (test-typing (heard (not (active-minibuffer-window))) (read-string "")) nil)
                  (quit t)))
      (cancel-timer timer))
    (should (equal heard '(3 2 1)))))

(ert-deftest keys-quit-who-waits-as-well-as-who-reads ()
  "Nobody reads keys where something is waited for."
  (let (waiting)
    (run-at-time 0 nil (lambda () (khoj-connection-keeping-quit (setq waiting t) (test-quit))))
    (should (condition-case nil
                (progn (test-wait "what never comes" #'ignore) nil)
              (quit waiting)))))

(ert-deftest keys-typed-while-emacs-attaches-do-no-harm ()
  "The table of a search asks where any key throws."
  (dolist (what '(nil interrupt))
    (khoj-disconnect)
    (let ((stop (lambda (&rest _) (setq quit-flag (if what 'interrupt t)))))
      (advice-add 'make-process :before stop)
      (unwind-protect
          (let ((throw-on-input what))
            (catch 'interrupt
              (condition-case nil
                  (progn (khoj-connection-open) (ignore (identity 1)))
                (quit nil))))
        (advice-remove 'make-process stop)))
    (test-wait "the daemon" #'khoj-connection-ready-p)
    (should (= 1 (cl-count-if (lambda (process) (string-prefix-p "khoj" (process-name process))) 
                              (cl-remove-if-not (lambda (process) (eq (process-type process) 'real)) (process-list)))))))


;;; Clicks

(ert-deftest keys-click-on-the-mode-line-for-the-files-and-to-add-a-folder ()
  (test-connect)
  (test-wait "the folders" #'khoj-status-folders)
  (save-window-excursion
    (delete-other-windows)
    (switch-to-buffer (find-file-noselect (test-file "tea.md")))
    (khoj-mode 1)
    (test-typing ((test-click 1 "Khoj") (get-buffer-window "*khoj index*") "C-M-c")
      (recursive-edit))
    (kill-buffer "*khoj index*")
    (kill-buffer (get-file-buffer (test-file "tea.md"))))
  (let ((folder (file-name-as-directory (make-temp-file "khoj" t))) asked)
    (save-window-excursion
      (delete-other-windows)
      (write-region "Elsewhere.\n" nil (concat folder "note.md") nil 'quiet)
      (switch-to-buffer (find-file-noselect (concat folder "note.md")))
      (khoj-mode 1)
      (test-typing ((test-click 3 "Khoj:outside")
                    (when (active-minibuffer-window)
                      (setq asked (with-current-buffer (window-buffer (active-minibuffer-window)) (minibuffer-contents))))
                    "RET" "n"
                    (member folder (khoj-status-folders)) "C-M-c")
        (recursive-edit))
      (should (file-equal-p asked folder))
      (kill-buffer))
    (khoj-rpc-await 'khoj/index/remove (list :path (directory-file-name folder)))
    (delete-directory folder t)))

(ert-deftest keys-click-on-a-hit-goes-there ()
  (test-connect)
  (dolist (button '(1 2))
    (save-window-excursion
      (delete-other-windows)
      (khoj-results-search "oolong oxidised")
      (let ((hits (test-wait "the hits" (lambda () (get-buffer-window "*khoj search*")))) note)
        (test-typing ((test-click button (with-current-buffer (window-buffer hits)
                                           (goto-char (point-min))
                                           (search-forward "Half oxidised")
                                           (match-beginning 0))
                                  hits)
                      (setq note (get-file-buffer (test-file "tea.md")))
                      (eq (window-buffer) note)
                      "C-M-c")
          (recursive-edit))
        (with-current-buffer note
          (should (looking-at "Half oxidised\\|## Oolong"))
          (kill-buffer))
        (kill-buffer "*khoj search*")))))

(ert-deftest keys-click-beside-the-hits-goes-nowhere ()
  (test-connect)
  (save-window-excursion
    (delete-other-windows)
    (khoj-results-search "oolong oxidised")
    (let ((hits (test-wait "the hits" (lambda () (get-buffer-window "*khoj search*")))))
      ;; Only a click with the left button on text that lights up is one on a link.
      (test-typing ((test-click 1 (point-min) hits) (eq (selected-window) hits) "C-M-c")
        (recursive-edit))
      (with-current-buffer (window-buffer hits) (should (bobp)))
      (kill-buffer "*khoj search*"))))

;;; keys.el ends here
