;;; khoj-mode.el --- Unsaved text of notes for khojd  -*- lexical-binding: t; -*-

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

;; In buffers of files that khojd reads, `khoj-mode' tells it what is
;; typed and not saved, so that this is found, too.  A key costs the
;; comparison of a few numbers; what changed is sent once in a while.
;; Where no LSP client is active the mode also gives definitions,
;; references, completion and documentation, see khoj-lsp.el.

;;; Code:

(require 'cl-lib)
(require 'khoj-lsp)
(require 'khoj-place)
(require 'khoj-rpc)
(require 'khoj-status)

(defcustom khoj-mode-delay 0.25
  "Seconds after which what was typed is told to khojd."
  :type 'number
  :group 'khoj)

(defcustom khoj-mode-modes '(text-mode)
  "Major modes, or parents of such, in whose buffers `global-khoj-mode' works."
  :type '(repeat symbol)
  :group 'khoj)

(defvar-local khoj-mode--uri nil
  "The name by which khojd knows this buffer, or nil.")
(defvar-local khoj-mode--start nil
  "Up to where the text is as khojd knows it; nil when all of it is.")
(defvar-local khoj-mode--tail nil
  "How many characters at the end are as khojd knows them.")
(defvar-local khoj-mode--size 0
  "How many characters khojd knows.")
(defvar-local khoj-mode--lines 0
  "How many line ends khojd knows.")
(defvar-local khoj-mode--missed nil
  "Whether khojd knew this buffer before the connection was lost.")
(defvar-local khoj-mode--whole nil
  "Whether all of the text is sent, because lines are not counted as Emacs does.")

(defvar khoj-mode)

(defvar khoj-mode--dirty nil
  "Buffers of whose changes khojd was not told.")
(defvar khoj-mode--timer nil)


;;; What was typed

(defun khoj-mode--changed (start end _length)
  "Remember that what is between START and END was changed."
  (let ((tail (- (1+ (buffer-size)) end)))
    (if khoj-mode--start
        (setq khoj-mode--start (min khoj-mode--start start)
              khoj-mode--tail (min khoj-mode--tail tail))
      (setq khoj-mode--start start
            khoj-mode--tail tail)
      (push (current-buffer) khoj-mode--dirty)
      (unless khoj-mode--timer
        (setq khoj-mode--timer (run-at-time khoj-mode-delay nil #'khoj-mode-flush))))))

(defun khoj-mode-flush ()
  "Tell khojd all that was changed."
  (when khoj-mode--timer
    (cancel-timer khoj-mode--timer)
    (setq khoj-mode--timer nil))
  (when khoj-mode--dirty
    (let ((dirty khoj-mode--dirty))
      (setq khoj-mode--dirty nil)
      (dolist (buffer dirty)
        (when (buffer-live-p buffer)
          (with-current-buffer buffer
            (khoj-mode--send)))))))

(defun khoj-mode--send ()
  "Tell khojd what was changed in this buffer."
  (when (and khoj-mode--uri khoj-mode--start)
    (save-excursion
      (save-restriction
        (widen)
        (let ((change (khoj-mode--change)))
          (cl-incf khoj-place-version)
          (khoj-connection-notify 'textDocument/didChange
                           (list :textDocument (list :uri khoj-mode--uri :version khoj-place-version)
                                 :contentChanges (vector change))))))))

(defun khoj-mode--change ()
  "What was changed in this buffer, which is not narrowed, as LSP has it.
Whole lines are sent, because where their ends were is known without the text
that was there before."
  (let* ((start khoj-mode--start)
         (end (progn (goto-char (- (1+ (buffer-size)) khoj-mode--tail))
                     (forward-line 1)
                     (point)))
         (last (eobp))
         (lines (1- (line-number-at-pos (point-max) t)))
         (after (- lines (1- (line-number-at-pos end t))))
         (position (khoj-place-position start))
         (text (khoj-mode--text start end))
         (whole (or khoj-mode--whole (string-search "\r" text))))
    (prog1 (if whole
               (list :text (khoj-mode--text (point-min) (point-max)))
             (list :range (list :start position
                                ;; After the last line is the end of the text, whatever it was.
                                :end (list :line (+ (- khoj-mode--lines after) (if last 1 0)) :character 0))
                   :text text))
      (when whole (setq khoj-mode--whole t))
      (setq khoj-mode--start nil
            khoj-mode--size (buffer-size)
            khoj-mode--lines lines))))

(defun khoj-mode--text (start end)
  "The text between START and END, with what is no Unicode replaced."
  (replace-regexp-in-string "[^\0-\ud7ff\ue000-\U0010ffff]" "\ufffd" (buffer-substring-no-properties start end) t t))


;;; Opening and closing

(defun khoj-mode--note-p ()
  "Whether the file of this buffer is one of khojd's."
  (and buffer-file-name
       (not (file-remote-p buffer-file-name))
       (cl-some (lambda (folder) (or (string-prefix-p folder buffer-file-name)
                                     (string-prefix-p folder (or buffer-file-truename ""))))
                (khoj-status-folders))))

(defun khoj-mode--language ()
  "The language of this buffer, as LSP names it."
  (cond ((derived-mode-p 'org-mode) "org")
        ((or (derived-mode-p 'markdown-mode) (string-match-p "\\.\\(md\\|markdown\\)\\'" buffer-file-name)) "markdown")
        (t "plaintext")))

(defun khoj-mode--open ()
  "Tell khojd the text of this buffer, if its file is one of khojd's."
  (when (and khoj-mode (not khoj-mode--uri) (khoj-connection-ready-p) (khoj-mode--note-p))
    (save-restriction
      (widen)
      (let ((text (khoj-mode--text (point-min) (point-max))))
        (setq khoj-mode--uri (khoj-place-uri buffer-file-name)
              khoj-place-version 0
              khoj-mode--missed nil
              khoj-mode--start nil
              khoj-mode--size (buffer-size)
              khoj-mode--lines (1- (line-number-at-pos (point-max) t))
              khoj-mode--whole (and (string-search "\r" text) t))
        (khoj-connection-notify 'textDocument/didOpen
                         (list :textDocument (list :uri khoj-mode--uri :languageId (khoj-mode--language)
                                                   :version 0 :text text)))))
    (add-hook 'after-change-functions #'khoj-mode--changed nil t)
    (add-hook 'after-save-hook #'khoj-mode--saved nil t)
    (add-hook 'kill-buffer-hook #'khoj-mode--close nil t)
    (add-hook 'change-major-mode-hook #'khoj-mode--close nil t)
    (add-hook 'after-set-visited-file-name-hook #'khoj-mode--renamed nil t)))

(defun khoj-mode--close ()
  "Tell khojd that the file is the text again."
  (when khoj-mode--uri
    (khoj-connection-notify 'textDocument/didClose (list :textDocument (list :uri khoj-mode--uri)))
    (setq khoj-mode--uri nil khoj-place-version nil khoj-mode--start nil))
  (setq khoj-mode--dirty (delq (current-buffer) khoj-mode--dirty))
  (remove-hook 'after-change-functions #'khoj-mode--changed t)
  (remove-hook 'after-save-hook #'khoj-mode--saved t)
  (remove-hook 'kill-buffer-hook #'khoj-mode--close t)
  (remove-hook 'change-major-mode-hook #'khoj-mode--close t)
  (remove-hook 'after-set-visited-file-name-hook #'khoj-mode--renamed t))

(defun khoj-mode--saved ()
  "Tell khojd that this buffer was saved."
  (when khoj-mode--uri
    ;; Changes that were made with no hooks running show here.
    (unless (or khoj-mode--start (= khoj-mode--size (buffer-size)))
      (setq khoj-mode--start (point-min) khoj-mode--tail 0))
    (khoj-mode--send)
    (khoj-connection-notify 'textDocument/didSave (list :textDocument (list :uri khoj-mode--uri)))))

(defun khoj-mode--renamed ()
  "Tell khojd that this buffer visits another file."
  (khoj-mode--close)
  (khoj-mode--open))

(defmacro khoj-mode--each (&rest body)
  "Run BODY in each buffer in which the mode is on."
  `(dolist (buffer (buffer-list))
     (with-current-buffer buffer
       (when (bound-and-true-p khoj-mode) ,@body))))

(defun khoj-mode--open-all ()
  "Tell khojd the text of all buffers that are of its files."
  (khoj-mode--each (khoj-mode--open)))

(defun khoj-mode--forget-all ()
  "Nothing is known to khojd any longer."
  (khoj-mode--each
   (setq khoj-mode--missed (or khoj-mode--missed (and khoj-mode--uri t))
         khoj-mode--uri nil khoj-place-version nil khoj-mode--start nil))
  (setq khoj-mode--dirty nil))

(defun khoj-mode--missed-p ()
  "Whether some buffer had told khojd its text."
  (cl-some (lambda (buffer) (buffer-local-value 'khoj-mode--missed buffer)) (buffer-list)))


;;; The mode

;;;###autoload
(define-minor-mode khoj-mode
  "Let khojd find what is typed in this buffer and not saved.
It does so where khojd reads the file, see `khoj-index'.  The mode line shows
how the index is; `Khoj:outside' stands for a file in none of khojd's folders.

Without an LSP client in the buffer, `xref-find-definitions' follows
links, `xref-find-references' lists backlinks, `completion-at-point'
completes links and tags, and ElDoc shows what a link leads to."
  :lighter (:eval (khoj-status-lighter (and buffer-file-name (not khoj-mode--uri))))
  :group 'khoj
  (if (not khoj-mode)
      (progn (khoj-mode--close)
             (khoj-lsp-leave))
    (unless khoj-connection-problem
      (khoj-connection-open))
    (khoj-lsp-join)
    (khoj-mode--open)))

(defun khoj-mode--turn-on ()
  "Turn the mode on in a buffer of a file that may be a note."
  (when (and buffer-file-name (not (file-remote-p buffer-file-name)) (apply #'derived-mode-p khoj-mode-modes))
    (khoj-mode 1)))

;;;###autoload
(define-globalized-minor-mode global-khoj-mode khoj-mode khoj-mode--turn-on
  :group 'khoj)

(add-hook 'khoj-rpc-before-ask-hook #'khoj-mode-flush)
(add-hook 'khoj-connection-ready-hook #'khoj-mode--open-all)
(add-hook 'khoj-connection-lost-hook #'khoj-mode--forget-all)
(add-hook 'khoj-connection-wanted-functions #'khoj-mode--missed-p)
(add-hook 'khoj-status-hook #'khoj-mode--open-all)

(defun khoj-mode-unload-function ()
  "Turn the mode off everywhere, and take back what loading has changed."
  (global-khoj-mode -1)
  (khoj-mode--each (khoj-mode -1))
  (when khoj-mode--timer
    (cancel-timer khoj-mode--timer))
  (remove-hook 'khoj-rpc-before-ask-hook #'khoj-mode-flush)
  (remove-hook 'khoj-connection-ready-hook #'khoj-mode--open-all)
  (remove-hook 'khoj-connection-lost-hook #'khoj-mode--forget-all)
  (remove-hook 'khoj-connection-wanted-functions #'khoj-mode--missed-p)
  (remove-hook 'khoj-status-hook #'khoj-mode--open-all)
  nil)

(provide 'khoj-mode)
;;; khoj-mode.el ends here
