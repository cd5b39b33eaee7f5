;;; khoj-status.el --- How the index of khojd is  -*- lexical-binding: t; -*-

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

;; What the daemon says of its index: how many files are indexed, what is
;; left, what failed.  It tells when that changes; nothing is polled.

;;; Code:

(require 'cl-lib)
(require 'khoj-rpc)

(declare-function khoj-index "khoj-index" ())

(defface khoj-problem '((t :inherit error))
  "What is wrong with the index, in the mode line."
  :group 'khoj)

(defvar khoj-status nil
  "What khojd said last of its index, a plist, or nil.")

(defvar khoj-status-hook nil
  "Run when `khoj-status' has changed.")

(defun khoj-status--take (status)
  "Remember STATUS."
  (setq khoj-status status)
  (run-hooks 'khoj-status-hook)
  (force-mode-line-update t))

(defun khoj-status--ask ()
  "Ask how the index is."
  (khoj-rpc-ask 'khoj/index/status nil :then #'khoj-status--take :fail #'ignore))

(defun khoj-status--lost ()
  "Show in mode lines that there is no connection."
  (force-mode-line-update t))

(defun khoj-status-folders ()
  "The folders of khojd, each ending in a slash.
Those behind symbolic links are there by both names."
  (cl-loop for folder across (or (plist-get khoj-status :folders) [])
           for path = (file-name-as-directory (plist-get folder :path))
           collect path
           unless (equal path (file-truename path)) collect (file-truename path)))

(defun khoj-status-summary ()
  "How the index is, in a line; and whether something is wrong with it."
  (let* ((indexed (plist-get khoj-status :indexed))
         (failed (plist-get khoj-status :failed))
         (total (and khoj-status (+ indexed failed (plist-get khoj-status :pending)))))
    (cond
     (khoj-connection-problem (cons khoj-connection-problem t))
     ((not (khoj-connection-ready-p)) '("not connected" . nil))
     ((not khoj-status) '("connected" . nil))
     ((equal (plist-get khoj-status :folders) []) '("no folder is read yet; `khoj-index-add-folder' adds one" . t))
     (t (cons (concat (format "%d of %d files indexed" indexed total)
                      (if (> failed 0) (format ", %d failed" failed) "")
                      (if (eq (plist-get khoj-status :paused) t) ", paused" "")
                      (if (> (plist-get khoj-status :vectorsPending) 0)
                          (format ", %d entries not yet found by meaning" (plist-get khoj-status :vectorsPending))
                        "")
                      (cl-loop for problem across (plist-get khoj-status :problems) concat (concat "; " problem)))
              (or (> failed 0) (not (equal (plist-get khoj-status :problems) []))))))))

(defvar khoj-status-map
  (let ((map (make-sparse-keymap)))
    (define-key map [mode-line mouse-1] #'khoj-index)
    (define-key map [mode-line mouse-3] #'khoj-status-add-folder)
    map)
  "Keys of the mode line.")

(defun khoj-status-lighter (&optional outside)
  "The state of the index, as a part of the mode line.
With OUTSIDE it is the one of a file that is in none of khojd's folders."
  (pcase-let* ((`(,summary . ,wrong) (khoj-status-summary))
               (indexed (plist-get khoj-status :indexed))
               (pending (plist-get khoj-status :pending))
               (text (cond ((or khoj-connection-problem (not (khoj-connection-ready-p))) "Khoj:-")
                           ((not khoj-status) "Khoj")
                           (outside "Khoj:outside")
                           (t (concat "Khoj"
                                      (if (> pending 0)
                                          (format ":%d/%d" indexed (+ indexed pending (plist-get khoj-status :failed)))
                                        "")
                                      (if (eq (plist-get khoj-status :paused) t) ":paused" "")
                                      (if (> (plist-get khoj-status :failed) 0)
                                          (format ":!%d" (plist-get khoj-status :failed)) ""))))))
    ;; Not a string with properties: Emacs puts those of minor modes in their place.
    `(" " (:propertize ,text
                       face ,(and wrong 'khoj-problem)
                       help-echo ,(format "khojd: %s%s\nmouse-1: files and what can be done" summary
                                          (if outside
                                              "\nthis file is in no folder that khojd reads\nmouse-3: add its folder"
                                            ""))
                       mouse-face mode-line-highlight
                       local-map ,khoj-status-map))))

(defun khoj-status-add-folder (event)
  "Have khojd read the folder of the buffer at whose mode line EVENT was."
  (interactive "e")
  (with-selected-window (posn-window (event-start event))
    (call-interactively #'khoj-index-add-folder)))

(autoload 'khoj-index "khoj-index" nil t)
(autoload 'khoj-index-add-folder "khoj-index" nil t)

(setf (alist-get 'khoj/statusChanged khoj-connection-notifications) #'khoj-status--take)
(add-hook 'khoj-connection-ready-hook #'khoj-status--ask)
(add-hook 'khoj-connection-lost-hook #'khoj-status--lost)

(defun khoj-status-unload-function ()
  "Take back what loading has changed elsewhere."
  (remove-hook 'khoj-connection-ready-hook #'khoj-status--ask)
  (remove-hook 'khoj-connection-lost-hook #'khoj-status--lost)
  (setq khoj-connection-notifications (assq-delete-all 'khoj/statusChanged khoj-connection-notifications))
  nil)

(provide 'khoj-status)
;;; khoj-status.el ends here
