;;; khoj-place.el --- Places in notes, and changes of them  -*- lexical-binding: t; -*-

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

;; Places of the protocol are lines and characters, both counted from 0,
;; in files that are named by URIs; characters are those of Emacs, as
;; positions were asked for in utf-32.

;;; Code:

(require 'cl-lib)
(require 'khoj-rpc)
(require 'subr-x)

(defvar pulse-flag)
(declare-function pulse-momentary-highlight-region "pulse" (start end &optional face))

(declare-function org-fold-show-context "org-fold" (&optional key))

(defface khoj-match '((t :inherit match))
  "What was found, where it stands in a note."
  :group 'khoj)

(defvar-local khoj-place-version nil
  "The number of this buffer's text as khojd knows it, or nil.")


;;; Names and positions

(defun khoj-place-uri (file)
  "The URI of FILE."
  (concat "file://"
          (mapconcat (lambda (byte)
                       (if (or (<= ?a byte ?z) (<= ?A byte ?Z) (<= ?0 byte ?9) (memq byte '(?/ ?- ?_ ?. ?~)))
                           (string byte)
                         (format "%%%02X" byte)))
                     (encode-coding-string (expand-file-name file) 'utf-8) "")))

(defun khoj-place-file (uri)
  "The file that URI names."
  (decode-coding-string
   (replace-regexp-in-string "%[[:xdigit:]]\\{2\\}"
                             (lambda (escape) (unibyte-string (string-to-number (substring escape 1) 16)))
                             (encode-coding-string (string-remove-prefix "file://" uri) 'utf-8) t t)
   'utf-8))

(defun khoj-place-position (&optional point)
  "POINT of the current buffer, as the protocol has it."
  (save-excursion
    (save-restriction
      (widen)
      (when point (goto-char point))
      (list :line (1- (line-number-at-pos nil t)) :character (- (point) (line-beginning-position))))))

(defun khoj-place-range (start end)
  "What is between START and END, as the protocol has it."
  (list :start (khoj-place-position start) :end (khoj-place-position end)))

(defun khoj-place-point (position)
  "Where POSITION of the protocol is in the current buffer, which is not narrowed."
  (save-excursion
    (goto-char (point-min))
    (forward-line (plist-get position :line))
    (if (eobp)
        (point)
      (min (+ (point) (plist-get position :character)) (line-end-position)))))

(defun khoj-place-bounds (range)
  "Where RANGE of the protocol is in the current buffer, as a cons."
  (save-restriction
    (widen)
    (cons (khoj-place-point (plist-get range :start)) (khoj-place-point (plist-get range :end)))))


;;; Going there

(defun khoj-place-visit (location &optional how)
  "Show LOCATION, put point at its start, and pulse what it spans.
HOW is a function that shows a buffer and selects its window, or nil for
`pop-to-buffer-same-window'.  Return the bounds."
  (let ((file (khoj-place-file (plist-get location :uri))))
    (unless (or (file-exists-p file) (get-file-buffer file))
      (user-error "Khoj: %s is not there any more" (abbreviate-file-name file)))
    (funcall (or how #'pop-to-buffer-same-window) (find-file-noselect file)))
  (let ((bounds (khoj-place-bounds (plist-get location :range))))
    (push-mark (point) t)
    (when (or (< (car bounds) (point-min)) (> (cdr bounds) (point-max)))
      (widen))
    (goto-char (car bounds))
    (khoj-place-reveal)
    (khoj-place-pulse (car bounds) (cdr bounds))
    bounds))

(defun khoj-place-reveal ()
  "Unfold what hides point."
  (when (derived-mode-p 'org-mode)
    (if (fboundp 'org-fold-show-context)
        (org-fold-show-context 'link-search)
      (with-no-warnings (org-show-context 'link-search))))
  (dolist (overlay (overlays-at (point)))
    (when-let ((open (and (overlay-get overlay 'invisible) (overlay-get overlay 'isearch-open-invisible))))
      (funcall open overlay))))

(defun khoj-place-pulse (start end)
  "Show for a moment what is between START and END."
  (require 'pulse)
  (let ((pulse-flag (and (display-graphic-p) pulse-flag)))
    (pulse-momentary-highlight-region start (if (= start end) (min (1+ end) (point-max)) end) 'khoj-match)))


;;; Edits

(defun khoj-place-apply-edits (edits)
  "Make the TextEdits EDITS, a sequence, in the current buffer, as one change."
  (save-excursion
    (save-restriction
      (widen)
      (let ((places (mapcar (lambda (edit)
                              (let ((bounds (khoj-place-bounds (plist-get edit :range))))
                                (list (copy-marker (car bounds)) (copy-marker (cdr bounds)) (plist-get edit :newText))))
                            edits)))
        (atomic-change-group
          ;; Those that insert at one place keep their order, as the last one goes in first.
          (pcase-dolist (`(,start ,end ,text) (reverse places))
            (goto-char start)
            (delete-region start end)
            (insert text)
            (set-marker start nil)
            (set-marker end nil)))))))

(defun khoj-place-apply-workspace-edit (edit)
  "Make the WorkspaceEdit EDIT in buffers, which are left unsaved.
Signal an error, before anything is changed, when a file that is to be made is
there."
  (let ((changes (append (plist-get edit :documentChanges) nil)))
    (dolist (change changes)
      (when-let ((file (and (equal (plist-get change :kind) "create") (khoj-place-file (plist-get change :uri)))))
        (when (file-exists-p file)
          (error "%s is there already" file))))
    (run-hooks 'khoj-rpc-before-ask-hook)
    (cl-loop for (uri edits) on (plist-get edit :changes) by #'cddr
             do (khoj-place--edit-file (substring (symbol-name uri) 1) nil edits))
    (dolist (change changes)
      (pcase (plist-get change :kind)
        ("create" (make-directory (file-name-directory (khoj-place-file (plist-get change :uri))) t))
        ('nil (let ((document (plist-get change :textDocument)))
                (khoj-place--edit-file (plist-get document :uri) (plist-get document :version) (plist-get change :edits))))
        (kind (error "An edit of the kind %s is not known to khoj.el" kind))))))

(defun khoj-place--edit-file (uri version edits)
  "Make EDITS, which are for VERSION, in the buffer of the file that URI names."
  (with-current-buffer (find-file-noselect (khoj-place-file uri))
    (when (and version khoj-place-version (/= version khoj-place-version))
      (error "%s was changed meanwhile: try again" (buffer-name)))
    (khoj-place-apply-edits edits)))

(defun khoj-place--asked-to-edit (params)
  "Make the edit of PARAMS, as the daemon asks, and reply."
  (condition-case failure
      (progn (khoj-place-apply-workspace-edit (plist-get params :edit))
             '(:applied t))
    (error (list :applied :json-false :failureReason (error-message-string failure)))))

(defun khoj-place--asked-to-show (params)
  "Show the file of PARAMS, as the daemon asks, and reply."
  (let ((uri (plist-get params :uri)))
    (if (not (string-prefix-p "file:" uri))
        '(:success :json-false)
      (khoj-connection-later #'khoj-place--show params)
      '(:success t))))

(defun khoj-place--show (params)
  "Show the file of PARAMS."
  (let ((range (plist-get params :selection)))
    (if range
        (khoj-place-visit (list :uri (plist-get params :uri) :range range) #'pop-to-buffer)
      (pop-to-buffer (find-file-noselect (khoj-place-file (plist-get params :uri)))))))

(setf (alist-get 'workspace/applyEdit khoj-connection-requests) #'khoj-place--asked-to-edit
      (alist-get 'window/showDocument khoj-connection-requests) #'khoj-place--asked-to-show)


;;; Links

(defun khoj-place-link (path headings title)
  "A link to the note PATH, to the last of HEADINGS in it, with TITLE as text.
In Org buffers it is one of Org, elsewhere one of Markdown."
  (let* ((heading (car (last headings)))
         (text (or heading title (file-name-base path)))
         (here (and buffer-file-name (file-name-directory buffer-file-name)))
         (shown (if (and here (not (file-remote-p here)))
                    (file-relative-name path here)
                  (abbreviate-file-name path))))
    (if (derived-mode-p 'org-mode)
        (format "[[file:%s%s][%s]]" shown
                (if (and heading (string-suffix-p ".org" path)) (concat "::*" heading) "")
                (replace-regexp-in-string "[][]" "" text))
      (let ((target (concat shown (khoj-place--slug heading path))))
        (format "[%s](%s)" (replace-regexp-in-string "[][]" "" text)
                (if (string-match-p "[ ()]" target) (concat "<" target ">") target))))))

(defun khoj-place--slug (heading path)
  "The end of a link to HEADING in PATH, where such can be linked to."
  (if (not (and heading (string-match-p "\\.\\(md\\|markdown\\)\\'" path)))
      ""
    (concat "#" (replace-regexp-in-string
                 " " "-" (replace-regexp-in-string "[^-_ [:alnum:]]" "" (downcase (string-trim heading)))))))

(provide 'khoj-place)
;;; khoj-place.el ends here
