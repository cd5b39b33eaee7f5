;;; khoj-xref.el --- Definitions and references by khojd  -*- lexical-binding: t; -*-

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

;; Loaded when a definition or a reference is first asked for.

;;; Code:

(require 'cl-lib)
(require 'khoj-lsp)
(require 'khoj-place)
(require 'khoj-rpc)
(require 'xref)

(cl-defmethod xref-backend-identifier-at-point ((_backend (eql khoj)))
  "What is at point."
  ;; khojd looks at the place, not at the name.
  (propertize (or (thing-at-point 'symbol t) "here") 'khoj-here (khoj-lsp--here)))

(cl-defmethod xref-backend-identifier-completion-table ((_backend (eql khoj)))
  "Headings and titles of notes."
  (completion-table-with-cache
   (lambda (query)
     (delete-dups (mapcar (lambda (symbol) (plist-get symbol :name)) (khoj-lsp--symbols query))))))

(cl-defmethod xref-backend-definitions ((_backend (eql khoj)) identifier)
  "Where the link at IDENTIFIER leads, or the notes of that name."
  (let ((here (get-text-property 0 'khoj-here identifier)))
    (if here
        (khoj-lsp--xrefs (khoj-rpc-await-lsp 'textDocument/definition here))
      (xref-backend-apropos 'khoj identifier))))

(cl-defmethod xref-backend-references ((_backend (eql khoj)) identifier)
  "What links to what is at IDENTIFIER."
  (let ((here (or (get-text-property 0 'khoj-here identifier) (khoj-lsp--here))))
    (khoj-lsp--xrefs (khoj-rpc-await-lsp 'textDocument/references
                                         (append here '(:context (:includeDeclaration :json-false)))))))

(cl-defmethod xref-backend-apropos ((_backend (eql khoj)) pattern)
  "Headings and titles found by PATTERN."
  (mapcar (lambda (symbol) (khoj-lsp--xref (plist-get symbol :location) (plist-get symbol :name)))
          (khoj-lsp--symbols pattern)))

(defun khoj-lsp--symbols (query)
  "The symbols of all notes, found by QUERY."
  (cl-remove-if-not (lambda (symbol) (plist-get (plist-get symbol :location) :range))
                    (append (khoj-rpc-await-lsp 'workspace/symbol (list :query query)) nil)))

(defun khoj-lsp--xrefs (locations)
  "LOCATIONS, none, one or several, as xref has them."
  (mapcar #'khoj-lsp--xref (if (keywordp (car-safe locations)) (list locations) (append locations nil))))

(defun khoj-lsp--xref (location &optional summary)
  "LOCATION as xref has it, with SUMMARY or its line."
  (let* ((file (khoj-place-file (or (plist-get location :uri) (plist-get location :targetUri))))
         (range (or (plist-get location :range) (plist-get location :targetSelectionRange)))
         (start (plist-get range :start)) (buffer (find-buffer-visiting file)) (bounds nil) (line ""))
    (cl-flet ((look ()
                (setq bounds (khoj-place-bounds range))
                (save-excursion
                  (save-restriction
                    (widen)
                    (goto-char (car bounds))
                    (setq line (buffer-substring (line-beginning-position) (line-end-position)))))))
      (cond (buffer (with-current-buffer buffer (look)))
            ((file-readable-p file) (with-temp-buffer (insert-file-contents file) (look)))))
    (xref-make-match (or summary line)
                     (xref-make-file-location file (1+ (plist-get start :line)) (plist-get start :character))
                     (if bounds (- (cdr bounds) (car bounds)) 0))))

(provide 'khoj-xref)
;;; khoj-xref.el ends here
