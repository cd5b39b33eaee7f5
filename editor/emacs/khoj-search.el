;;; khoj-search.el --- Search notes as you type  -*- lexical-binding: t; -*-

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

;; `khoj-search' reads a query in the minibuffer and shows what is found
;; while it is typed, by the standard completion functions: default
;; completion, icomplete, fido and vertico all show it.  What is found
;; by words comes first and is replaced by what is found by meaning, too.
;; A request that is no longer wanted is cancelled.
;;
;; khoj-preview.el shows the selected hit in its note, khoj-filter.el
;; completes filters, khoj-embark.el has actions for Embark.

;;; Code:

(require 'cl-lib)
(require 'khoj-candidate)
(require 'khoj-filter)
(require 'khoj-place)
(require 'khoj-preview)
(require 'khoj-results)
(require 'khoj-rpc)
(require 'khoj-session)
(require 'khoj-status)
(require 'minibuffer)
(require 'subr-x)

(defvar vertico--input)
(defvar icomplete-compute-delay)
(defvar icomplete-mode)
(defvar fido-mode)
(declare-function vertico--exhibit "ext:vertico" ())
(declare-function vertico--candidate "ext:vertico" (&optional hl))
(declare-function icomplete-exhibit "icomplete" ())

(defcustom khoj-search-delay 0.03
  "Seconds without a key before what was typed is searched for."
  :type 'number
  :group 'khoj)

(defcustom khoj-search-preview-delay 0.1
  "Seconds before the selected hit is shown in its note; nil for never."
  :type '(choice (const :tag "No preview" nil) number)
  :group 'khoj)

(defconst khoj-search--garbage (* 64 1024 1024)
  "Bytes after which is collected while a query is typed.
With the default a collection would delay the hits of every few keys.")

(defvar khoj-search-history nil
  "Queries so far.")


;;; The minibuffer

(defvar khoj-search-map
  (let ((map (make-sparse-keymap)))
    ;; Default completion completes words with these.
    (define-key map (kbd "SPC") #'self-insert-command)
    (define-key map (kbd "?") #'self-insert-command)
    (define-key map (kbd "C-M-i") #'completion-at-point)
    (define-key map (kbd "C-c C-e") #'khoj-search-export)
    (define-key map (kbd "C-c C-l") #'khoj-search-link)
    (define-key map (kbd "C-c C-o") #'khoj-search-other-window)
    (define-key map (kbd "C-c C-s") #'khoj-search-similar)
    map)
  "Keys while a query is read.")

(defvar-local khoj-search--live-timer nil)
(defvar-local khoj-search--preview-timer nil)
(defvar-local khoj-search--remark nil
  "What is said behind the query, an overlay; or nil.")
(defvar-local khoj-search--then nil
  "What is done with the choice, where it is not visited.")

(defun khoj-search--read (session prompt initial)
  "Read with PROMPT what SESSION is to find, beginning with INITIAL.
Return what to do, a function, and a hit or, where none was chosen, a query."
  (let (minibuffer then)
    (unwind-protect
        (minibuffer-with-setup-hook
            (:append
             (lambda ()
               (setq minibuffer (current-buffer)
                     khoj-candidate-session session)
               (setf (khoj-session-update session)
                     (lambda (_session)
                       (when (buffer-live-p minibuffer) (khoj-search--refresh minibuffer))))
               ;; Fido forgets the defaults of categories.
               (setq-local completion-category-overrides
                           (cons '(khoj-hit (styles khoj)) completion-category-overrides))
               ;; Icomplete would wait at the first letters, for tables that take their time.
               (setq-local icomplete-compute-delay 0)
               (use-local-map (make-composed-keymap khoj-search-map (current-local-map)))
               (add-hook 'completion-at-point-functions #'khoj-filter-capf -10 t)
               (add-hook 'post-command-hook #'khoj-search--typed nil t)
               (add-hook 'minibuffer-exit-hook (lambda () (setq then khoj-search--then)) nil t)))
          (let* ((gc-cons-threshold (max gc-cons-threshold khoj-search--garbage))
                 (choice (completing-read prompt (khoj-candidate-table session) nil nil initial
                                          'khoj-search-history (thing-at-point 'symbol t))))
            (cons then (or (gethash choice (khoj-session-candidates session)) choice))))
      (khoj-rpc-cancel (khoj-session-request session))
      (setf (khoj-session-update session) nil)
      (when (buffer-live-p minibuffer)
        (with-current-buffer minibuffer
          (dolist (timer (list khoj-search--live-timer khoj-search--preview-timer))
            (when timer (cancel-timer timer)))
          (setq khoj-search--then nil)))
      (khoj-preview-end))))

(defun khoj-search--typed ()
  "Search for what the minibuffer has, in a moment, and show what is selected."
  (let ((buffer (current-buffer)))
    (when khoj-search--live-timer (cancel-timer khoj-search--live-timer))
    (setq khoj-search--live-timer
          (and (khoj-candidate-shown-anew-p)
               (run-at-time khoj-search-delay nil #'khoj-search--look buffer)))
    (khoj-search--preview-soon buffer)))

(defun khoj-search--look (buffer)
  "Search for what the minibuffer BUFFER has."
  (when (and (buffer-live-p buffer) (active-minibuffer-window))
    (with-current-buffer buffer
      (let ((query (minibuffer-contents-no-properties)))
        (unless (or (equal query (khoj-session-query khoj-candidate-session))
                    (gethash query (khoj-session-candidates khoj-candidate-session)))
          (khoj-connection-keeping-quit
            (khoj-session-ask khoj-candidate-session query)))))))

(defun khoj-search--refresh (buffer)
  "Show in the minibuffer BUFFER what is found by now."
  (when-let ((window (active-minibuffer-window)))
    (when (eq (window-buffer window) buffer)
      (with-selected-window window
        (cond
         ((khoj-session-listed khoj-candidate-session))
         ((khoj-candidate-vertico-p)
          (setq vertico--input t)
          (vertico--exhibit))
         ((khoj-candidate-icomplete-p)
          (setq completion-all-sorted-completions nil)
          (icomplete-exhibit))
         ((and khoj-search-live (khoj-session-hits khoj-candidate-session)
               (equal (minibuffer-contents-no-properties) (khoj-session-query khoj-candidate-session)))
          (let ((inhibit-message t))
            (minibuffer-completion-help))))
        (khoj-search--remark (or (khoj-session-problem khoj-candidate-session) (khoj-search--nowhere)))))
    (khoj-search--preview-soon buffer)))

(defun khoj-search--remark (text)
  "Say TEXT, or nothing, behind what is typed in this minibuffer; wait for nothing."
  (when khoj-search--remark
    (delete-overlay khoj-search--remark))
  (when text
    (let ((said (propertize (format " [%s]" text) 'face 'minibuffer-prompt)))
      (put-text-property 0 1 'cursor t said)
      (setq khoj-search--remark (make-overlay (point-max) (point-max)))
      ;; Before what vertico and icomplete have after the text.
      (overlay-put khoj-search--remark 'before-string said))))

(defun khoj-search--nowhere ()
  "What to do, when nothing can be found because no folder is read."
  (and (eq (khoj-session-phase khoj-candidate-session) 'complete)
       (not (string-empty-p (khoj-session-query khoj-candidate-session)))
       khoj-status
       (not (khoj-status-folders))
       (car (khoj-status-summary))))

(defun khoj-search--selected ()
  "The hit that is selected in the current minibuffer, or the first one."
  (let ((typed (minibuffer-contents-no-properties)))
    (khoj-candidate-hit
     (or (cond
          ((khoj-candidate-vertico-p) (vertico--candidate))
          ((gethash typed (khoj-session-candidates khoj-candidate-session)) typed)
          ((khoj-candidate-icomplete-p)
           (car completion-all-sorted-completions))
          ((get-buffer-window "*Completions*" 0)
           (with-current-buffer "*Completions*"
             (get-text-property (window-point (get-buffer-window "*Completions*" 0)) 'completion--string))))
         (car (khoj-session-hits khoj-candidate-session))
         ""))))

(defun khoj-search--preview-soon (buffer)
  "Show what is selected in the minibuffer BUFFER, in a moment."
  (when khoj-search-preview-delay
    (with-current-buffer buffer
      (when khoj-search--preview-timer (cancel-timer khoj-search--preview-timer))
      (setq khoj-search--preview-timer
            (run-at-time khoj-search-preview-delay nil #'khoj-search--preview buffer)))))

(defun khoj-search--preview (buffer)
  "Show what is selected in the minibuffer BUFFER."
  (when (and (buffer-live-p buffer) (active-minibuffer-window))
    (let ((hit (with-current-buffer buffer (khoj-search--selected)))
          (window (minibuffer-selected-window)))
      (when (and hit (window-live-p window))
        ;; A mode may take long to look at a large note; the next key does not wait for it.
        (khoj-connection-keeping-quit
          (while-no-input
            (khoj-preview-hit hit window)))))))

(defun khoj-search--query ()
  "What is searched for in the current minibuffer."
  (khoj-session-query khoj-candidate-session))

(defun khoj-search--exit (function)
  "Leave the minibuffer, and call FUNCTION with the selected hit."
  (let ((hit (khoj-search--selected)))
    (unless hit (user-error "Khoj: nothing is found"))
    (setq khoj-search--then (lambda (_) (funcall function hit)))
    (exit-minibuffer)))

(defun khoj-search-other-window ()
  "Show the selected hit in another window."
  (interactive nil)
  (khoj-search--exit (lambda (hit) (khoj-place-visit (plist-get hit :location) #'pop-to-buffer))))

(defun khoj-search-link ()
  "Insert a link to the selected hit."
  (interactive nil)
  (khoj-search--exit #'khoj-results-insert-link))

(defun khoj-search-similar ()
  "Find notes like the selected hit."
  (interactive nil)
  (khoj-search--exit #'khoj-results-similar))

(defun khoj-search-export ()
  "Show all hits in a buffer."
  (interactive nil)
  (let ((query (khoj-search--query)) (session khoj-candidate-session))
    (setq khoj-search--then (lambda (_) (khoj-search--show-all session query)))
    (exit-minibuffer)))

(defun khoj-search--show-all (session query)
  "Show in a buffer what is found by QUERY, with the params of SESSION."
  (khoj-results-search query (khoj-session-params session)))


;;; Commands

(defun khoj-search--initial ()
  "What is selected, in one line, or nil."
  (and (use-region-p)
       (string-join (split-string (buffer-substring-no-properties (region-beginning) (region-end))) " ")))

(defun khoj-search--run (prompt initial params &optional then)
  "Read a query with PROMPT and INITIAL, with PARAMS; then do THEN with the hit."
  (pcase-let* ((session (khoj-session-make :params params))
               (`(,other . ,choice) (khoj-search--read session prompt initial)))
    (cond (other (funcall other choice))
          ((consp choice) (funcall (or then (lambda (hit) (khoj-place-visit (plist-get hit :location)))) choice))
          ((string-blank-p choice) nil)
          (then (when-let ((hit (khoj-search--first choice params))) (funcall then hit)))
          (t (khoj-search--show-all session choice)))))

(defun khoj-search--first (query params)
  "The best hit for QUERY with PARAMS."
  (let ((hits (plist-get (khoj-rpc-await 'khoj/search (append (list :query query :limit 1) params)) :hits)))
    (if (equal hits []) (user-error "Khoj: nothing is found for %s" query) (aref hits 0))))

;;;###autoload
(defun khoj-search (&optional initial)
  "Search all notes while you type, and go to what is found.
The query begins with INITIAL, which is the region when there is one.  Filters
such as \"tag:work\" or \"deadline<=friday\" may be among the words;
\\<khoj-search-map>\\[completion-at-point] completes them.  \\[khoj-search-export] \
shows all hits in a buffer, \\[khoj-search-link] inserts a link,
\\[khoj-search-other-window] shows the hit in another window, and \
\\[khoj-search-similar] finds notes like it.

A query that is entered as it is, without a choice, shows all hits, too."
  (interactive (list (khoj-search--initial)))
  (khoj-search--run "Search notes: " initial nil))

;;;###autoload
(defun khoj-search-here (&optional note)
  "Search the notes in the folder of this one; with prefix NOTE, this note only."
  (interactive "P")
  (let ((file (or buffer-file-name (expand-file-name default-directory))))
    (if note
        (khoj-search--run (format "Search in %s: " (file-name-nondirectory file)) (khoj-search--initial)
                          (list :folders (vector file)))
      (khoj-search--run (format "Search in %s: " (abbreviate-file-name (file-name-directory file)))
                        (khoj-search--initial)
                        (list :folders (vector (directory-file-name (file-name-directory file))))))))

;;;###autoload
(defun khoj-insert-link ()
  "Search the notes, and insert a link to what is found."
  (interactive "*")
  (khoj-search--run "Link to: " (khoj-search--initial) nil #'khoj-results-insert-link))


(with-eval-after-load 'embark
  (require 'khoj-embark))

(provide 'khoj-search)
;;; khoj-search.el ends here
