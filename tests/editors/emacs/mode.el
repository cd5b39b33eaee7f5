;;; mode.el --- Notes that are open  -*- lexical-binding: t; -*-

;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Code:

(require 'khoj-mode)
(require 'khoj-org)
(require 'khoj-search)
(require 'khoj-similar)
(require 'org)
(require 'eldoc)
(require 'xref)

(defmacro test-with-note (name &rest body)
  "Run BODY in a buffer of the note NAME, known to khojd, and put all back."
  (declare (indent 1))
  `(let ((before (with-temp-buffer (insert-file-contents (test-file ,name)) (buffer-string))))
     (test-connect)
     (save-window-excursion
       (switch-to-buffer (find-file-noselect (test-file ,name)))
       (unwind-protect
           (progn
             (khoj-mode 1)
             (test-wait "khojd to know the buffer" (lambda () khoj-mode--uri))
             (goto-char (point-min))
             ,@body)
         (when (get-file-buffer (test-file ,name))
           (set-buffer (get-file-buffer (test-file ,name)))
           (set-buffer-modified-p nil)
           (kill-buffer))
         (write-region before nil (test-file ,name) nil 'quiet)))))

(defun test-found (query &optional file)
  "The hits for QUERY by words, in FILE if that is given."
  (cl-remove-if-not (lambda (hit) (or (not file) (equal (plist-get hit :path) (test-file file))))
                    (append (plist-get (khoj-rpc-await 'khoj/search (list :query query :mode "lexical")) :hits) nil)))

(ert-deftest mode-lets-unsaved-text-be-found-at-its-place ()
  (test-with-note "tea.md"
    (search-forward "🍵")
    (insert " (gyokuro)")
    (let ((hit (test-wait "the hit" (lambda () (car (test-found "gyokuro"))))))
      (should (eq (plist-get hit :unsaved) t))
      (khoj-place-visit (plist-get hit :location))
      (should (looking-at "Green tea 🍵 (gyokuro) is steamed")))
    (with-current-buffer (get-file-buffer (test-file "tea.md"))
      (set-buffer-modified-p nil)
      (kill-buffer))
    (test-wait "the file to be the text again" (lambda () (not (test-found "gyokuro"))))))

(ert-deftest mode-sends-what-emacs-has-whatever-was-edited ()
  "Random edits, of one and several lines, at the start, within and at the end."
  (test-with-note "tea.md"
    (random "khoj")
    (let ((texts ["x" "\n" "two\nlines\n" "🍵龙井" "end without line end" "\n\n" "a\tb"]))
      (dotimes (round 8)
        (dotimes (_ (1+ (random 4)))
          (goto-char (pcase (random 4) (0 (point-min)) (1 (point-max)) (_ (+ (point-min) (random (1+ (buffer-size)))))))
          (if (and (> (buffer-size) 60) (zerop (random 2)))
              (delete-region (point) (min (point-max) (+ (point) (random 40))))
            (insert (aref texts (random (length texts))))))
        ;; What khojd has is asked for by what it says of the last word, at the end.
        (goto-char (point-max))
        (insert (format "\n\nlastword%d" round))
        (let ((hit (test-wait "the last word" (lambda () (car (test-found (format "lastword%d" round) "tea.md"))))))
          (pcase-let ((`(,start . ,end) (khoj-place-bounds (plist-get (plist-get hit :location) :range))))
            (should (string-suffix-p (format "lastword%d" round) (buffer-substring start end)))
            (should (= end (point-max)))))))))

(ert-deftest mode-tells-what-was-typed-though-a-key-interrupts-who-asks ()
  "As one does that is typed while a table of completions is asked for."
  (test-with-note "tea.md"
    (goto-char (point-max))
    (insert "\nkukicha")
    (let ((key (lambda (&rest _) (setq quit-flag 'interrupt))) (throw-on-input 'interrupt))
      (advice-add 'khoj-connection-notify :before key)
      (unwind-protect
          (catch 'interrupt
            (khoj-rpc-ask 'khoj/index/status nil)
            (ignore (identity 1)))
        (advice-remove 'khoj-connection-notify key)))
    (should (test-wait "the hit" (lambda () (test-found "kukicha" "tea.md"))))))

(ert-deftest mode-takes-bytes-that-are-no-text ()
  (test-with-note "tea.md"
    (goto-char (point-max))
    (insert "\n" (unibyte-char-to-multibyte 200) " odd\rbyte afterodd")
    (should (test-wait "the hit" (lambda () (test-found "afterodd" "tea.md"))))))

(ert-deftest mode-says-nothing-of-files-outside-of-the-folders ()
  (test-connect)
  (test-wait "the folders" #'khoj-status-folders)
  (let ((file (make-temp-file "khoj" nil ".md" "Elsewhere.\n")))
    (with-current-buffer (find-file-noselect file)
      (khoj-mode 1)
      (should-not khoj-mode--uri)
      (should-not (memq #'khoj-mode--changed after-change-functions))
      (kill-buffer))
    (delete-file file)))

(ert-deftest mode-is-turned-on-where-notes-are ()
  (unwind-protect
      (progn
        (global-khoj-mode 1)
        (with-current-buffer (find-file-noselect (test-file "errands.org"))
          (normal-mode)
          (should khoj-mode)
          (should (string-match-p " Khoj" (format-mode-line mode-line-format nil nil (current-buffer))))
          (kill-buffer)))
    (global-khoj-mode -1)))

(ert-deftest mode-follows-links-and-lists-backlinks-by-xref ()
  (test-with-note "links.md"
    (search-forward "[[tea")
    (should (eq (xref-find-backend) 'khoj))
    (let ((found (xref-backend-definitions 'khoj (xref-backend-identifier-at-point 'khoj))))
      (should (equal (xref-location-group (xref-item-location (car found))) (test-file "tea.md"))))
    (let ((found (xref-backend-references 'khoj (xref-backend-identifier-at-point 'khoj))))
      (should (cl-some (lambda (item) (string-match-p "the tea ceremony" (xref-item-summary item))) found)))
    (let ((found (xref-backend-apropos 'khoj "Oolong")))
      (should (cl-some (lambda (item) (string-match-p "Oolong" (xref-item-summary item))) found)))))

(ert-deftest mode-completes-links ()
  (test-with-note "links.md"
    (goto-char (point-max))
    (insert "[[te")
    (pcase-let* ((`(,start ,end ,table . ,plist) (khoj-lsp-capf))
                 (chosen (cl-find "tea" (all-completions (buffer-substring start end) table) :test #'equal)))
      (should chosen)
      (delete-region start end)
      (insert chosen)
      (funcall (plist-get plist :exit-function) chosen 'finished))
    (should (equal (buffer-substring (line-beginning-position) (point-max)) "[[tea]]"))))

(ert-deftest mode-works-beside-eglot ()
  "Where Emacs has it: two sessions of one Emacs, of which each does its part."
  (when (require 'eglot nil t)
    (test-with-note "links.md"
      (let ((eglot-server-programs `(((text-mode :language-id "markdown") . ,khoj-command)))
            (eglot-sync-connect 60) (eglot-connect-timeout 60) (eglot-autoshutdown nil))
        (call-interactively #'eglot)
        (unwind-protect
            (progn
              (test-wait "Eglot" (lambda () (and (eglot-current-server) eglot--managed-mode)))
              (should (eq (xref-find-backend) 'eglot))
              (should-not (khoj-lsp-capf))
              (insert "Oshiboriwords\n")
              (should (eq (plist-get (test-wait "the hit" (lambda () (car (test-found "oshiboriwords" "links.md")))) :unsaved) t))
              (should khoj-mode--uri))
          (eglot-shutdown (eglot-current-server)))
        (should (eq (xref-find-backend) 'khoj))
        (should (khoj-connection-ready-p))
        (should (test-found "oshiboriwords" "links.md"))))))

(ert-deftest mode-shows-in-eldoc-where-a-link-leads ()
  (test-with-note "links.md"
    (search-forward "[[te")
    (let (said)
      (should (khoj-lsp-eldoc (lambda (text &rest _) (setq said text))))
      (test-wait "the hover" (lambda () said))
      (should (string-match-p "steamed" said)))))

(ert-deftest mode-leaves-links-to-eglot-where-that-is-on ()
  (test-with-note "links.md"
    (should (khoj-lsp-xref-backend))
    (progn
      (setq-local eglot--managed-mode t)
      (should-not (khoj-lsp-xref-backend))
      (should-not (khoj-lsp-capf))
      (should-not (khoj-lsp-eldoc #'ignore)))))

(defun test-similar (&optional note)
  "What `khoj-similar' shows, with prefix NOTE or without."
  (khoj-similar note)
  (let ((buffer (test-wait "the hits" (lambda () (get-buffer "*khoj similar*")))))
    (prog1 (with-current-buffer buffer (buffer-string))
      (kill-buffer buffer))))

(ert-deftest mode-shows-what-is-like-the-place-the-region-and-the-note ()
  (test-with-note "tea.md"
    (test-wait "the note to be indexed" (lambda () (test-found "oxidised" "tea.md")))
    (delete-other-windows)
    (let ((asked nil))
      (cl-letf* ((ask (symbol-function 'khoj-rpc-ask))
                 ((symbol-function 'khoj-rpc-ask)
                  (lambda (method params &rest more) (push params asked) (apply ask method params more))))
        (search-forward "## Oolong")
        (should (string-match-p "links.md" (test-similar)))
        (should (equal (plist-get (plist-get (car asked) :position) :line) 4))
        (should (string-match-p "links.md" (test-similar t)))
        (should-not (or (plist-get (car asked) :position) (plist-get (car asked) :range)))
        (let ((transient-mark-mode t))
          (goto-char (point-min))
          (search-forward "Green tea")
          (push-mark (match-beginning 0) t t)
          (should (string-match-p "links.md" (test-similar)))
          (should (equal (plist-get (car asked) :range)
                         '(:start (:line 2 :character 0) :end (:line 2 :character 9)))))))))

(ert-deftest mode-shows-similar-notes-beside-and-follows-point ()
  (test-with-note "tea.md"
    (test-wait "the note to be indexed" (lambda () (test-found "oxidised" "tea.md")))
    (delete-other-windows)
    (let* ((lines nil)
           (listen (lambda (_hits) (push (plist-get (plist-get (cdr khoj-similar--last) :position) :line) lines))))
      (advice-add 'khoj-similar--show :after listen)
      (unwind-protect
          (progn
            (khoj-similar-follow-mode 1)
            (let ((buffer (test-wait "the side window"
                                     (lambda () (and (get-buffer-window "*khoj related*") (get-buffer "*khoj related*"))))))
              (should (string-match-p "links.md" (with-current-buffer buffer (buffer-string))))
              (should (eq (window-parameter (get-buffer-window buffer) 'window-side) 'right)))
            ;; It follows who rests.
            (test-typing ("C-n C-n C-n C-n" (equal (test-cursor-line) 4) (memq 4 lines) "C-M-c")
              (recursive-edit))
            ;; Who does nothing causes nothing.
            (let ((asked 0))
              (cl-letf (((symbol-function 'khoj-rpc-ask) (lambda (&rest _) (cl-incf asked))))
                (khoj-similar--follow)
                (khoj-similar--follow)
                (khoj-mode-flush))
              (should (= asked 0))))
        (advice-remove 'khoj-similar--show listen)
        (khoj-similar-follow-mode -1)))
    (should-not (get-buffer-window "*khoj related*"))))

(defun test-cursor-line ()
  "The line of point in the selected window, from 0 on."
  (with-current-buffer (window-buffer)
    (1- (line-number-at-pos (window-point)))))

(ert-deftest mode-keeps-searches-as-links-of-org ()
  (save-window-excursion
    (with-temp-buffer
      (org-mode)
      (insert "[[khoj:todo:TODO tag:shopping][What to buy]]")
      (goto-char (point-min))
      (org-open-at-point))
    (let ((buffer (test-wait "the hits" (lambda () (get-buffer "*khoj search*")))))
      (with-current-buffer buffer
        (test-wait "the query" (lambda () khoj-results-query))
        (should (string-match-p "Buy a kettle" (buffer-string)))
        (org-store-link nil)
        (should (equal (plist-get org-store-link-plist :link) "khoj:todo:TODO tag:shopping")))
      (kill-buffer buffer))))

(ert-deftest mode-keeps-what-is-due-as-a-link ()
  "As an agenda of what is due: its words are those of Org."
  (test-connect)
  (with-temp-buffer
    (org-mode)
    (insert "[[khoj:todo:TODO deadline<=2024-05-01][Due]] [[khoj:todo:TODO deadline<2024-05-01][Overdue]]")
    (dolist (found '(t nil))
      (save-window-excursion
        (goto-char (if found (point-min) (- (point-max) 3)))
        (org-open-at-point)
        (with-current-buffer (test-wait "the hits" (lambda () (get-buffer "*khoj search*")))
          (test-wait "the query" (lambda () khoj-results-query))
          (should (eq found (and (string-match-p "TODO Buy a kettle" (buffer-string)) t)))
          (kill-buffer))))))

(ert-deftest mode-links-to-headings-by-their-id ()
  (test-connect)
  (let ((hit (test-wait "the hit" (lambda () (car (test-found "porcelain"))))))
    (with-temp-buffer
      (org-mode)
      (khoj-results-insert-link hit)
      (should (equal (buffer-string) "[[id:5f3c0f9e-cups][Cups]]")))))

(ert-deftest mode-is-restored-when-the-daemon-comes-back ()
  (test-with-note "tea.md"
    (search-forward "🍵")
    (insert " (sencha)")
    (test-wait "the hit" (lambda () (test-found "sencha")))
    (let ((first (plist-get (khoj-rpc-await 'khoj/daemon/status nil) :pid)) (connection khoj-connection--wire))
      (test-cli "stop" "--force")
      (test-wait "the end" (lambda () (not (eq khoj-connection--wire connection))))
      ;; Nobody does anything, and what was typed is known again.
      (test-wait "the new connection" #'khoj-connection-ready-p)
      (should-not (= first (plist-get (khoj-rpc-await 'khoj/daemon/status nil) :pid)))
      (should (eq (plist-get (test-wait "the hit" (lambda () (car (test-found "sencha")))) :unsaved) t))
      ;; And goes on being told.
      (insert " (houjicha)")
      (should (test-wait "the hit" (lambda () (test-found "houjicha")))))))

(ert-deftest mode-asks-again-what-was-asked-when-the-daemon-was-killed ()
  (test-connect)
  (let ((pid (plist-get (khoj-rpc-await 'khoj/daemon/status nil) :pid)) hits)
    (signal-process pid 'SIGSTOP)
    (khoj-rpc-ask 'khoj/search '(:query "steamed") :again t :then (lambda (result) (setq hits (plist-get result :hits))))
    (signal-process pid 'SIGKILL)
    (should (> (length (test-wait "the hits" (lambda () hits))) 0))))

(ert-deftest mode-is-told-when-it-asks-nothing-again ()
  (test-connect)
  (let ((pid (plist-get (khoj-rpc-await 'khoj/daemon/status nil) :pid)) said)
    (signal-process pid 'SIGSTOP)
    (khoj-rpc-ask 'khoj/index/update nil :fail (lambda (message &rest _) (setq said message)))
    (signal-process pid 'SIGKILL)
    (should (equal (test-wait "the failure" (lambda () said)) "the connection to khojd was lost"))))

(ert-deftest mode-asks-no-more-once-khojd-was-left ()
  (test-connect)
  (let (said)
    (khoj-rpc-ask 'khoj/search '(:query "steamed") :again t :fail (lambda (message &rest _) (setq said message)))
    (khoj-disconnect)
    (should (equal (test-wait "the failure" (lambda () said)) "the connection was closed"))
    (should-not (khoj-connection-ready-p))
    (should-not (get-process "khoj"))))

(ert-deftest mode-cancels-requests-of-lsp-too ()
  (test-with-note "links.md"
    (search-forward "[[te")
    (let* ((asked nil) (cancelled nil)
           (listen (lambda (_connection &rest message)
                     (let ((params (plist-get message :params)))
                       (pcase (plist-get message :method)
                         ('textDocument/hover (push (plist-get params :workDoneToken) asked))
                         ('window/workDoneProgress/cancel (push (plist-get params :token) cancelled)))))))
      (advice-add 'jsonrpc-connection-send :before listen)
      (unwind-protect
          (progn
            (khoj-lsp-eldoc #'ignore)
            (goto-char (point-max))
            ;; The next one puts the last one aside.
            (khoj-lsp-eldoc #'ignore)
            (should (= (length asked) 2))
            (should (equal cancelled (cdr asked))))
        (advice-remove 'jsonrpc-connection-send listen)))))

(ert-deftest mode-checks-the-versions-of-the-protocol ()
  (unwind-protect
      (let ((khoj-connection-protocol 0))
        (khoj-reconnect)
        (should (string-match-p "protocol\\|version" (test-wait "what is wrong" (lambda () khoj-connection-problem)))))
    (khoj-disconnect))
  ;; One that is too old, and that nobody else uses, leaves; who comes after it is used as it is.
  (test-connect)
  (test-wait "nothing to be done" (lambda () (eq (plist-get (khoj-rpc-await 'khoj/daemon/status nil) :busy) :json-false)))
  (khoj-disconnect)
  (test-cli "status")
  (let ((khoj-connection-protocol 99) (khoj-connection--retired nil))
    (khoj-connection-open)
    (test-wait "the daemon" #'khoj-connection-ready-p)
    (should (eq khoj-connection--retired t))
    (should (khoj-rpc-await 'khoj/daemon/status nil)))
  (khoj-reconnect)
  (test-wait "the daemon" #'khoj-connection-ready-p))

(ert-deftest mode-of-two-emacsen-is-of-one-daemon ()
  (test-with-note "tea.md"
    (search-forward "🍵")
    (insert " (matcha)")
    (test-wait "the hit" (lambda () (test-found "matcha")))
    (let* ((process (make-process
                     :name "other" :buffer (generate-new-buffer " *other*") :noquery t
                     :command (list (getenv "KHOJD_EMACS") "--batch" "-Q" "-L" (getenv "KHOJD_PACKAGE")
                                    "-l" (getenv "KHOJD_SUPPORT")
                                    "--eval" "(princ (format \"pid %s\" (plist-get (khoj-rpc-await 'khoj/daemon/status nil) :pid)))"))))
      (test-wait "the other Emacs" (lambda () (not (process-live-p process))))
      (should (string-match-p (format "pid %d" (plist-get (khoj-rpc-await 'khoj/daemon/status nil) :pid))
                              (with-current-buffer (process-buffer process) (buffer-string))))
      ;; It has left, and this one stays.
      (should (test-found "matcha")))))

(ert-deftest mode-says-how-to-install-what-is-not-there ()
  (khoj-disconnect)
  (let ((khoj-command '("khojd" "connect")) (exec-path '("/nonexistent")) (khoj-socket nil) said)
    (khoj-rpc-ask 'khoj/search '(:query "tea") :fail (lambda (message &rest _) (setq said message)))
    (test-wait "the message" (lambda () said))
    (should (string-match-p "khojd is not installed: install it" said))
    (should (string-match-p "not installed" (car (khoj-status-summary)))))
  (let ((khoj-command '("sh" "-c" "echo 'khojd: config.toml, line 3: no such key' >&2; exit 3")) said)
    (khoj-rpc-ask 'khoj/search '(:query "tea") :fail (lambda (message &rest _) (setq said message)))
    (should (equal (test-wait "the message" (lambda () said)) "config.toml, line 3: no such key")))
  (let ((khoj-command '("cat")) said)
    (khoj-rpc-ask 'khoj/search '(:query "tea") :fail (lambda (message &rest _) (setq said message)))
    (khoj-disconnect)
    (should-not said))
  (test-connect))

(ert-deftest mode-connects-to-a-socket-directly ()
  (test-connect)
  (unwind-protect
      (let ((khoj-socket (getenv "KHOJD_SOCKET")) (khoj-command '("false")))
        (khoj-reconnect)
        (test-wait "the daemon" #'khoj-connection-ready-p)
        (should (eq (process-type (jsonrpc--process khoj-connection--wire)) 'network)))
    (khoj-disconnect)))

(ert-deftest mode-hangs-one-function-on-a-key ()
  "What it costs is measured by tests/bench/emacs.py."
  (test-with-note "tea.md"
    (should (equal (cl-remove-if-not (lambda (f) (and (symbolp f) (string-prefix-p "khoj" (symbol-name f))))
                                     (append after-change-functions before-change-functions post-command-hook
                                             pre-command-hook post-self-insert-hook))
                   '(khoj-mode--changed)))
    ;; Keys in a row are told at once.
    (dotimes (_ 3) (insert "x"))
    (should (equal khoj-mode--dirty (list (current-buffer))))))

(ert-deftest mode-z-unloads-without-a-trace ()
  (test-with-note "tea.md"
    (unload-feature 'khoj-similar t)
    (unload-feature 'khoj-mode t)
    (unload-feature 'khoj-search t)
    (unload-feature 'khoj-candidate t)
    (unload-feature 'khoj-org t)
    (unload-feature 'khoj-rpc t)
    (should-not (bound-and-true-p khoj-mode))
    (should-not (memq 'khoj-mode--changed after-change-functions))
    (insert "typed after all is gone")
    (should-not (get-process "khoj"))
    (should-not (assq 'khoj completion-styles-alist))
    (should-not (cl-some (lambda (timer) (string-prefix-p "khoj" (format "%s" (timer--function timer))))
                         (append timer-list timer-idle-list)))))

;;; mode.el ends here
