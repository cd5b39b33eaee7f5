;;; khoj-preview.el --- Show a hit in its note while it is chosen  -*- lexical-binding: t; -*-

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

;; A note that is not open is shown in a buffer of its own, in which no
;; hooks are run.  When the choice is made all is as it was before.

;;; Code:

(require 'khoj-place)

(defvar khoj-preview--overlay nil)
(defvar khoj-preview--buffer nil
  "Where notes are shown that are not open.")
(defvar khoj-preview--before nil
  "The window that shows a preview, and what it had shown: buffer, point, start.")

(defun khoj-preview-hit (hit window)
  "Show HIT in WINDOW."
  (unless khoj-preview--before
    (setq khoj-preview--before (list window (window-buffer window) (window-point window) (window-start window))))
  (let* ((file (plist-get hit :path))
         (note (or (get-file-buffer file) (khoj-preview--note file))))
    (when note
      (set-window-buffer window note)
      (with-selected-window window
        (let ((bounds (khoj-place-bounds (plist-get (plist-get hit :location) :range))))
          (goto-char (car bounds))
          (khoj-place-reveal)
          (recenter)
          (unless khoj-preview--overlay
            (setq khoj-preview--overlay (make-overlay (car bounds) (cdr bounds)))
            (overlay-put khoj-preview--overlay 'face 'khoj-match))
          (move-overlay khoj-preview--overlay (car bounds) (cdr bounds) note))))))

(defun khoj-preview--note (file)
  "A buffer with the text of FILE, in which none of a person's modes are on."
  (when (file-readable-p file)
    (unless (buffer-live-p khoj-preview--buffer)
      (setq khoj-preview--buffer (get-buffer-create " *khoj preview*")))
    (with-current-buffer khoj-preview--buffer
      (unless (equal list-buffers-directory file)
        (let ((inhibit-read-only t))
          (setq list-buffers-directory nil)
          (erase-buffer)
          (insert-file-contents file)
          (delay-mode-hooks
            (let ((enable-local-variables nil) (buffer-file-name file) (inhibit-message t))
              (set-auto-mode t)))
          (setq buffer-read-only t)
          (set-buffer-modified-p nil)
          (font-lock-mode 1)
          ;; Last: what was interrupted by a key is begun anew.
          (setq-local list-buffers-directory file))))
    khoj-preview--buffer))

(defun khoj-preview-end ()
  "Show again what was shown before the preview."
  (pcase khoj-preview--before
    (`(,window ,buffer ,point ,start)
     (when (and (window-live-p window) (buffer-live-p buffer))
       (set-window-buffer window buffer)
       (set-window-start window start)
       (set-window-point window point))))
  (setq khoj-preview--before nil)
  (when khoj-preview--overlay
    (delete-overlay khoj-preview--overlay)
    (setq khoj-preview--overlay nil))
  (when (buffer-live-p khoj-preview--buffer)
    (kill-buffer khoj-preview--buffer)))

(provide 'khoj-preview)
;;; khoj-preview.el ends here
