;;; khoj-org.el --- Links of Org for saved searches  -*- lexical-binding: t; -*-

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

;; A link [[khoj:tag:work deadline<=friday][Due]] shows what the query
;; finds.  `org-store-link' in a buffer of hits keeps its query so.
;; Links to headings that have an ID are made by that.

;;; Code:

(require 'khoj-place)
(require 'khoj-results)
(require 'ol)

(defvar khoj-results-query)

(defun khoj-org-follow (query &optional _)
  "Show what is found by QUERY."
  (khoj-results-search query))

(defun khoj-org-store (&optional _interactive)
  "Store the query of a buffer of hits."
  (when (and (derived-mode-p 'khoj-results-mode) khoj-results-query)
    (org-link-store-props :type "khoj" :link (concat "khoj:" khoj-results-query) :description khoj-results-query)))

(defun khoj-org-complete (&optional _)
  "Read a query, and return a link to be followed for it."
  (concat "khoj:" (read-string "Saved search: ")))

(defun khoj-org-export (query description _backend _info)
  "What an exported note has in place of a link to QUERY: DESCRIPTION, or that."
  (or description query))

(defun khoj-org-id (hit)
  "The ID of the heading that HIT is below, or nil."
  (let ((file (plist-get hit :path)))
    (when (and (string-suffix-p ".org" file) (file-readable-p file))
      (let ((buffer (find-buffer-visiting file)))
        (with-temp-buffer
          (if buffer
              (insert-buffer-substring-no-properties buffer)
            (insert-file-contents file))
          (goto-char (car (khoj-place-bounds (plist-get (plist-get hit :location) :range))))
          (end-of-line)
          (when (re-search-backward "^\\*+ " nil t)
            (forward-line 1)
            (when (looking-at "[ \t]*\\(?:DEADLINE\\|SCHEDULED\\|CLOSED\\):")
              (forward-line 1))
            (when (looking-at "[ \t]*:PROPERTIES:[ \t]*$")
              (let ((end (save-excursion (re-search-forward "^[ \t]*:END:" nil t))) (case-fold-search t))
                (when (re-search-forward "^[ \t]*:ID:[ \t]+\\(\\S-+\\)" end t)
                  (match-string 1))))))))))

(org-link-set-parameters "khoj" :follow #'khoj-org-follow :store #'khoj-org-store
                         :complete #'khoj-org-complete :export #'khoj-org-export)

(defun khoj-org-unload-function ()
  "Take the type of links from Org."
  (setq org-link-parameters (assoc-delete-all "khoj" org-link-parameters))
  nil)

(provide 'khoj-org)
;;; khoj-org.el ends here
