;;; khoj-question.el --- What a question is about, and who answers it  -*- lexical-binding: t; -*-

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

;; Persona, model and filters of a conversation, and the places and notes
;; that its next question is about.

;;; Code:

(require 'cl-lib)
(require 'khoj-place)
(require 'khoj-rpc)
(require 'subr-x)

(declare-function khoj-filter-capf "khoj-filter" ())

(defcustom khoj-chat-persona ""
  "Who answers in new conversations; empty for the configured one."
  :type 'string
  :group 'khoj)

(defcustom khoj-chat-model ""
  "The model that answers, as \"provider/model\"; empty for the persona's own."
  :type 'string
  :group 'khoj)

(defvar-local khoj-question-start nil
  "Where in this buffer a question is written, or nil where none is.")
(defvar-local khoj-question-persona nil "Who answers in this conversation, or nil for the default.")
(defvar-local khoj-question-model nil "The model of this conversation, or nil for the default.")
(defvar-local khoj-question-filters nil "Filters of this conversation; nil for those it has.")
(defvar-local khoj-question-context nil "Names and places that the next question is about.")

(defun khoj-question-params ()
  "What is asked of khojd besides the question."
  (list :persona (khoj-question--chosen khoj-question-persona khoj-chat-persona)
        :model (khoj-question--chosen khoj-question-model khoj-chat-model)
        :filters khoj-question-filters
        :context (and khoj-question-context (vconcat (mapcar #'cdr khoj-question-context)))))

(defun khoj-question-about ()
  "The same for people, as a list of strings."
  (delq nil
        (list (khoj-question--chosen khoj-question-persona khoj-chat-persona)
              (khoj-question--chosen khoj-question-model khoj-chat-model)
              (and khoj-question-filters (not (string-empty-p khoj-question-filters)) khoj-question-filters)
              (and khoj-question-context (format "about %s" (mapconcat #'car khoj-question-context ", "))))))

(defun khoj-question--chosen (own default)
  "OWN, else DEFAULT, else nil where that is empty."
  (let ((value (or own default)))
    (and (not (string-empty-p value)) value)))

(defun khoj-question-check ()
  "Signal an error outside of conversations."
  (unless khoj-question-start
    (user-error "Khoj: this is no conversation; `khoj-chat' opens one")))

(defun khoj-question-place (start end)
  "The current buffer, from START to END if these are given, and its name."
  (cons (concat (file-name-nondirectory buffer-file-name)
                (if start (format ":%d" (line-number-at-pos start t)) ""))
        (append (list :textDocument (list :uri (khoj-place-uri buffer-file-name)))
                (and start (list :range (khoj-place-range start end))))))

(defun khoj-chat-attach (file)
  "Have the next question be about the note FILE, too."
  (interactive "fNote: ")
  (khoj-question-check)
  (push (cons (file-name-nondirectory file) (list :textDocument (list :uri (khoj-place-uri file)))) khoj-question-context)
  (force-mode-line-update))

(defun khoj-chat-detach ()
  "Have the next question be about no note in particular."
  (interactive)
  (khoj-question-check)
  (setq khoj-question-context nil)
  (force-mode-line-update))

(defun khoj-chat-set-filters (filters)
  "Let only notes be searched in this conversation that FILTERS let through."
  (interactive
   (list (minibuffer-with-setup-hook
             (lambda ()
               (require 'khoj-filter)
               (add-hook 'completion-at-point-functions 'khoj-filter-capf nil t))
           (read-from-minibuffer "Filters: " khoj-question-filters
                                 (let ((map (make-sparse-keymap)))
                                   (set-keymap-parent map minibuffer-local-map)
                                   (define-key map (kbd "TAB") #'completion-at-point)
                                   map)))))
  (khoj-question-check)
  (setq khoj-question-filters filters)
  (force-mode-line-update))

(defun khoj-chat-set-persona (persona)
  "Have PERSONA answer in this conversation; an empty name is the configured one."
  (interactive
   (list (completing-read "Persona: "
                          (khoj-question--choices
                           'khoj/personas/list
                           (lambda (result)
                             (mapcar (lambda (persona) (cons (plist-get persona :name) (plist-get persona :description)))
                                     (plist-get result :personas)))))))
  (khoj-question-check)
  (setq khoj-question-persona persona)
  (force-mode-line-update))

(defun khoj-chat-set-model (model)
  "Have MODEL, as \"provider/model\", answer in this conversation."
  (interactive
   (list (completing-read "Model: "
                          (khoj-question--choices
                           'khoj/models/list
                           (lambda (result)
                             (cl-loop for provider across (plist-get result :providers)
                                      append (mapcar (lambda (model)
                                                       (cons (plist-get model :name)
                                                             (concat (plist-get model :detail) " " (plist-get model :problem))))
                                                     (plist-get provider :models))))))))
  (khoj-question-check)
  (setq khoj-question-model model)
  (force-mode-line-update))

(defun khoj-question--choices (method choices)
  "A completion table of the conses of CHOICES, called with METHOD's result."
  (let (known)
    (lambda (string predicate action)
      (if (eq action 'metadata)
          `(metadata (annotation-function
                      . ,(lambda (name) (concat "  " (cdr (assoc name known))))))
        (unless known
          (setq known (let ((result (khoj-rpc-await-unless-input method nil)))
                        (and result (funcall choices result)))))
        (complete-with-action action known string predicate)))))

(defun khoj-question-capf ()
  "Complete a note that is mentioned in a question."
  (when (and (>= (point) khoj-question-start)
             (looking-back "@\"?\\([^\"@ \t\n]*\\)" (max khoj-question-start (line-beginning-position))))
    (list (match-beginning 0) (point)
          (completion-table-with-cache
           (lambda (_)
             (mapcar (lambda (file)
                       (let ((name (file-name-nondirectory (plist-get file :path))))
                         (if (string-match-p "\\`[-[:alnum:]_./~+]+\\'" name) (concat "@" name) (format "@%S" name))))
                     (plist-get (khoj-rpc-await-unless-input 'khoj/index/files '(:states ["indexed"] :limit 5000) khoj-completion-patience)
                                :files)))
           t)
          :exclusive 'no)))

(provide 'khoj-question)
;;; khoj-question.el ends here
