;;; khoj-filter.el --- Completion of search filters  -*- lexical-binding: t; -*-

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

;; `khoj-filter-capf' completes names and values of filters, such as
;; "tag:work", wherever a query is written.

;;; Code:

(require 'cl-lib)
(require 'khoj-rpc)

(defconst khoj-filter--days
  '("today" "yesterday" "tomorrow" "\"this week\"" "\"last week\"" "\"next week\"" "\"this month\"" "\"last month\""
    "\"next month\"" "\"last 7 days\"" "\"next 7 days\"" "\"last 30 days\"" "\"this year\"" "\"last year\"")
  "Days and spans of days that filters know.")

(defconst khoj-filter--all
  `(("tag:" "a tag, or one below it" khoj-filter--tags several)
    ("file:" "part of a file's name, a folder's name, or a glob" khoj-filter--files)
    ("todo:" "a TODO keyword" ("any" "TODO" "NEXT" "WAITING" "DONE") several)
    ("priority:" "a priority" ("any" "A" "B" "C") several)
    ("type:" "the kind of file" ("org" "markdown" "text") several)
    ("lang:" "the language, as a two-letter code" khoj-filter--languages several)
    ("prop:" "a property, or its value" nil)
    ("date:" "any date of the entry" ,khoj-filter--days)
    ("scheduled:" "the day it is scheduled for" ,(cons "any" khoj-filter--days))
    ("deadline:" "the day it is due" ,(cons "any" khoj-filter--days))
    ("closed:" "the day it was closed" ,(cons "any" khoj-filter--days))
    ("modified:" "the day the file was changed" ,khoj-filter--days))
  "Filters of the query language.
Each has what it is about, its values or the function that asks for them, and
`several' where a comma is an or.")

(defun khoj-filter-capf ()
  "Complete the filter of a query before point."
  (let* ((end (point))
         (start (save-excursion (skip-chars-backward "^ \t\n") (skip-chars-forward "-+") (point)))
         (word (buffer-substring-no-properties start end)))
    (if (not (string-match "\\`\\([a-z]+\\)[:<>=]+" word))
        (list start end (mapcar #'car khoj-filter--all) :exclusive 'no :annotation-function #'khoj-filter--about)
      (pcase-let ((`(,_ ,_ ,values ,several) (assoc (concat (match-string 1 word) ":") khoj-filter--all))
                  (from (match-end 0)))
        (when (and several (string-match ".*," word from))
          (setq from (match-end 0)))
        (list (+ start from) end
              (if (functionp values) (completion-table-with-cache (lambda (_) (funcall values))) values)
              :exclusive 'no)))))

(defun khoj-filter--about (name)
  "What the filter NAME is about, beside it."
  (concat "  " (cadr (assoc name khoj-filter--all))))

(defun khoj-filter--tags ()
  "The tags of what was changed last."
  (let ((found (khoj-rpc-await-unless-input 'khoj/search '(:query "modified<=today" :limit 200 :allPassages t) khoj-completion-patience)))
    (delete-dups (cl-loop for hit across (or (plist-get found :hits) [])
                          append (append (plist-get hit :tags) nil)))))

(defun khoj-filter--files ()
  "Names of notes and of their folders."
  (delete-dups
   (cl-loop for file in (khoj-filter--indexed)
            for path = (plist-get file :path)
            for quoted = (lambda (name) (if (string-match-p " " name) (format "%S" name) name))
            collect (funcall quoted (file-name-nondirectory path))
            collect (funcall quoted (file-name-nondirectory (directory-file-name (file-name-directory path)))))))

(defun khoj-filter--languages ()
  "The languages of notes."
  (delete "" (delete-dups (mapcar (lambda (file) (plist-get file :language)) (khoj-filter--indexed)))))

(defun khoj-filter--indexed ()
  "The files that are indexed, as a list."
  (append (plist-get (khoj-rpc-await-unless-input 'khoj/index/files '(:states ["indexed"] :limit 5000) khoj-completion-patience)
                     :files)
          nil))

(provide 'khoj-filter)
;;; khoj-filter.el ends here
