;;; eglot.el --- What a person does with notes in Emacs, with Eglot  -*- lexical-binding: t; -*-

;; SPDX-License-Identifier: Apache-2.0

;;; Commentary:

;; Run by test_eglot.py with KHOJD_CONNECT (the command as a JSON array) and KHOJD_NOTES (the folder of notes); with KHOJD_SOCKET the
;; daemon is reached over its socket instead.  The tests have the tag of the notes that they are for: examples, or collections.  Nothing but Emacs itself is used, and only its commands; what is seen is printed.

;;; Code:

(require 'cl-lib)
(require 'eglot)
(require 'ert)
(require 'flymake)
(require 'org)
(require 'xref)

;; As a person writes it in the init file.  Emacs 30 has no mode for Markdown; who has markdown-mode names that one.
(add-to-list 'eglot-server-programs
             `(((text-mode :language-id "markdown") org-mode)
               . ,(if (getenv "KHOJD_SOCKET")
                      (list 'eglot-lsp-server
                            :process (lambda ()
                                       (make-network-process :name "khojd" :family 'local :service (getenv "KHOJD_SOCKET")
                                                             :coding 'utf-8-emacs-unix :noquery t)))
                    (append (json-parse-string (getenv "KHOJD_CONNECT")) nil))))
(add-to-list 'auto-mode-alist '("\\.md\\'" . text-mode))
(setq project-vc-extra-root-markers '(".project"))

(setq eglot-sync-connect 60
      eglot-confirm-server-edits nil    ; nobody is there to be asked
      eglot-events-buffer-config '(:size 0 :format short)
      make-backup-files nil
      create-lockfiles nil
      xref-prompt-for-identifier nil)

(defun notes-open (name)
  "Show the note NAME, and attach it."
  (switch-to-buffer (find-file-noselect (expand-file-name name (getenv "KHOJD_NOTES"))))
  (unless (eglot-managed-p)
    (call-interactively #'eglot))
  (should (eglot-managed-p))
  (goto-char (point-min)))

(defun notes-go (needle)
  "Put point on the first NEEDLE."
  (goto-char (point-min))
  (search-forward needle)
  (goto-char (match-beginning 0)))

(defun notes-say (what text)
  "Print TEXT as what is seen of WHAT."
  (princ (format "--- %s\n%s\n" what text)))

(defun notes-wait (what condition)
  "Wait until CONDITION returns something true, and return that; WHAT says what for."
  (let ((deadline (+ (float-time) 60)) value)
    (while (not (setq value (funcall condition)))
      (when (> (float-time) deadline)
        (error "Waited in vain for %s" what))
      (accept-process-output nil 0.05))
    value))

(defun notes-should-have (text &rest parts)
  "Each of PARTS is in TEXT."
  (dolist (part parts)
    (unless (string-search part text)
      (ert-fail (list part 'is-not-in text)))))

(defun notes-text (name)
  "The text of the note NAME, as its buffer has it, else as its file has it."
  (let ((file (expand-file-name name (getenv "KHOJD_NOTES"))))
    (with-current-buffer (or (find-buffer-visiting file) (find-file-noselect file))
      (buffer-substring-no-properties (point-min) (point-max)))))

;; Emacs sends what was typed when it is idle, which a batch Emacs never is.
(defun notes-typed ()
  "Send what was typed."
  (dolist (buffer (buffer-list))
    (with-current-buffer buffer
      (when (eglot-managed-p)
        (eglot--signal-textDocument/didChange)))))

(defun notes-hover (needle &rest parts)
  "ElDoc shows PARTS on NEEDLE."
  (notes-go needle)
  (let (shown)
    (eglot-hover-eldoc-function (lambda (text &rest _) (setq shown (substring-no-properties (or text "")))))
    (notes-wait (concat "hover on " needle) (lambda () shown))
    (notes-say (concat "hover on " needle) shown)
    (apply #'notes-should-have shown parts)))

(defun notes-definition (note needle name line)
  "In NOTE, \\[xref-find-definitions] on NEEDLE goes to NAME, where the line is LINE."
  (notes-open note)
  (notes-go needle)
  (call-interactively #'xref-find-definitions)
  ;; Eglot of Emacs 30 leaves the names of files as bytes, so they are not compared as text.
  (should (file-equal-p buffer-file-name (expand-file-name name (getenv "KHOJD_NOTES"))))
  (should (equal (buffer-substring-no-properties (pos-bol) (pos-eol)) line)))

(defun notes-xrefs (items)
  "ITEMS as \"file: line\"."
  (mapcar (lambda (item)
            (let ((place (xref-item-location item)))
              (format "%s: %s" (file-relative-name (xref-location-group place) (getenv "KHOJD_NOTES"))
                      (substring-no-properties (xref-item-summary item)))))
          items))

(defun notes-references (note needle expected)
  "In NOTE, the references of NEEDLE are EXPECTED."
  (notes-open note)
  (notes-go needle)
  (let ((found (notes-xrefs (xref-backend-references 'eglot (xref-backend-identifier-at-point 'eglot)))))
    (notes-say (concat "references of " needle) (string-join found "\n"))
    (should (equal (sort found #'string<) expected))))

(defun notes-symbols (query expected)
  "The first that \\[xref-find-apropos] finds for QUERY begins with EXPECTED."
  (let ((found (notes-xrefs (xref-backend-apropos 'eglot query))))
    (notes-say (concat "symbols for " query) (string-join found "\n"))
    (should (string-prefix-p expected (car found)))))

(defun notes-complete (line typed label)
  "Below the line that begins with LINE, type TYPED and choose LABEL."
  (notes-go line)
  (end-of-line)
  (insert "\n" typed)
  (pcase-let* ((`(,start ,end ,table . ,plist) (eglot-completion-at-point))
               (labels (all-completions (buffer-substring-no-properties start end) table))
               (chosen (cl-find-if (lambda (one) (string-prefix-p label (string-trim one))) labels)))
    (unless chosen
      (ert-fail (list label 'is-not-offered (mapcar #'substring-no-properties labels))))
    (should (funcall (plist-get plist :company-doc-buffer) chosen))
    (delete-region start end)
    (insert chosen)
    (funcall (plist-get plist :exit-function) chosen 'finished)
    (notes-typed)))

(defun notes-rename (needle name)
  "Rename what NEEDLE is to NAME."
  (notes-go needle)
  (eglot-rename name))

(defun notes-act (needle title)
  "Choose the code action TITLE at NEEDLE."
  (notes-go needle)
  (let ((offered (mapcar (lambda (action) (plist-get action :title)) (eglot-code-actions (point) (point)))))
    (notes-say (concat "code actions at " needle) (string-join offered "\n"))
    (should (member title offered))
    (cl-letf (((symbol-function 'completing-read) (lambda (&rest _) title))
              (last-nonmenu-event ?\r))  ; typed, so that no menu pops up
      (eglot-code-actions (point) (point) nil t))))

(defun notes-diagnosed (cut)
  "The diagnostic that marks CUT."
  (cl-find-if (lambda (one)
                (equal (buffer-substring-no-properties (flymake-diagnostic-beg one) (flymake-diagnostic-end one)) cut))
              (flymake-diagnostics)))

(defun notes-wrong (cut)
  "Something is said to be wrong with CUT."
  (notes-typed)
  (flymake-start)
  (notes-wait (concat "a diagnostic of " cut) (lambda () (notes-diagnosed cut)))
  (notes-say (format "diagnostics of %s" (buffer-name))
             (mapconcat (lambda (one)
                          (format "%d %s" (line-number-at-pos (flymake-diagnostic-beg one)) (flymake-diagnostic-text one)))
                        (flymake-diagnostics) "\n")))

(defun notes-right (cut)
  "Nothing is said to be wrong with CUT any more."
  (notes-typed)
  (flymake-start)
  (notes-wait (concat "the end of the diagnostic of " cut) (lambda () (not (notes-diagnosed cut)))))

;;; The conversation, in the order of the tests' names: what one leaves is what the next one finds.

(ert-deftest notes-1-symbols ()
  :tags '(examples)
  (notes-open "notes/Weekend.md")
  (notes-symbols "gears" "notes/Bike repair.md: ## Gears jump under load")
  (notes-symbols "why the bicycle is noisy" "notes/Bike repair.md: "))

(ert-deftest notes-2-markdown-is-read ()
  :tags '(examples)
  (notes-open "notes/Weekend.md")
  (notes-wrong "No such note")
  (notes-hover "[[Sleep]]" "notes/Sleep.md" "Three weeks of lying awake")
  (notes-hover "[[Bike repair#" "notes/Bike repair.md" "The chain skips on the two smallest sprockets")
  (notes-hover "#holiday" "#holiday: 2 notes")
  (notes-hover "## Plans" "Related" "notes/Bike repair.md")
  (notes-definition "notes/Weekend.md" "[[Sleep]]" "notes/Sleep.md" "---")
  (notes-definition "notes/Weekend.md" "[[Bike repair#" "notes/Bike repair.md" "## Gears jump under load")
  (notes-definition "notes/Weekend.md" "[[龙井茶" "notes/龙井茶.md" "---")
  (let ((both (concat "notes/Weekend.md: Read [[Sleep]] 🌙 first, then [[Bike repair#Gears jump under load]] and "
                      "[gears](<Bike repair.md#gears-jump-under-load>).")))
    (notes-references "notes/Bike repair.md" "## Gears" (list "notes/Bike repair.md: ## Gears jump under load" both both))))

(ert-deftest notes-3-markdown-is-written ()
  :tags '(examples)
  (notes-open "notes/Weekend.md")
  (goto-char (point-max))
  (insert "\n🌙 [[Sleep#Nightmares]]\n")
  (notes-wrong "Sleep#Nightmares")
  (delete-region (pos-bol 0) (point-max))
  (notes-right "Sleep#Nightmares")
  (notes-open "notes/Bike repair.md")
  (notes-rename "## Gears" "Worn chain")
  (notes-should-have (notes-text "notes/Bike repair.md") "\n## Worn chain\n")
  (notes-should-have (notes-text "notes/Weekend.md")
                     "🌙 first, then [[Bike repair#Worn chain]] and [gears](<Bike repair.md#worn-chain>).")
  (notes-open "notes/Weekend.md")
  (notes-complete "## Plans" "🌙 Or stay on the [[Sourd" "Sourdough")
  (notes-should-have (notes-text "notes/Weekend.md") "🌙 Or stay on the [[Sourdough]]\n"))

(ert-deftest notes-4-org-is-read ()
  :tags '(examples)
  (notes-open "org/summer.org")
  (should (derived-mode-p 'org-mode))
  (notes-wrong "file:nowhere.org")
  (notes-hover "[[file:river-gauge.org" "org/river-gauge.org" "Reduce the power drawn while asleep")
  (notes-hover "[[file:../notes" "notes/Sleep.md" "Three weeks of lying awake")
  (notes-hover "* Rides" "2 backlinks" "org/summer.org")
  (notes-definition "org/summer.org" "[[file:river-gauge.org" "org/river-gauge.org"
                    "* Firmware                                                         :firmware:")
  (notes-definition "org/summer.org" "[[id:" "org/summer.org" "* Rides")
  (let ((both (concat "org/summer.org:   After the [[*Rides]], as in [[id:6a1f0b52-6f0c-4c5d-9a35-0c3c5c1d9b1e][that heading]]. "
                      "Then [[file:nowhere.org]].")))
    (notes-references "org/summer.org" "* Rides" (list both both "org/summer.org: * Rides"))))

(ert-deftest notes-5-org-is-written ()
  :tags '(examples)
  (notes-open "org/summer.org")
  (notes-rename "* Rides" "Long rides")
  (notes-should-have (notes-text "org/summer.org") "\n* Long rides\n" "After the [[*Long rides]], as in [[id:6a1f0b52")
  (notes-complete "  After the" "  🌙 Or [[id:Autu" "Autumn")
  (let ((text (notes-text "org/summer.org")))
    (should (string-match "🌙 Or \\[\\[id:\\([-0-9a-f]+\\)]\\[Autumn]]\n" text))
    (notes-should-have text (format "* TODO Autumn\n  :PROPERTIES:\n  :ID:       %s\n  :END:\n" (match-string 1 text)))))

(ert-deftest notes-6-what-is-wrong-is-mended ()
  :tags '(examples)
  (notes-open "notes/Weekend.md")
  (goto-char (point-max))
  (insert "\n[[Bike repare]]\n")
  (notes-wrong "Bike repare")
  (notes-act "Bike repare" "Link to notes/Bike repair")
  (notes-right "Bike repare")
  (notes-should-have (notes-text "notes/Weekend.md") "\n[[Bike repair]]\n")
  ;; The links to the heading that was renamed are right, too, though neither note is saved.
  (notes-right "Bike repair#Worn chain")
  ;; Eglot of Emacs 30 lets no server rename files: that is said, and nothing is changed.
  (let ((before (notes-text "notes/Weekend.md")))
    (notes-should-have (error-message-string (should-error (notes-rename "[[Sleep]]" "Rest"))) "rename files")
    (should (equal (notes-text "notes/Weekend.md") before))))

(ert-deftest notes-7-emacs-leaves ()
  :tags '(examples)
  (notes-open "org/summer.org")
  (let ((server (eglot-current-server)))
    (eglot-shutdown server)
    (notes-wait "the end of the connection" (lambda () (not (jsonrpc-running-p server))))))

;;; Dendron's vault and the Org files of Worg, as their authors left them.

(ert-deftest notes-of-others-in-markdown ()
  :tags '(collections)
  (let ((cli "vault/dendron.topic.notes.cli.lookup.md") (lookup "vault/dendron.topic.lookup.md"))
    (notes-open cli)
    (notes-hover "[[dendron.topic.lookup]]" lookup "Lookups help you create, find, and organize your notes")
    (notes-definition cli "[[dendron.topic.lookup]]" lookup "---")
    (notes-definition "vault/changelog.past-versions.0-1-x.md" "[[dendron.topic.lookup.modifiers#multi"
                      "vault/dendron.topic.lookup.modifiers.md" "### multiSelect")
    (notes-open lookup)
    (let ((found (notes-xrefs (xref-backend-references 'eglot (xref-backend-identifier-at-point 'eglot)))))
      (should (> (length found) 20))
      (should (member "vault/dendron.topic.notes.cli.md: Note to query for. Same syntax as [[dendron.topic.lookup]]" found)))
    (notes-symbols "Look up Auto Complete" (concat lookup ": ## Look up Auto Complete"))
    (notes-open cli)
    (notes-complete "Note to query" "See [[dendron.topic.lookup.fi" "Finding Notes")
    (notes-should-have (notes-text cli) "See [[dendron.topic.lookup.find]]\n")
    (notes-open "vault/dendron.topic.lookup.find.md")
    (notes-rename "### Dot" "Dot comes last")
    (dolist (name '("vault/changelog.release.2021-11-16.md" "vault/changelog.md"))
      (notes-should-have (notes-text name) "[[docs|dendron.topic.lookup.find#dot-comes-last]]"))
    (notes-open cli)
    (goto-char (point-max))
    (insert "\n[[dendron.topic.lokup]]\n")
    (notes-wrong "dendron.topic.lokup")
    (notes-act "dendron.topic.lokup" "Link to vault/dendron.topic.lookup")
    (notes-right "dendron.topic.lokup")))

(ert-deftest notes-of-others-in-org ()
  :tags '(collections)
  (let ((maintenance "worg/org-maintenance.org") (contribute "worg/org-contribute.org"))
    (notes-open maintenance)
    (notes-hover "[[file:org-contribute.org::#repos" contribute "Overview of Org repositories")
    (notes-definition maintenance "[[file:org-contribute.org::#repos" contribute "* Overview of Org repositories")
    (notes-references contribute "* Overview of Org"
                      (list (concat contribute ": * Overview of Org repositories")
                            (concat maintenance ": [[file:org-contribute.org::#repos-overview][several others]]:")))
    (notes-symbols "Additional Org mode repositories" (concat maintenance ": ** Additional Org mode repositories"))
    (notes-open maintenance)
    (notes-complete "** Additional Org" "See [[file:org-contrib" "Contributing to Org")
    (notes-should-have (notes-text maintenance) "See [[file:org-contribute.org]")
    ;; Eglot runs no command of a completion; the heading of the other note gets its ID all the same.
    (notes-complete "** Additional Org" "See [[id:Overview of Org rep" "Overview of Org repositories")
    (should (string-match "See \\[\\[id:\\([-0-9a-f]+\\)]" (notes-text maintenance)))
    (let ((property (concat ":ID:       " (match-string 1 (notes-text maintenance)))))
      (notes-wait property (lambda () (string-search property (notes-text contribute)))))
    (notes-rename "* Additional Org" "More repositories")
    (notes-should-have (notes-text maintenance) "\n** More repositories\n")))

;;; eglot.el ends here
