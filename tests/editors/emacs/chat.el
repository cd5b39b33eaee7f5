;;; chat.el --- Asking notes  -*- lexical-binding: t; -*-

;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Code:

(require 'khoj-chat)
(require 'khoj-conversations)
(require 'khoj-proposal)
(require 'org)
(require 'xt-mouse)

(xterm-mouse-mode 1)


(ert-deftest chat-streams-an-answer-and-visits-what-it-cites ()
  (save-window-excursion
    (test-new)
    (let ((buffer (current-buffer)))
      (test-ask "How is green tea made?")
      (should (string-match-p "Green tea 🍵 is \\*steamed\\* \\[fn:1-1\\]\\. That is all\\." (test-transcript)))
      ;; The answer of a model is Markdown, and the buffer one of Org.
      (should (string-match-p "^\\* How is green tea made\\?" (test-transcript)))
      (should (string-match-p "^\\[fn:1-1\\] Tea.*: “Green tea 🍵 is steamed, not roasted" (test-transcript)))
      (should (string-match-p "\\`\\*khoj chat: How is green tea made" (buffer-name)))
      ;; What was thought and done is there, and folded.
      (goto-char (point-min))
      (search-forward "the user asks about tea")
      (should (invisible-p (match-beginning 0)))
      (goto-char (point-min))
      (forward-line 1)
      (push-button (point))
      (search-forward "the user asks about tea")
      (should-not (invisible-p (match-beginning 0)))
      ;; RET on the citation goes to its text.
      (goto-char (point-min))
      (search-forward "[fn:1")
      (should (string-match-p "steamed" (khoj-view-eldoc)))
      (call-interactively (key-binding (kbd "RET")))
      (with-current-buffer (window-buffer)
        (should (equal buffer-file-name (test-file "tea.md")))
        (should (looking-at "Green tea 🍵 is steamed")))
      ;; What was said cannot be changed by accident.
      (with-current-buffer buffer
        (goto-char (point-min))
        (should-error (insert "x") :type 'text-read-only)))))

(ert-deftest chat-does-not-move-the-readers-point ()
  (save-window-excursion
    (test-new)
    (test-ask "How is green tea made?")
    (goto-char (point-max))
    (insert "Talk for ever")
    (khoj-chat-send)
    (test-wait "the text" (lambda () (string-match-p "On and on" (test-transcript))))
    ;; Above, a reader; below, one who writes on.
    (goto-char (point-min))
    (search-forward "steamed")
    (let ((here (point)))
      (save-excursion (goto-char (point-max)) (insert "my next question"))
      (khoj-chat-stop)
      (test-wait "the end" (lambda () (not khoj-chat--running)))
      (should (= (point) here)))
    (should (string-match-p "On and on.*\n?.*(Stopped" (test-transcript)))
    (should (string-suffix-p "my next question" (test-transcript)))
    (should (equal (buffer-substring-no-properties khoj-question-start (point-max)) "my next question"))))

(ert-deftest chat-asks-anew-edits-and-forks ()
  (save-window-excursion
    (test-new)
    (test-ask "How is green tea made?")
    (let ((first (khoj-view-id (car khoj-chat--views))) (conversation khoj-chat--conversation))
      (khoj-chat-retry)
      (test-wait "the answer" (lambda () (not khoj-chat--running)))
      (should (= (length khoj-chat--views) 1))
      (should-not (equal (khoj-view-id (car khoj-chat--views)) first))
      (should (equal khoj-chat--conversation conversation))
      (khoj-chat-edit)
      (should (string-suffix-p "How is green tea made?" (test-transcript)))
      (insert " Tell me.")
      (khoj-chat-send)
      (test-wait "the answer" (lambda () (not khoj-chat--running)))
      (should (string-match-p "\\`\\* How is green tea made\\? Tell me\\.$" (test-transcript)))
      (should (= (length khoj-chat--views) 1))
      (test-ask "And oolong?")
      (goto-char (point-min))
      (khoj-chat-fork)
      (test-wait "the fork" (lambda () (with-current-buffer (window-buffer)
                                         (and khoj-chat--conversation (not (equal khoj-chat--conversation conversation))))))
      (with-current-buffer (window-buffer)
        (should (= (length khoj-chat--views) 1))
        (should (string-match-p "is \\*steamed\\* \\[fn:1-1\\]" (test-transcript)))
        (should (khoj-view-citations (car khoj-chat--views)))))))

(ert-deftest chat-lists-renames-and-deletes-conversations ()
  (save-window-excursion
    (test-new)
    (test-ask "How is green tea made?")
    (let ((id khoj-chat--conversation))
      (kill-buffer)
      (khoj-conversations "green")
      (let ((list (get-buffer "*khoj conversations*")))
        (cl-flet ((there () (with-current-buffer list
                              (goto-char (point-min))
                              (while (not (or (eobp) (equal (plist-get (tabulated-list-get-id) :id) id))) (forward-line))
                              (not (eobp)))))
          (test-wait "the list" #'there)
          (with-current-buffer list
            (there)
            (khoj-conversations-rename "Leaves in steam (green)")
            (test-wait "the title" (lambda () (and (there) (string-match-p "Leaves in steam" (buffer-string)))))
            (there)
            (khoj-conversations-open))
          (test-wait "the conversation" (lambda () (get-buffer "*khoj chat: Leaves in steam (green)*")))
          (with-current-buffer "*khoj chat: Leaves in steam (green)*"
            (should (string-match-p "is \\*steamed\\* \\[fn:1-1\\]" (test-transcript)))
            (test-ask "And oolong?")
            (should (equal khoj-chat--conversation id)))
          (with-current-buffer list
            (there)
            (khoj-conversations-export)
            (test-wait "the note of it" (lambda () (cl-some (lambda (buffer) (string-match-p "Leaves.*\\.org" (buffer-name buffer)))
                                                            (buffer-list)))))
          (with-current-buffer list
            (there)
            (cl-letf (((symbol-function 'yes-or-no-p) #'always))
              (khoj-conversations-delete))
            (test-wait "its end" (lambda () (not (there))))))))))

(ert-deftest chat-chooses-persona-model-and-filters ()
  (save-window-excursion
    (test-new)
    (let ((names (all-completions "" (khoj-question--choices 'khoj/personas/list (lambda (result) (mapcar (lambda (one) (cons (plist-get one :name) "")) (plist-get result :personas)))))))
      (should (> (length names) 1))
      (test-typing ("tin TAB" (equal (minibuffer-contents-no-properties) "tiny/tiny") "RET")
        (call-interactively #'khoj-chat-set-model))
      (should (equal khoj-question-model "tiny/tiny"))
      (khoj-chat-set-persona (car names))
      (khoj-chat-set-filters "file:errands.org")
      (should (string-match-p "tiny/tiny.*file:errands" (khoj-chat--header)))
      (khoj-chat-attach (test-file "errands.org"))
      (should (string-match-p "about errands.org" (khoj-chat--header)))
      (khoj-chat-detach)
      (should-not (string-match-p "about errands.org" (khoj-chat--header)))
      (test-ask "How is green tea made?")
      ;; Tea is not among what may be searched.
      (should-not (string-match-p "\\[fn:1-1\\] Tea" (test-transcript)))
      ;; That goes on where the conversation is opened again, and is said.
      (let ((id khoj-chat--conversation))
        (kill-buffer)
        (khoj-chat-open id)
        (with-current-buffer (test-wait "the conversation" (lambda () (cl-find-if (lambda (buffer) (equal (buffer-local-value 'khoj-chat--conversation buffer) id))
                                                                                 (buffer-list))))
          (should (string-match-p "file:errands" (khoj-chat--header))))))))

(ert-deftest chat-is-about-the-region-and-notes-that-are-mentioned ()
  "That the model is told of these is seen by test_chat.py."
  (save-window-excursion
    (test-connect)
    (find-file (test-file "errands.org"))
    (goto-char (point-min))
    (search-forward "A steel one.")
    (khoj-ask-region (match-beginning 0) (match-end 0) "What is selected here?")
    (test-wait "the end of the answer" (lambda () (not khoj-chat--running)))
    (khoj-chat-set-filters "file:errands.org")
    (goto-char (point-max))
    (insert "What is mentioned in @te")
    (completion-at-point)
    (should (string-suffix-p "@tea.md" (test-transcript)))
    (insert "?")
    (khoj-chat-send)
    (test-wait "the end of the answer" (lambda () (not khoj-chat--running)))))

(ert-deftest chat-visits-the-citation-that-is-clicked-at ()
  (save-window-excursion
    (delete-other-windows)
    (test-new)
    (test-ask "How is green tea made?")
    (let ((chat (current-buffer)))
      ;; In the answer with the left button, in the list below it with the middle one.
      (dolist (where '((1 . 1) (2 . 2)))
        (pop-to-buffer-same-window chat)
        (delete-other-windows)
        (goto-char (point-min))
        (search-forward "[fn:1-1]" nil nil (cdr where))
        (let ((citation (if (= (cdr where) 1) (- (point) 2) (1+ (point)))))
          (test-typing ((test-click (car where) citation)
                        (equal (car (test-here)) (test-file "tea.md"))
                        "C-M-c")
            (recursive-edit)))
        (should (looking-at "Green tea 🍵 is steamed"))))))

(ert-deftest chat-is-led-by-its-keys ()
  (save-window-excursion
    (delete-other-windows)
    (test-new)
    (let ((chat (current-buffer)))
      (test-typing ("Talk SPC for SPC ever" "C-c C-c"
                    (string-match-p "On and on" (test-transcript)) "C-c C-k"
                    (string-match-p "On and on.*\n?.*(Stopped" (test-transcript))
                    "How SPC is SPC green SPC tea SPC made?" "C-c C-c"
                    (and (string-match-p "That is all\\." (test-transcript)) (not khoj-chat--running))
                    "C-c C-e" "DEL SPC at SPC all?" "C-c C-c"
                    (and (string-match-p "tea made at all\\?$" (test-transcript))
                         (string-match-p "That is all\\." (test-transcript)) (not khoj-chat--running))
                    "C-M-c")
        (recursive-edit))
      (should (eq (current-buffer) chat))
      (should-not (string-match-p "tea made\\?$" (test-transcript)))
      ;; What was done is counted above the answer, and folded.
      (should (string-match-p "^▸ [0-9]+ steps, thought [0-9]+ words$" (test-transcript)))
      (font-lock-ensure)
      (dolist (text '("▸ " "- 1 passage"))
        (goto-char (point-min))
        (search-forward text)
        (should (equal (ensure-list (get-char-property (match-beginning 0) 'face)) '(khoj-aside)))))))

(ert-deftest chat-shows-a-proposed-change-and-makes-it-when-told-to ()
  (save-window-excursion
    (test-new)
    (test-ask "/research Please edit the note about tea")
    (goto-char (point-min))
    (search-forward "[Show and apply]")
    (push-button (1- (point)))
    (let ((buffer (test-wait "the diff" (lambda () (get-buffer "*khoj proposal*")))))
      (with-current-buffer buffer
        (test-wait "its text" (lambda () khoj-proposal--id))
        (should (derived-mode-p 'diff-mode))
        (should (string-match-p "^-Half oxidised, between green and black\\.$" (buffer-string)))
        (should (string-match-p "^\\+Half oxidised, between green 🍃 and black\\.$" (buffer-string)))
        (should (string-match-p "^ ## Oolong$" (buffer-string)))
        ;; Nothing is changed by a no.
        (cl-letf (((symbol-function 'y-or-n-p) #'ignore))
          (khoj-proposal-apply))
        (should-not (buffer-modified-p (find-file-noselect (test-file "tea.md"))))
        (cl-letf (((symbol-function 'y-or-n-p) #'always))
          (khoj-proposal-apply))))
    (with-current-buffer (find-file-noselect (test-file "tea.md"))
      (test-wait "the change" (lambda () (string-match-p "between green 🍃 and black" (buffer-string))))
      (should (buffer-modified-p))
      (set-buffer-modified-p nil)
      (kill-buffer))))

(ert-deftest chat-says-why-there-is-no-answer-and-keeps-the-question ()
  (save-window-excursion
    (test-new)
    ;; What the model server refuses, and what khojd does.
    (test-ask "Please refuse this")
    (should (string-match-p "^(Failed: .*no such thing.*)$" (test-transcript)))
    (khoj-chat-set-persona "nobody-of-that-name")
    (test-ask "How is green tea made?")
    (should (string-match-p "^(Failed: .*nobody-of-that-name.*)$" (test-transcript)))
    (should (string-suffix-p "\nHow is green tea made?" (test-transcript)))))

(ert-deftest chat-survives-the-death-of-the-daemon-in-the-middle-of-an-answer ()
  (save-window-excursion
    (test-new)
    (goto-char (point-max))
    (insert "Talk for ever")
    (khoj-chat-send)
    (test-wait "the text" (lambda () (string-match-p "On and on" (test-transcript))))
    (signal-process (plist-get (khoj-rpc-await 'khoj/daemon/status nil) :pid) 'SIGKILL)
    (test-wait "the end" (lambda () (not khoj-chat--running)))
    (should (string-match-p "On and on" (test-transcript)))
    (should (string-match-p "(Cut off: the connection to khojd was lost; C-c C-r asks again)" (test-transcript)))
    ;; The conversation goes on where it was.
    (test-ask "How is green tea made?")
    (should (string-match-p "is \\*steamed\\*" (test-transcript)))))

(ert-deftest chat-in-markdown-is-as-the-model-wrote-it ()
  (let ((khoj-chat-format 'markdown))
    (save-window-excursion
      (test-new)
      (test-ask "How is green tea made?")
      (should (string-match-p "Green tea 🍵 is \\*\\*steamed\\*\\* \\[1\\]\\. That is all\\." (test-transcript)))
      (should (string-match-p "^# How is green tea made\\?" (test-transcript)))
      (should (string-match-p "^\\[1\\] Tea.*: “Green tea" (test-transcript))))))

(ert-deftest chat-says-that-an-answer-is-written-for-another-editor ()
  (with-temp-buffer
    (text-mode)
    (let ((view (khoj-view-open "A question" (copy-marker (point-max) t))))
      (khoj-view-text view "So far")
      (khoj-view-end view '(:state "running" :reason "" :proposals [] :citations []))
      (should (string-match-p "^So far\n(Being answered elsewhere)$" (buffer-string))))))

(ert-deftest chat-turns-markdown-into-org-and-keeps-citations ()
  (with-temp-buffer
    (org-mode)
    (let* ((end (copy-marker (point-max) t)) (view (khoj-view-open "A question\n* with a star" end)))
      (khoj-view-text view "## Result\n* one `code` **bold [1]**\n```python\n* x = 1\n```\n[a link](https://example.org) [1]\n")
      (khoj-view-end view '( :state "complete" :reason "" :proposals []
                             :citations [( :number 1 :at 30 :path "/n/tea.md" :title "" :headings [] :quote "q" :weak :json-false :state "fresh"
                                           :location (:uri "file:///n/tea.md"))]))
      (let ((text (buffer-substring-no-properties (khoj-view-answer-begin view) (point-max))))
        (should (string-prefix-p "*** Result\n- one ~code~ *bold [fn:1-1]*\n#+begin_src python\n,* x = 1\n#+end_src\n[[https://example.org][a link]] [1]\n" text)))
      (should (string-match-p "^,\\* with a star$" (buffer-string)))
      (should (overlay-get (car (khoj-view-citations view)) 'khoj-citation)))))

;;; chat.el ends here
