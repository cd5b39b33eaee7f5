;;; khoj-view.el --- A turn of a conversation in a buffer  -*- lexical-binding: t; -*-

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

;; How a turn of a conversation is shown: the question as a heading, what
;; was done and thought in a part that is folded, the answer, and below
;; it what it cites.  Markers stand between these, so that each grows by
;; itself while it is streamed, and nobody's point moves.

;;; Code:

(require 'button)
(require 'cl-lib)
(require 'khoj-place)
(require 'khoj-rpc)
(require 'subr-x)

(declare-function khoj-proposal-show "khoj-proposal" (turn proposal))

(defface khoj-citation '((t :inherit link))
  "A citation in an answer."
  :group 'khoj)

(defface khoj-weak-citation '((t :inherit (shadow link)))
  "A citation of a passage that hardly says what it is cited for."
  :group 'khoj)

(defface khoj-aside '((t :inherit shadow))
  "What is not of the answer itself."
  :group 'khoj)

(cl-defstruct (khoj-view (:constructor khoj-view--make) (:copier nil))
  "A turn in the buffer."
  id question
  begin                                 ; of the question
  details-begin details-end fold        ; what was done and thought
  answer-begin answer-end
  (steps 0) (words 0) thinking notices
  citations                             ; overlays, the oldest first
  proposals)

(defvar-local khoj-view-number 0
  "How many turns were shown in this buffer, by which footnotes are told apart.")


;;; Growing

(defmacro khoj-view--editing (&rest body)
  "Run BODY, to change what is read-only, and leave point where it is."
  (declare (indent 0))
  `(let ((inhibit-read-only t) (buffer-undo-list t))
     (save-excursion ,@body)))

(defun khoj-view--string (text &rest properties)
  "TEXT with PROPERTIES, and not to be changed."
  (apply #'propertize text 'category 'khoj-view 'read-only t 'front-sticky '(read-only) properties))

;; What is typed behind it is another's.  Of the category, as modes that put colours on may remove this from the text.
(put 'khoj-view 'rear-nonsticky t)

(defun khoj-view-open (question end)
  "Show QUESTION before the marker END, and return its view."
  (khoj-view--editing
    (goto-char end)
    (let* ((lines (split-string (string-trim question) "\n"))
           (begin (copy-marker (point)))
           (view (khoj-view--make :question question :begin begin)))
      (cl-incf khoj-view-number)
      (insert (khoj-view--string (concat (if (derived-mode-p 'org-mode) "* " "# ") (car lines) "\n")))
      (dolist (line (cdr lines))
        (insert (khoj-view--string (concat (if (string-prefix-p "*" line) "," "") line "\n"))))
      (setf (khoj-view-details-begin view) (copy-marker (point)))
      (insert (khoj-view--string "\n"))
      (let ((body (point)))
        (insert (khoj-view--string "\n"))
        (setf (khoj-view-details-end view) (copy-marker (1- (point)) t)
              (khoj-view-fold view) (make-overlay body (point)))
        (overlay-put (khoj-view-fold view) 'invisible 'khoj-view)
        (overlay-put (khoj-view-fold view) 'isearch-open-invisible #'delete-overlay))
      (setf (khoj-view-answer-begin view) (copy-marker (point)))
      (insert (khoj-view--string "\n"))
      (setf (khoj-view-answer-end view) (copy-marker (1- (point)) t))
      (insert (khoj-view--string "\n"))
      (khoj-view--head view "waiting")
      view)))

(defun khoj-view--head (view &optional doing)
  "Say above the folded part of VIEW what is in it, and what it is DOING."
  (khoj-view--editing
    (goto-char (khoj-view-details-begin view))
    (delete-region (point) (line-end-position))
    (insert (khoj-view--string
             (concat
              (if (overlay-get (khoj-view-fold view) 'invisible) "▸ " "▾ ")
              (string-join
               (delq nil
                     (list (and (> (khoj-view-steps view) 0) (format "%d steps" (khoj-view-steps view)))
                           (and (> (khoj-view-words view) 0) (format "thought %d words" (khoj-view-words view)))
                           (and doing (concat doing "…"))))
               ", ")
              (and (khoj-view-notices view)
                   (concat " — " (string-join (reverse (khoj-view-notices view)) "; "))))
             'font-lock-face 'khoj-aside))
    (make-text-button (khoj-view-details-begin view) (line-end-position)
                      'type 'khoj-view-head
                      'action (lambda (_) (khoj-view-toggle view)))
    (add-text-properties (khoj-view-details-begin view) (line-end-position)
                         '(read-only t front-sticky (read-only)))))

(define-button-type 'khoj-view-head
  'face 'khoj-aside
  'follow-link t
  'help-echo "RET: show or fold what was done and thought")


(defun khoj-view-toggle (view)
  "Show or fold what was done and thought in VIEW."
  (let ((fold (khoj-view-fold view)))
    (overlay-put fold 'invisible (if (overlay-get fold 'invisible) nil 'khoj-view))
    (khoj-view--head view)))

(defun khoj-view--detail (view text)
  "Add TEXT to what is folded in VIEW."
  (khoj-view--editing
    (goto-char (khoj-view-details-end view))
    (insert (khoj-view--string text 'font-lock-face 'khoj-aside))))

(defun khoj-view-step (view step)
  "Add STEP to VIEW."
  (let ((text (plist-get step :text)))
    (khoj-view--detail view (concat (if (khoj-view-thinking view) "\n" "") "- " text "\n"))
    (setf (khoj-view-thinking view) nil)
    (cl-incf (khoj-view-steps view))
    (when (equal (plist-get step :kind) "notice")
      (push text (khoj-view-notices view)))
    (khoj-view--head view (truncate-string-to-width text 60 nil nil t))))

(defun khoj-view-think (view text)
  "Add TEXT to what is thought in VIEW."
  (khoj-view--detail view text)
  (setf (khoj-view-thinking view) t)
  (cl-incf (khoj-view-words view) (length (split-string text)))
  (khoj-view--head view "thinking"))

(defun khoj-view-text (view text)
  "Add TEXT to the answer of VIEW."
  (khoj-view--editing
    (when (= (khoj-view-answer-begin view) (khoj-view-answer-end view))
      (khoj-view--head view))
    (goto-char (khoj-view-answer-end view))
    (insert (khoj-view--string text))))


;;; Citations

(defvar khoj-view-citation-map
  (let ((map (make-sparse-keymap)))
    (define-key map (kbd "RET") #'khoj-view-visit)
    (define-key map [mouse-2] #'khoj-view-visit)
    (define-key map [follow-link] 'mouse-face)
    map)
  "Keys on a citation.")

(defun khoj-view-cite (view citation)
  "Make the marker that ends the answer of VIEW the one of CITATION."
  (save-excursion
    (goto-char (khoj-view-answer-end view))
    (when (search-backward (khoj-view--marker citation) (khoj-view-answer-begin view) t)
      (khoj-view--add view (point) (match-end 0) citation))))

(defun khoj-view--marker (citation)
  "The end of what stands for CITATION in the text."
  (format "%d]" (plist-get citation :number)))

(defun khoj-view-cite-all (view citations)
  "Make the markers of CITATIONS in the answer of VIEW, which is whole."
  (seq-doseq (citation citations)
    (save-excursion
      (goto-char (min (+ (khoj-view-answer-begin view) (plist-get citation :at)) (khoj-view-answer-end view)))
      (when (search-forward (khoj-view--marker citation) (min (+ (point) 12) (khoj-view-answer-end view)) t)
        (khoj-view--add view (match-beginning 0) (point) citation)))))

(defun khoj-view--add (view start end citation)
  "The text from START, or before it, to END is CITATION in VIEW."
  (save-excursion
    (goto-char start)
    (skip-chars-backward "^[" (max (khoj-view-answer-begin view) (- start 2)))
    (let ((overlay (make-overlay (max (khoj-view-answer-begin view) (1- (point))) end nil t)))
      (khoj-view--make-citation overlay citation)
      (setf (khoj-view-citations view) (append (khoj-view-citations view) (list overlay))))))

(defun khoj-view--make-citation (overlay citation)
  "Have OVERLAY stand for CITATION."
  (overlay-put overlay 'khoj-citation citation)
  (overlay-put overlay 'face (if (eq (plist-get citation :weak) t) 'khoj-weak-citation 'khoj-citation))
  (overlay-put overlay 'mouse-face 'highlight)
  (overlay-put overlay 'keymap khoj-view-citation-map)
  (overlay-put overlay 'help-echo (khoj-view--about citation)))

(defun khoj-view--about (citation)
  "Where CITATION is from, and its quote."
  (format "%s%s%s: “%s”"
          (khoj-view-source citation)
          (if (equal (plist-get citation :state) "stale") " (changed since)" "")
          (if (eq (plist-get citation :weak) t) " (weak)" "")
          (string-join (split-string (plist-get citation :quote)) " ")))

(defun khoj-view-source (citation)
  "The note and the heading that CITATION is from."
  (let ((title (plist-get citation :title)) (headings (append (plist-get citation :headings) nil)))
    (string-join (delete-dups (cons (if (string-empty-p title) (file-name-nondirectory (plist-get citation :path)) title)
                                    headings))
                 " › ")))

(defun khoj-view-citation (&optional point)
  "The citation at POINT, or nil."
  (cl-some (lambda (overlay) (overlay-get overlay 'khoj-citation)) (overlays-at (or point (point)))))

(defun khoj-view-visit (&optional event)
  "Go to what the citation at point, or at the mouse in EVENT, cites.
Show the quote in the echo area."
  (interactive (list last-nonmenu-event))
  (when (and event (listp event)) (posn-set-point (event-end event)))
  (let ((citation (or (khoj-view-citation) (user-error "Khoj: no citation here"))))
    (khoj-place-visit (plist-get citation :location) #'pop-to-buffer)
    (message "%s" (khoj-view--about citation))))

(defun khoj-view-eldoc (&rest _)
  "What the citation at point cites, for ElDoc."
  (when-let ((citation (khoj-view-citation)))
    (khoj-view--about citation)))


;;; The end of an answer

(defun khoj-view-end (view result)
  "The answer of VIEW is whole; RESULT has its end and its citations."
  (let ((citations (plist-get result :citations)))
    (if (khoj-view-citations view)
        (cl-loop for overlay in (khoj-view-citations view) for citation across citations
                 do (khoj-view--make-citation overlay citation))
      (khoj-view-cite-all view citations)))
  (khoj-view--head view)
  (khoj-view--editing
    (goto-char (khoj-view-answer-end view))
    (skip-chars-backward " \n" (khoj-view-answer-begin view))
    (delete-region (point) (khoj-view-answer-end view))
    (when (derived-mode-p 'org-mode)
      (khoj-view--to-org view))
    (khoj-view--list-sources view)
    (seq-doseq (proposal (plist-get result :proposals))
      (khoj-view--propose view proposal))
    (pcase (plist-get result :state)
      ("cancelled" (khoj-view-remark view "Stopped" (plist-get result :reason)))
      ("failed" (khoj-view-remark view "Failed" (plist-get result :reason)))
      ("running" (khoj-view-remark view "Being answered elsewhere")))))

(defun khoj-view-remark (view word &optional reason)
  "Say WORD, and REASON, below the answer of VIEW, which is not whole.
These are the words that other editors have, too."
  (khoj-view--editing
    (goto-char (khoj-view-answer-end view))
    (insert (khoj-view--string (concat (if (= (khoj-view-answer-begin view) (point)) "" "\n") "(" word
                                       (if (member reason '(nil "")) "" (concat ": " reason)) ")")
                               'font-lock-face 'khoj-aside))))

(defun khoj-view--list-sources (view)
  "List below the answer of VIEW what it cites, each source once."
  (let ((seen nil) (org (derived-mode-p 'org-mode)) (number khoj-view-number))
    (dolist (overlay (khoj-view-citations view))
      (let* ((citation (overlay-get overlay 'khoj-citation)) (cited (plist-get citation :number)))
        (when org
          (khoj-view--relabel overlay (format "[fn:%d-%d]" number cited)))
        (unless (memq cited seen)
          (goto-char (khoj-view-answer-end view))
          (insert (khoj-view--string (if seen "\n" "\n\n")))
          (push cited seen)
          (let ((start (point)) source)
            (insert (khoj-view--string (if org (format "[fn:%d-%d] " number cited) (format "[%d] " cited))))
            (setq source (point))
            (insert (khoj-view--string (truncate-string-to-width (khoj-view--about citation) 300 nil nil t)))
            (add-text-properties start (point) '(wrap-prefix "    "))
            (khoj-view--make-citation (make-overlay source (+ source (length (khoj-view-source citation)))) citation)))))))

(defun khoj-view--relabel (overlay label)
  "Have OVERLAY span LABEL instead of what it spans."
  (goto-char (overlay-start overlay))
  (let ((old (overlay-end overlay)))
    (forward-char 1)
    (insert (khoj-view--string (substring label 1)))
    (delete-region (point) (+ old (length label) -1))))

(defun khoj-view--propose (view proposal)
  "Show below the answer of VIEW that PROPOSAL may be applied."
  (goto-char (khoj-view-answer-end view))
  (insert (khoj-view--string (format "\n\nProposed change of %s%s\n" (file-name-nondirectory (plist-get proposal :path))
                                     (if (string-empty-p (plist-get proposal :why)) ""
                                       (concat ": " (plist-get proposal :why))))
                             'font-lock-face 'khoj-aside))
  (let ((start (point)))
    (insert (khoj-view--string "[Show and apply]"))
    (make-text-button start (point) 'follow-link t 'khoj-proposal proposal
                      'help-echo "RET: show the change; it is made when you say so"
                      'action (lambda (_) (khoj-proposal-show (khoj-view-id view) proposal)))
    (add-text-properties start (point) '(read-only t front-sticky (read-only)))))


;;; Markdown to Org

(defun khoj-view--to-org (view)
  "Turn the Markdown of the answer of VIEW into Org."
  (let ((end (khoj-view-answer-end view)) (code nil))
    (goto-char (khoj-view-answer-begin view))
    (while (< (point) end)
      (cond
       ((looking-at "[ \t]*\\(```\\|~~~\\)[ \t]*\\([[:alnum:]+-]*\\).*$")
        (khoj-view--swap (cond (code "#+end_src")
                               ((string-empty-p (match-string 2)) "#+begin_src text")
                               (t (concat "#+begin_src " (match-string 2)))))
        (setq code (not code)))
       (code (when (looking-at "\\*\\|#\\+") (insert (khoj-view--string ","))))
       ((looking-at "\\(#+\\)[ \t]+") (khoj-view--swap (concat (make-string (1+ (length (match-string 1))) ?*) " ")))
       (t (when (looking-at "\\*[ \t]+") (khoj-view--swap "- "))
          (khoj-view--line-to-org (min end (line-end-position)))))
      (forward-line 1))
    (when code
      (goto-char end)
      (insert (khoj-view--string "\n#+end_src")))))

(defun khoj-view--line-to-org (end)
  "Turn Markdown from point to END into Org."
  (let ((end (copy-marker end)))
    (while (re-search-forward "`\\([^`\n]+\\)`\\|\\*\\*\\([^*\n]+\\)\\*\\*\\|\\(?:^\\|[^!]\\)\\(\\[\\([^]\n]+\\)\\](\\([^) \n]+\\))\\)" end t)
      (cond ((match-string 1)
             (khoj-view--swap-span 0 (concat "~" (match-string 1) "~")))
            ((match-string 2)
             (khoj-view--swap-mark (match-beginning 2) (match-end 2)))
            (t (khoj-view--swap-span 3 (format "[[%s][%s]]" (match-string 5) (match-string 4))))))
    (set-marker end nil)))

(defun khoj-view--swap (text)
  "Put TEXT in place of what was matched last."
  (khoj-view--swap-span 0 text))

(defun khoj-view--swap-span (group text)
  "Put TEXT in place of GROUP of what was matched last."
  (goto-char (match-end group))
  (insert (khoj-view--string text))
  (delete-region (match-beginning group) (match-end group)))

(defun khoj-view--swap-mark (start end)
  "Put single stars around what is from START to END, which has two around it.
What is within keeps its citations."
  (goto-char end)
  (delete-char 1)
  (goto-char start)
  (delete-char -1))

(provide 'khoj-view)
;;; khoj-view.el ends here
