;;; khoj-proposal.el --- Changes of notes that answers propose  -*- lexical-binding: t; -*-

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

;; An answer may propose to change a note.  The change is shown as a diff
;; of the note as it is now, and made in its buffer once you say so; the
;; buffer is left to be saved by you.

;;; Code:

(require 'cl-lib)
(require 'diff-mode)
(require 'khoj-place)
(require 'khoj-rpc)

(defvar-local khoj-proposal--turn nil)
(defvar-local khoj-proposal--id nil)

(defvar khoj-proposal-mode-map
  (let ((map (make-sparse-keymap)))
    (define-key map (kbd "C-c C-c") #'khoj-proposal-apply)
    (define-key map (kbd "C-c C-k") #'quit-window)
    map)
  "Keys where a proposed change is shown.")

(define-derived-mode khoj-proposal-mode diff-mode "Khoj-Proposal"
  "A change of a note that an answer has proposed.
\\<khoj-proposal-mode-map>\\[khoj-proposal-apply] makes it, \\[quit-window] leaves it."
  :interactive nil
  (setq buffer-read-only t
        header-line-format (substitute-command-keys
                            " \\<khoj-proposal-mode-map>\\[khoj-proposal-apply] makes this change, \\`C-c C-k' leaves it")))

(defun khoj-proposal-show (turn proposal)
  "Show what PROPOSAL of TURN would change in the note as it is now."
  (let ((id (plist-get proposal :id)))
    (khoj-rpc-ask 'khoj/chat/apply (list :turn turn :proposal id :editOnly t)
                  :then (lambda (result) (khoj-proposal--show turn id (plist-get result :change))))))

(defun khoj-proposal--show (turn id change)
  "Show CHANGE, which is the proposal ID of TURN."
  (let ((diff (khoj-proposal--diff change)))
    (pop-to-buffer (get-buffer-create "*khoj proposal*"))
    (let ((inhibit-read-only t))
      (erase-buffer)
      (insert diff)
      (goto-char (point-min)))
    (khoj-proposal-mode)
    (setq khoj-proposal--turn turn
          khoj-proposal--id id)))

(defun khoj-proposal--diff (change)
  "CHANGE as a unified diff with three lines around it."
  (pcase-let* ((path (plist-get change :path))
               (create (eq (plist-get change :create) t))
               (`(,line ,above ,old ,new ,below) (if create (list 1 nil nil (plist-get change :after) nil)
                                                   (khoj-proposal--lines change)))
               (old (khoj-proposal--split old)) (new (khoj-proposal--split new))
               (around (+ (length above) (length below))))
    (concat (format "%s\n" (plist-get change :origin))
            (format "--- %s\n+++ %s\n" (if create "/dev/null" path) path)
            (format "@@ -%d,%d +%d,%d @@ %s\n" (if create 0 line) (+ around (length old)) line (+ around (length new))
                    (plist-get change :why))
            (mapconcat (lambda (text) (concat " " text "\n")) above "")
            (mapconcat (lambda (text) (concat "-" text "\n")) old "")
            (mapconcat (lambda (text) (concat "+" text "\n")) new "")
            (mapconcat (lambda (text) (concat " " text "\n")) below ""))))

(defun khoj-proposal--split (text)
  "The lines of TEXT."
  (and text (not (string-empty-p text)) (split-string (string-remove-suffix "\n" text) "\n")))

(defun khoj-proposal--lines (change)
  "Where CHANGE is, as a list.
It has the number of the first line, the lines above, the old text, the new
text, both of whole lines, and the lines below."
  (with-current-buffer (find-file-noselect (plist-get change :path))
    (save-excursion
      (save-restriction
        (widen)
        (let* ((start (1+ (plist-get change :start))) (end (1+ (plist-get change :end)))
               (first (progn (goto-char start) (line-beginning-position)))
               (last (progn (goto-char end) (if (and (bolp) (> end start)) end (min (point-max) (1+ (line-end-position))))))
               (above (progn (goto-char first) (forward-line -3) (point)))
               (below (progn (goto-char last) (forward-line 3) (point))))
          (list (line-number-at-pos above t)
                (khoj-proposal--split (buffer-substring-no-properties above first))
                (buffer-substring-no-properties first last)
                (concat (buffer-substring-no-properties first start) (plist-get change :after)
                        (buffer-substring-no-properties end last))
                (khoj-proposal--split (buffer-substring-no-properties last below))))))))

(defun khoj-proposal-apply ()
  "Make the change that is shown, in the buffer of its note."
  (interactive)
  (unless khoj-proposal--id (user-error "Khoj: no proposed change is shown here"))
  (when (y-or-n-p "Make this change? ")
    (let ((buffer (current-buffer)))
      (khoj-rpc-ask 'khoj/chat/apply (list :turn khoj-proposal--turn :proposal khoj-proposal--id :confirmed t)
                    :then (lambda (result)
                            (if (not (eq (plist-get result :applied) t))
                                (message "Khoj: the change was not made: %s" (plist-get result :reason))
                              (when (buffer-live-p buffer)
                                (quit-windows-on buffer t))
                              (let ((note (find-file-noselect (plist-get (plist-get result :change) :path))))
                                (display-buffer note)
                                (message "Khoj: %s was changed, and is yours to save" note))))))))

(provide 'khoj-proposal)
;;; khoj-proposal.el ends here
