;;; khoj-results.el --- Hits in a buffer  -*- lexical-binding: t; -*-

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

;; A buffer with hits, grouped by note, from which `next-error' goes on
;; to the next one.  `khoj-grep' and `khoj-similar' show theirs here, and
;; `khoj-search' all of its.

;;; Code:

(require 'cl-lib)
(require 'khoj-place)
(require 'khoj-rpc)
(require 'subr-x)

(declare-function khoj-org-id "khoj-org" (hit))

(defface khoj-note '((t :inherit (bold font-lock-function-name-face)))
  "The name of a note above what was found in it."
  :group 'khoj)

(defface khoj-heading '((t :inherit font-lock-keyword-face))
  "The heading that a hit is below."
  :group 'khoj)

(defface khoj-about '((t :inherit shadow))
  "Where a hit is, its date and its tags."
  :group 'khoj)


;;; Hits in a line

(defun khoj-results-note (hit)
  "The name of the note that HIT is in."
  (let ((title (plist-get hit :title)))
    (if (and title (not (string-empty-p title))) title
      (file-name-nondirectory (plist-get hit :path)))))

(defun khoj-results-heading (hit)
  "The headings above HIT, with its state and priority, in one line."
  (string-join
   (delete "" (list (or (plist-get hit :todo) "")
                    (let ((priority (or (plist-get hit :priority) "")))
                      (if (string-empty-p priority) "" (format "[#%s]" priority)))
                    (mapconcat #'identity (plist-get hit :headings) " › ")))
   " "))

(defun khoj-results-snippet (hit)
  "The text of HIT, with what was searched for in a face."
  (let ((text (copy-sequence (or (plist-get hit :snippet) ""))))
    (cl-loop for span across (or (plist-get hit :highlights) [])
             do (add-face-text-property (aref span 0) (aref span 1) 'khoj-match nil text))
    text))

(defun khoj-results-line (hit &optional width)
  "HIT in one line of about WIDTH columns, with its heading and its text."
  (let* ((heading (khoj-results-heading hit))
         (left (if width (max 30 (- width (string-width heading) 2)) 160))
         (text (truncate-string-to-width
                (string-trim (replace-regexp-in-string "[ \t\n]+" " " (khoj-results-snippet hit))) left nil nil t)))
    (if (string-empty-p heading) text
      (concat (propertize heading 'face 'khoj-heading) ": " text))))

(defun khoj-results-about (hit)
  "Where HIT is, its date and its tags, in one line."
  (string-join
   (delete "" (list (format "%s:%d" (file-name-nondirectory (plist-get hit :path)) (khoj-results--line-number hit))
                    (or (plist-get hit :date) "")
                    (mapconcat (lambda (tag) (concat "#" tag)) (plist-get hit :tags) " ")))
   "  "))

(defun khoj-results--line-number (hit)
  "The line of HIT, counted from 1."
  (1+ (plist-get (plist-get (plist-get (plist-get hit :location) :range) :start) :line)))


;;; The buffer

(defvar-local khoj-results--again nil
  "Function that asks for the hits of this buffer anew.")

(defvar-local khoj-results-query nil
  "The query that found the hits of this buffer, or nil.")

(defvar khoj-results-mode-map
  (let ((map (make-sparse-keymap)))
    (define-key map (kbd "RET") #'khoj-results-visit)
    (define-key map [mouse-2] #'khoj-results-visit)
    (define-key map [follow-link] 'mouse-face)
    (define-key map "o" #'khoj-results-display)
    (define-key map "n" #'next-error-no-select)
    (define-key map "p" #'previous-error-no-select)
    (define-key map "f" #'next-error-follow-minor-mode)
    (define-key map "l" #'khoj-results-link)
    (define-key map "s" #'khoj-results-similar)
    map)
  "Keys in a buffer of hits.")

(define-derived-mode khoj-results-mode special-mode "Khoj-Results"
  "What was found in notes.

\\<khoj-results-mode-map>\\[khoj-results-visit] goes to a hit, \
\\[khoj-results-display] shows it in another window,
\\[khoj-results-link] inserts a link to it into the buffer that was current before,
\\[khoj-results-similar] finds notes like it.  \\[next-error] and \\[previous-error] \
go from hit to hit anywhere."
  :interactive nil
  (setq next-error-function #'khoj-results-next
        revert-buffer-function (lambda (&rest _) (when khoj-results--again (funcall khoj-results--again)))
        truncate-lines t))

(defun khoj-results-show (what hits &optional again quiet)
  "Show HITS, a list, in the buffer for WHAT; AGAIN asks for them anew.
With QUIET the buffer is filled and no window is chosen.  Return the buffer."
  (let ((buffer (get-buffer-create (format "*khoj %s*" (downcase what)))))
    (with-current-buffer buffer
      (unless (derived-mode-p 'khoj-results-mode)
        (khoj-results-mode))
      (setq khoj-results--again again)
      (let ((inhibit-read-only t))
        (erase-buffer)
        (khoj-results--insert hits)
        (goto-char (point-min))))
    (unless quiet
      (setq next-error-last-buffer buffer)
      (if hits (display-buffer buffer) (message "Khoj: nothing is found")))
    buffer))

(defun khoj-results--insert (hits)
  "Insert HITS below the names of their notes, in the order of the first of each."
  (let ((notes nil))
    (dolist (hit hits)
      (let ((note (assoc (plist-get hit :path) notes)))
        (if note (push hit (cdr note)) (push (list (plist-get hit :path) hit) notes))))
    (pcase-dolist (`(,path . ,found) (nreverse notes))
      (insert (propertize (khoj-results-note (car found)) 'face 'khoj-note)
              "  " (propertize (abbreviate-file-name path) 'face 'khoj-about) "\n")
      (dolist (hit (reverse found))
        (insert (propertize (concat (format "%5d: " (khoj-results--line-number hit)) (khoj-results-line hit))
                            'khoj-hit hit 'mouse-face 'highlight 'help-echo (plist-get hit :snippet))
                (propertize (concat "  " (string-remove-prefix
                                          (format "%s:%d" (file-name-nondirectory path) (khoj-results--line-number hit))
                                          (khoj-results-about hit)))
                            'face 'khoj-about 'khoj-hit hit)
                "\n"))
      (insert "\n"))))

(defun khoj-results--hit ()
  "The hit at point."
  (or (get-text-property (line-beginning-position) 'khoj-hit)
      (user-error "Khoj: no hit in this line")))

(defun khoj-results-visit (&optional event)
  "Go to the hit at point, or where the mouse was in EVENT."
  (interactive (list last-nonmenu-event))
  (when (and event (listp event)) (posn-set-point (event-end event)))
  (setq next-error-last-buffer (current-buffer))
  (khoj-place-visit (plist-get (khoj-results--hit) :location) #'pop-to-buffer))

(defun khoj-results-display ()
  "Show the hit at point in another window, and stay here."
  (interactive)
  (let ((location (plist-get (khoj-results--hit) :location)))
    (save-selected-window
      (khoj-place-visit location #'pop-to-buffer))))

(defun khoj-results-next (&optional n reset)
  "Go to the Nth next hit, from the first one with RESET; for `next-error'."
  (when reset (goto-char (point-min)))
  (let ((n (or n 1)))
    (if (zerop n)
        (unless (get-text-property (line-beginning-position) 'khoj-hit)
          (khoj-results--move 1))
      (dotimes (_ (abs n))
        (khoj-results--move (if (> n 0) 1 -1)))))
  (when-let ((window (get-buffer-window (current-buffer))))
    (set-window-point window (point)))
  (khoj-place-visit (plist-get (khoj-results--hit) :location) #'pop-to-buffer))

(defun khoj-results--move (step)
  "Go STEP lines on, to a line with a hit."
  (let ((start (point)))
    (unless (and (= (point) (point-min)) (> step 0) (get-text-property (point) 'khoj-hit))
      (forward-line step))
    (while (not (or (get-text-property (line-beginning-position) 'khoj-hit) (if (> step 0) (eobp) (bobp))))
      (forward-line step))
    (unless (get-text-property (line-beginning-position) 'khoj-hit)
      (goto-char start)
      (user-error "No more hits"))))


;;; What is done with a hit

(defun khoj-results-insert-link (hit)
  "Insert a link to HIT at point."
  (barf-if-buffer-read-only)
  (let* ((title (plist-get hit :title))
         (headings (append (plist-get hit :headings) nil))
         (id (and (derived-mode-p 'org-mode) (require 'khoj-org) (khoj-org-id hit))))
    (insert (if id (format "[[id:%s][%s]]" id (or (car (last headings)) title id))
              (khoj-place-link (plist-get hit :path) headings
                               (and title (not (string-empty-p title)) title))))))

(defun khoj-results-link ()
  "Insert a link to the hit at point into the buffer that was current before."
  (interactive)
  (let ((hit (khoj-results--hit)) (window (get-mru-window nil t t)))
    (unless window (user-error "Khoj: no other window to insert into"))
    (with-selected-window window
      (khoj-results-insert-link hit))
    (message "Khoj: a link was inserted into %s" (window-buffer window))))

(defun khoj-results-similar (&optional hit)
  "Find notes like HIT, or like the one at point."
  (interactive)
  (let ((location (plist-get (or hit (khoj-results--hit)) :location)))
    (khoj-results--ask "Similar" 'khoj/similar
                       (list :textDocument (list :uri (plist-get location :uri)) :range (plist-get location :range)))))

(defun khoj-results-search (query &optional params)
  "Show what is found by QUERY, with PARAMS of khoj/search besides."
  (khoj-results--ask "Search" 'khoj/search (append (list :query query) params)))

(defun khoj-results--ask (what method params)
  "Ask METHOD with PARAMS, and show the hits as WHAT."
  (khoj-rpc-ask method params
                :again t
                :then (lambda (result)
                        (with-current-buffer
                            (khoj-results-show what (append (plist-get result :hits) nil)
                                               (lambda () (khoj-results--ask what method params)))
                          (setq khoj-results-query (plist-get params :query)))
                        (cl-loop for note across (plist-get result :notes) do (message "Khoj: %s" note)))))

;;;###autoload
(defun khoj-grep (pattern)
  "Show all lines of the notes that match the regular expression PATTERN.
Its syntax is RE2's.  A pattern without capitals ignores case."
  (interactive (list (read-regexp "Grep notes")))
  (khoj-rpc-ask 'khoj/grep
                (list :pattern pattern :ignoreCase (let ((case-fold-search nil)) (not (string-match-p "[[:upper:]]" pattern))))
                :again t
                :then (lambda (result)
                        (khoj-results-show "Grep" (mapcar #'khoj-results--grep-hit (plist-get result :matches))
                                           (lambda () (khoj-grep pattern)))
                        (when (eq (plist-get result :truncated) t)
                          (message "Khoj: there are more lines; a stricter pattern shows them")))))

(defun khoj-results--grep-hit (match)
  "MATCH of a grep, as a hit."
  (let* ((location (plist-get match :location)) (range (plist-get location :range))
         (start (plist-get (plist-get range :start) :character))
         (end (if (= (plist-get (plist-get range :start) :line) (plist-get (plist-get range :end) :line))
                  (plist-get (plist-get range :end) :character)
                (length (plist-get match :line)))))
    (list :path (plist-get match :path) :location location :snippet (plist-get match :line)
          :highlights (vector (vector start (min end (length (plist-get match :line))))))))

(provide 'khoj-results)
;;; khoj-results.el ends here
