;;; consult.el --- Searching through consult, vertico and Embark  -*- lexical-binding: t; -*-

;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; The packages themselves, of the versions that are installed.

;;; Code:

(require 'consult)
(require 'embark)
(require 'khoj)
(require 'khoj-search)
(require 'org)
(require 'vertico)

(vertico-mode 1)
(global-set-key (kbd "C-c a") #'embark-act)
(global-set-key (kbd "C-c x") #'embark-export)

(defun test-shown ()
  "What vertico shows, as text."
  (if (overlayp vertico--candidates-ov)
      (substring-no-properties (or (overlay-get vertico--candidates-ov 'before-string)
                                   (overlay-get vertico--candidates-ov 'after-string) ""))
    ""))

(defun test-marked ()
  "The text that the preview has marked."
  (and khoj-preview--overlay (overlay-buffer khoj-preview--overlay)
       (with-current-buffer (overlay-buffer khoj-preview--overlay)
         (buffer-substring-no-properties (overlay-start khoj-preview--overlay) (overlay-end khoj-preview--overlay)))))

(defmacro test-quits (&rest body)
  "Run BODY, which is quit."
  `(condition-case nil (progn ,@body) (quit nil)))

(ert-deftest consult-shows-hits-previews-and-goes-there ()
  (save-window-excursion
    (let (shown)
      (test-typing ("steamed"
                    (progn (setq shown (test-shown)) (string-search "Green tea" shown))
                    (string-match-p "Green tea 🍵 is steamed" (or (test-marked) ""))
                    "RET")
        (khoj-consult-search))
      (should (string-match-p "tea.md:3" shown)))
    (should (equal buffer-file-name (test-file "tea.md")))
    (should (looking-at "Green tea 🍵 is steamed"))
    (should-not (get-buffer " *khoj preview*"))))

(ert-deftest consult-shows-what-was-typed-last ()
  (let (session)
    (test-quits
     (test-typing ("kettle" (string-match-p "\\` *\n.*\n.*Buy a kettle" (test-shown))
                   "C-a C-k steamed" (string-match-p "\\` *\n.*\n.*Green tea" (test-shown))
                   (setq session khoj-candidate-session)
                   "C-g")
       (khoj-consult-search)))
    ;; Nothing is shown any longer of what is still found.
    (should-not (khoj-session-update session))))

(ert-deftest consult-finds-what-has-none-of-the-letters ()
  (let (shown)
    (test-quits
     (test-typing ("what SPC to SPC purchase" (string-search "Buy a kettle" (test-shown)) (setq shown (test-shown)) "C-g")
       (khoj-consult-search)))
    (should (string-match-p "errands.org" shown))))

(ert-deftest consult-is-not-needed-by-vertico ()
  (save-window-excursion
    (let (shown)
      (test-typing ("steamed"
                    (progn (setq shown (test-shown)) (string-search "Green tea" shown))
                    (test-marked)
                    "<down>" "<up>" "RET")
        (khoj-search))
      ;; In the group of its note.
      (should (string-match-p "Tea.*\n.*Green tea" shown))
      (should (equal buffer-file-name (test-file "tea.md"))))))

(ert-deftest consult-and-embark-insert-a-link ()
  (with-temp-buffer
    (switch-to-buffer (current-buffer))
    (org-mode)
    (test-typing ("oolong SPC oxidised" (string-search "Half oxidised" (test-shown)) "C-c a" "l")
      (test-quits (khoj-search)))
    ;; Embark acts once the minibuffer is left.
    (should (test-wait "the link" (lambda () (string-match-p "\\[\\[file:.*tea\\.md\\]\\[Oolong\\]\\]" (buffer-string)))))))

(ert-deftest consult-and-embark-export-hits ()
  (save-window-excursion
    (test-typing ("tea" (string-search "Green tea" (test-shown)) "C-c x")
      (test-quits (khoj-search)))
    (let ((buffer (test-wait "the hits" (lambda () (get-buffer "*khoj search*")))))
      (with-current-buffer buffer
        (should (derived-mode-p 'khoj-results-mode))
        (should (string-match-p "Green tea" (buffer-string))))
      (kill-buffer buffer))))

(ert-deftest consult-hits-are-acted-upon-by-embark-as-by-return ()
  (save-window-excursion
    (test-typing ("oolong SPC oxidised" (string-search "Half oxidised" (test-shown)) "C-c a" "RET")
      (test-quits (khoj-search)))
    (should (test-wait "the note" (lambda () (equal (car (test-here)) (test-file "tea.md")))))))

;;; consult.el ends here
