;;; khoj-lsp.el --- Links, completion and documentation without an LSP client  -*- lexical-binding: t; -*-

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

;; khojd is a language server, too.  In buffers without an LSP client
;; (Eglot, lsp-mode) this gives the standard commands of Emacs what it
;; knows: definitions, references, symbols, completion, documentation.

;;; Code:

(require 'cl-lib)
(require 'khoj-place)
(require 'khoj-rpc)
(require 'subr-x)

(defvar eglot--managed-mode)
(defvar lsp-mode)
(defvar khoj-mode--uri)

(defcustom khoj-lsp-features '(xref completion eldoc)
  "What `khoj-mode' gives in buffers without an LSP client."
  :type '(set (const :tag "Definitions and references" xref)
              (const :tag "Completion" completion)
              (const :tag "Documentation" eldoc))
  :group 'khoj)

(defun khoj-lsp-join ()
  "Give this buffer what khojd knows."
  (add-hook 'xref-backend-functions #'khoj-lsp-xref-backend nil t)
  (add-hook 'completion-at-point-functions #'khoj-lsp-capf nil t)
  (add-hook 'eldoc-documentation-functions #'khoj-lsp-eldoc nil t))

(defun khoj-lsp-leave ()
  "Take from this buffer what khojd has given."
  (remove-hook 'xref-backend-functions #'khoj-lsp-xref-backend t)
  (remove-hook 'completion-at-point-functions #'khoj-lsp-capf t)
  (remove-hook 'eldoc-documentation-functions #'khoj-lsp-eldoc t))

(defun khoj-lsp--on-p (feature)
  "Whether FEATURE is to be given in this buffer."
  (and khoj-mode--uri
       (memq feature khoj-lsp-features)
       (khoj-connection-ready-p)
       (not (bound-and-true-p eglot--managed-mode))
       (not (bound-and-true-p lsp-mode))))

(defun khoj-lsp--here ()
  "The buffer and point, as LSP has them."
  (list :textDocument (list :uri khoj-mode--uri) :position (khoj-place-position)))


;;; Xref

(defun khoj-lsp-xref-backend ()
  "The backend for this buffer."
  (and (khoj-lsp--on-p 'xref) (require 'khoj-xref) 'khoj))


;;; Completion

(defconst khoj-lsp--completes
  (rx (or (seq "[[" (* (not (any "]\n"))))
          (seq "](" (* (not (any ")\n"))))
          (seq (any "#:") (* (not (any " \t\n"))))
          (seq bol (+ "*") " " (* upper))))
  "What is before point where khojd may have completions.")

(defun khoj-lsp-capf ()
  "Completions of links, tags and keywords by khojd."
  (when (and (khoj-lsp--on-p 'completion)
             (looking-back khoj-lsp--completes (line-beginning-position)))
    (let* ((reply (while-no-input (khoj-rpc-await-lsp 'textDocument/completion (khoj-lsp--here) khoj-completion-patience)))
           (items (and (consp reply) (append (plist-get reply :items) nil)))
           (range (plist-get (plist-get (car items) :textEdit) :range)))
      (when range
        (pcase-let* ((`(,start . ,end) (khoj-place-bounds range))
                     (rest (- (max end (point)) (point))))
          (list (min start (point)) (point)
                (khoj-lsp--completion-table (delete-dups (mapcar #'khoj-lsp--candidate items)))
                :exclusive 'no
                :annotation-function #'khoj-lsp--annotation
                :exit-function (lambda (candidate status) (khoj-lsp--completed candidate status start rest))))))))

(defun khoj-lsp--candidate (item)
  "The string by which ITEM is completed."
  (propertize (or (plist-get item :filterText) (plist-get item :label)) 'khoj-item item))

(defun khoj-lsp--completion-table (candidates)
  "A table of CANDIDATES in the order that khojd has given them."
  (let ((completion-ignore-case t))
    (lambda (string predicate action)
      (if (eq action 'metadata)
          '(metadata (category . khoj-link) (display-sort-function . identity) (cycle-sort-function . identity))
        (let ((completion-ignore-case t))
          (complete-with-action action candidates string predicate))))))

(defun khoj-lsp--annotation (candidate)
  "What is said besides of CANDIDATE."
  (let* ((item (get-text-property 0 'khoj-item candidate))
         (label (plist-get item :label))
         (detail (or (plist-get item :detail) (plist-get (plist-get item :labelDetails) :description))))
    (concat (if (equal label (substring-no-properties candidate)) "" (concat "  " label))
            (and detail (concat "  " detail)))))

(defun khoj-lsp--completed (candidate status start rest)
  "Insert at START what CANDIDATE stands for, instead of it and REST characters.
Nothing is done unless STATUS says that it was chosen."
  (let ((item (get-text-property 0 'khoj-item candidate)))
    (when (and item (memq status '(finished exact sole)))
      (delete-region start (min (point-max) (+ (point) rest)))
      (insert (plist-get (plist-get item :textEdit) :newText))
      (if (and (plist-get item :data) (not (plist-get item :additionalTextEdits)))
          (let ((buffer (current-buffer)))
            (khoj-rpc-lsp 'completionItem/resolve item
                          (lambda (whole)
                            (when (buffer-live-p buffer)
                              (with-current-buffer buffer (khoj-lsp--complete-besides whole))))))
        (khoj-lsp--complete-besides item)))))

(defun khoj-lsp--complete-besides (item)
  "Do what is to be done besides for ITEM."
  (khoj-place-apply-edits (plist-get item :additionalTextEdits))
  (when-let ((command (plist-get item :command)))
    (khoj-rpc-lsp 'workspace/executeCommand
                  (list :command (plist-get command :command) :arguments (or (plist-get command :arguments) []))
                  #'ignore #'khoj-rpc-show-failure)))


;;; ElDoc

(defvar khoj-lsp--hover nil
  "What was asked last for ElDoc.")

(defun khoj-lsp-eldoc (callback &rest _)
  "Call CALLBACK with the documentation of what is at point."
  (when (khoj-lsp--on-p 'eldoc)
    (khoj-rpc-cancel khoj-lsp--hover)
    (let ((buffer (current-buffer)) (point (point)))
      (setq khoj-lsp--hover
            (khoj-rpc-lsp 'textDocument/hover (khoj-lsp--here)
                          (lambda (hover)
                            (when (and hover (buffer-live-p buffer) (= point (with-current-buffer buffer (point))))
                              (let ((contents (plist-get hover :contents)))
                                (funcall callback (if (stringp contents) contents (plist-get contents :value)))))))))
    t))

(provide 'khoj-lsp)
;;; khoj-lsp.el ends here
