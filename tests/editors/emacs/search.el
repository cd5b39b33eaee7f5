;;; search.el --- Connecting and searching  -*- lexical-binding: t; -*-

;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Code:

(require 'khoj-search)

(defun test-hits ()
  "The hits in the minibuffer."
  (khoj-session-hits khoj-candidate-session))

(defun test-complete (query)
  "Whether all phases of QUERY were seen in the minibuffer."
  (and (equal query (khoj-session-query khoj-candidate-session))
       (eq (khoj-session-phase khoj-candidate-session) 'complete)))

(ert-deftest search-connects-and-says-hello ()
  (khoj-disconnect)
  (let (result)
    (khoj-rpc-ask 'khoj/daemon/status nil :then (lambda (found) (setq result found)))
    ;; Nothing has waited for the daemon yet.
    (should-not result)
    (test-wait "the daemon" (lambda () result))
    (should (khoj-connection-ready-p))
    (should (cl-some (lambda (client) (string-prefix-p "khoj.el" (plist-get client :name))) (plist-get result :clients)))))

(ert-deftest search-goes-to-the-range-that-was-chosen ()
  (save-window-excursion
    (test-typing ("steamed" (test-complete "steamed")
                  ;; The preview is in the window, with the match marked; that of fewer letters may have been another one.
                  (and khoj-preview--overlay
                       (with-current-buffer (overlay-buffer khoj-preview--overlay)
                         (string-match-p "Green tea 🍵 is steamed"
                                         (buffer-substring (overlay-start khoj-preview--overlay)
                                                           (overlay-end khoj-preview--overlay)))))
                  "C-c C-o")
      (khoj-search))
    (should (equal buffer-file-name (test-file "tea.md")))
    (should (looking-at "Green tea 🍵 is steamed, not roasted"))
    ;; What was found is marked until the next key.
    (should (cl-some (lambda (overlay) (and (eq (overlay-get overlay 'face) 'khoj-match)
                                            (string-match-p "\\`Green tea 🍵 is steamed, not roasted"
                                                            (buffer-substring (overlay-start overlay) (overlay-end overlay)))))
                     (overlays-at (point))))
    ;; The buffer of the preview is gone, and nothing is marked any longer.
    (should-not (get-buffer " *khoj preview*"))
    (should-not khoj-preview--overlay)))

(ert-deftest search-restores-the-window-when-it-is-quit ()
  (save-window-excursion
    (with-temp-buffer
      (insert "here")
      (switch-to-buffer (current-buffer))
      (let ((buffer (current-buffer)))
        (should-error (condition-case nil
                          (test-typing ("steamed" (test-complete "steamed") khoj-preview--overlay "C-g") (khoj-search))
                        (quit (error "Quit")))
                      :type 'error)
        (should (eq (window-buffer) buffer))
        (should (= (point) 5))))))

(ert-deftest search-shows-hits-in-the-completions-of-emacs-itself ()
  (save-window-excursion
    (let (seen)
      (test-typing ("kettle" (test-complete "kettle")
                    (when (get-buffer-window "*Completions*")
                      (setq seen (with-current-buffer "*Completions*" (buffer-string)))
                      (string-search "TODO Buy a kettle" seen))
                    "C-g")
        (condition-case nil (khoj-search) (quit nil)))
      (should (string-match-p "TODO Buy a kettle" seen))
      (should (string-match-p "errands.org:4" seen))
      (should (string-match-p "#shopping" seen)))))

(ert-deftest search-shows-all-hits-in-fido ()
  "Which forgets the styles of categories."
  (save-window-excursion
    (let (seen)
      (unwind-protect
          (progn
            (fido-mode 1)
            (test-typing ("what SPC to SPC purchase" (test-complete "what to purchase")
                          (and (consp completion-all-sorted-completions)
                               (string-search "Buy a kettle" (setq seen (car completion-all-sorted-completions))))
                          "C-g")
              (condition-case nil (khoj-search) (quit nil))))
        (fido-mode -1)
        (icomplete-mode -1))
      ;; None of them has the letters of the query.
      (should (string-match-p "Buy a kettle" seen)))))

(ert-deftest search-cancels-what-is-stale ()
  (test-connect)
  (let ((cancelled nil) (asked nil))
    (cl-flet ((note (_connection method params)
                (pcase method
                  ('khoj/search (push (plist-get params :query) asked))
                  ('window/workDoneProgress/cancel (push (plist-get params :token) cancelled)))))
      (let ((listen (lambda (connection &rest args)
                      (note connection (plist-get args :method) (plist-get args :params)))))
        (advice-add 'jsonrpc-connection-send :before listen)
        (unwind-protect
            (let* ((updates nil)
                   (session (khoj-session-make :update (lambda (session)
                                                          (push (khoj-session-query session) updates)))))
              (khoj-session-ask session "kett")
              (let ((stale (khoj-session-request session)))
                (khoj-session-ask session "steamed")
                (test-wait "all phases" (lambda () (eq (khoj-session-phase session) 'complete)))
                (should (member (khoj-rpc-request-token stale) cancelled))
                (should (khoj-rpc-request-done stale)))
              ;; Nothing of the first one was heard, and the second one came in phases.
              (should (equal (delete-dups (copy-sequence updates)) '("steamed")))
              (should (> (length updates) 2))
              (should (equal asked '("steamed" "kett")))
              (should (string-match-p "tea.md" (plist-get (khoj-candidate-hit (car (khoj-session-hits session))) :path))))
          (advice-remove 'jsonrpc-connection-send listen))))))

(ert-deftest search-waits-for-the-last-of-keys-in-a-row ()
  (test-connect)
  (let* ((asked nil)
         (listen (lambda (_connection &rest message)
                   (when (eq (plist-get message :method) 'khoj/search)
                     (push (plist-get (plist-get message :params) :query) asked)))))
    (advice-add 'jsonrpc-connection-send :before listen)
    (unwind-protect
        (test-typing ("steamed" (test-complete "steamed") "C-g")
          (condition-case nil (khoj-search) (quit nil)))
      (advice-remove 'jsonrpc-connection-send listen))
    (should (equal (car asked) "steamed"))
    (should (< (length asked) (length "steamed")))))

(ert-deftest search-knows-the-filters-and-what-they-are-about ()
  (test-connect)
  (with-temp-buffer
    (cl-flet ((completions (typed)
                (erase-buffer)
                (insert typed)
                (pcase-let ((`(,start ,end ,table . ,_) (khoj-filter-capf)))
                  (all-completions (buffer-substring start end) table))))
      (should (equal (completions "tea de") '("deadline:")))
      (should (string-match-p "due" (khoj-filter--about "deadline:")))
      (should (equal (completions "deadline<=to") '("today" "tomorrow")))
      (should (equal (completions "tea -scheduled:an") '("any")))
      (should (equal (completions "todo:DONE,W") '("WAITING")))
      (should (equal (completions "file:err") '("errands.org")))
      (should (equal (completions "tag:home,sho") '("shopping")))
      (should (member "en" (completions "lang:"))))))

(ert-deftest search-completes-filters ()
  (let (seen)
    (test-typing ("kettle SPC tag:sh" "C-M-i" (string-search "shopping" (minibuffer-contents-no-properties))
                  (setq seen (minibuffer-contents-no-properties))
                  (test-complete "kettle tag:shopping")
                  (= (length (test-hits)) 1)
                  "C-g")
      (condition-case nil (khoj-search) (quit nil)))
    (should (equal seen "kettle tag:shopping"))))

(ert-deftest search-says-what-is-wrong-with-a-filter ()
  (let (problem)
    (test-typing ("date:never" (setq problem (khoj-session-problem khoj-candidate-session)) "C-g")
      (condition-case nil (khoj-search) (quit nil)))
    (should (string-match-p "never" problem))))

(ert-deftest search-shows-all-hits-in-a-buffer-with-next-error ()
  (save-window-excursion
    (test-typing ("tea" (test-complete "tea") "C-c C-e")
      (khoj-search))
    (let ((buffer (test-wait "the hits" (lambda () (get-buffer "*khoj search*")))))
      (test-wait "its text" (lambda () (with-current-buffer buffer (string-match-p "steamed" (buffer-string)))))
      (with-current-buffer buffer
        (should (derived-mode-p 'special-mode))
        (goto-char (point-min)))
      (next-error 1 t)
      (let ((first (test-here)))
        (should (equal (car first) (test-file "tea.md")))
        (next-error)
        (should-not (equal (test-here) first))
        (previous-error)
        (should (equal (test-here) first))
        (should-error (previous-error)))
      (kill-buffer buffer))))

(ert-deftest search-does-with-hits-what-keys-say ()
  (save-window-excursion
    (delete-other-windows)
    (with-temp-buffer
      (switch-to-buffer (current-buffer))
      (org-mode)
      (let ((note (current-buffer)))
        (khoj-results-search "oolong oxidised")
        (let ((hits (test-wait "the hits" (lambda () (let ((window (get-buffer-window "*khoj search*")))
                                                       (and window (window-buffer window)))))))
          (pop-to-buffer hits)
          (goto-char (point-min))
          (search-forward "Half oxidised")
          (execute-kbd-macro "l")
          (should (string-match-p "\\[\\[file:.*tea\\.md\\]\\[Oolong\\]\\]" (with-current-buffer note (buffer-string))))
          (execute-kbd-macro "o")
          (should (eq (window-buffer) hits))
          (should (cl-some (lambda (window) (equal (buffer-file-name (window-buffer window)) (test-file "tea.md")))
                           (window-list)))
          (execute-kbd-macro "s")
          (test-wait "what is similar" (lambda () (get-buffer "*khoj similar*")))
          (pop-to-buffer hits)
          (execute-kbd-macro (kbd "RET"))
          (should (equal (car (test-here)) (test-file "tea.md")))
          (kill-buffer "*khoj similar*")
          (kill-buffer hits))))))

(ert-deftest search-acts-upon-the-hit-that-is-selected ()
  (save-window-excursion
    (with-temp-buffer
      (switch-to-buffer (current-buffer))
      (org-mode)
      (test-typing ("oolong SPC oxidised" (test-complete "oolong oxidised") "C-c C-l")
        (khoj-search))
      (should (string-match-p "\\`\\[\\[file:.*tea\\.md\\]\\[Oolong\\]\\]\\'" (buffer-string)))
      (test-typing ("oolong SPC oxidised" (test-complete "oolong oxidised") "C-c C-s")
        (khoj-search))
      (test-wait "what is similar" (lambda () (get-buffer "*khoj similar*")))
      (kill-buffer "*khoj similar*"))))

(ert-deftest search-stays-in-this-note-when-told-to ()
  (with-current-buffer (find-file-noselect (test-file "errands.org"))
    (let (paths)
      (test-typing ("tea" (test-complete "tea")
                    (or (setq paths (mapcar (lambda (hit) (plist-get (khoj-candidate-hit hit) :path)) (test-hits))) t)
                    "C-g")
        (condition-case nil (khoj-search-here t) (quit nil)))
      (should (equal (delete-dups paths) (and paths (list (test-file "errands.org"))))))))

(ert-deftest search-stays-in-this-folder-when-told-to ()
  (let ((elsewhere (file-name-as-directory (make-temp-file "khoj" t))) found)
    (dolist (folder (list (getenv "KHOJD_NOTES") elsewhere))
      (with-temp-buffer
        (setq default-directory (file-name-as-directory folder))
        (test-typing ("steamed" (test-complete "steamed")
                      (or (push (and (test-hits) t) found) t)
                      "C-g")
          (condition-case nil (khoj-search-here) (quit nil)))))
    (should (equal found '(nil t)))
    (delete-directory elsewhere)))

(ert-deftest search-inserts-links-in-the-style-of-the-buffer ()
  (with-temp-buffer
    (switch-to-buffer (current-buffer))
    (org-mode)
    (test-typing ("oolong SPC oxidised" (test-complete "oolong oxidised") "RET")
      (khoj-insert-link))
    (should (string-match-p "\\`\\[\\[file:.*tea\\.md\\]\\[Oolong\\]\\]\\'" (buffer-string))))
  (with-temp-buffer
    (switch-to-buffer (current-buffer))
    (setq buffer-file-name (test-file "new.md"))
    (test-typing ("oolong SPC oxidised" (test-complete "oolong oxidised") "RET")
      (khoj-insert-link))
    (should (equal (buffer-string) "[Oolong](tea.md#oolong)"))
    (set-buffer-modified-p nil)
    (setq buffer-file-name nil)))

(ert-deftest search-greps-lines-and-marks-them ()
  (save-window-excursion
    (khoj-grep "st.amed")
    (let ((buffer (test-wait "the lines" (lambda () (get-buffer "*khoj grep*")))))
      (test-wait "the text" (lambda () (with-current-buffer buffer (string-match-p "steamed" (buffer-string)))))
      (next-error 1 t)
      (with-current-buffer (window-buffer)
        (should (looking-at "steamed, not")))
      (kill-buffer buffer))))

(ert-deftest search-has-embark-friendly-candidates ()
  (let* ((session (khoj-session-make)) (table (khoj-candidate-table session))
         (all (all-completions "steamed" table)))
    (should (eq (completion-metadata-get (completion-metadata "" table nil) 'category) 'khoj-hit))
    (should (equal (plist-get (khoj-candidate-hit (car all)) :path) (test-file "tea.md")))
    ;; The styles of a person, whatever they are, filter nothing.
    (let ((completion-styles '(basic)))
      (should (equal (completion-all-completions "steamed" table nil 7 (completion-metadata "" table nil))
                     (append all 0))))))

;;; search.el ends here
