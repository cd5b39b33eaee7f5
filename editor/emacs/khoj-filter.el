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

(defconst khoj-filter--all
  '(("tag:") ("file:")
    ("todo:" "any" "TODO" "NEXT" "WAITING" "DONE")
    ("priority:" "any" "A" "B" "C")
    ("type:" "org" "markdown" "text")
    ("lang:") ("prop:")
    ("date:" . days) ("scheduled:" . days) ("deadline:" . days) ("closed:" . days) ("modified:" . days))
  "Filters of the query language, and values of them.")

(defconst khoj-filter--days
  '("today" "yesterday" "tomorrow" "\"this week\"" "\"last week\"" "\"next week\"" "\"this month\""
    "\"last month\"" "\"next 7 days\"" "\"last 30 days\"" "\"this year\"")
  "Days and spans of days that filters know.")

(defun khoj-filter-capf ()
  "Complete the filter of a query before point."
  (let* ((end (point))
         (start (save-excursion (skip-chars-backward "^ \t\n") (skip-chars-forward "-+") (point)))
         (word (buffer-substring-no-properties start end)))
    (if (string-match "\\`\\([a-z]+\\)\\([:<>=]+\\)" word)
        (list (+ start (match-end 0)) end (khoj-filter--values (match-string 1 word)) :exclusive 'no)
      (list start end (mapcar #'car khoj-filter--all) :exclusive 'no))))

(defun khoj-filter--values (name)
  "A completion table of what the filter NAME may be."
  (pcase (cdr (assoc (concat name ":") khoj-filter--all))
    ('days khoj-filter--days)
    ((and (pred identity) values) values)
    (_ (pcase name
         ("tag" (completion-table-with-cache (lambda (_) (khoj-filter--tags))))
         ("file" (completion-table-with-cache (lambda (_) (khoj-filter--files))))))))

(defun khoj-filter--tags ()
  "The tags of what was changed last."
  (let ((found (khoj-rpc-await-unless-input 'khoj/search '(:query "modified<=today" :limit 200 :allPassages t) 1.0)))
    (delete-dups (cl-loop for hit across (or (plist-get found :hits) [])
                          append (append (plist-get hit :tags) nil)))))

(defun khoj-filter--files ()
  "Names of notes and of their folders."
  (let ((found (khoj-rpc-await-unless-input 'khoj/index/files '(:states ["indexed"] :limit 5000) 1.0)))
    (delete-dups
     (cl-loop for file across (or (plist-get found :files) [])
              for path = (plist-get file :path)
              for quoted = (lambda (name) (if (string-match-p " " name) (format "%S" name) name))
              collect (funcall quoted (file-name-nondirectory path))
              collect (funcall quoted (file-name-nondirectory (directory-file-name (file-name-directory path))))))))

(provide 'khoj-filter)
;;; khoj-filter.el ends here
