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

(defcustom khoj-search-live t
  "Whether default completion shows hits while you type.
Icomplete, fido and vertico do so in any case."
  :type 'boolean
  :group 'khoj)

(defface khoj-annotation '((t :inherit completions-annotations))
  "Where a hit is, its date and its tags."
  :group 'khoj)

(defvar khoj-search-history nil
  "Queries so far.")

(defvar khoj-search--session nil
  "The search that goes on in the minibuffer, or the last one.")


;;; Candidates

(defun khoj-search--fetch (session string)
  "The candidates of SESSION for STRING.
Where they are shown anew when they have changed, these are the ones that there
are; else the first of them are waited for, unless there is input."
  (cond
   ((gethash string (khoj-session-candidates session))
    (list string))
   ((and (khoj-session-update session) (khoj-search--shown-anew-p))
    (khoj-session-hits session))
   (t
    (unless (and (equal string (khoj-session-query session)) (khoj-session-phase session))
      (while-no-input
        (let ((deadline (+ (float-time) khoj-patience)))
          (unless (equal string (khoj-session-query session))
            (khoj-session-ask session string))
          (while (and (not (khoj-session-phase session)) (< (float-time) deadline))
            (accept-process-output nil 0.02)))))
    (khoj-session-hits session))))

(defun khoj-search--shown-anew-p ()
  "Whether candidates are shown anew without a key when they have changed."
  (or khoj-search-live (khoj-search--vertico-p) (khoj-search--icomplete-p)))

(defun khoj-search--vertico-p ()
  "Whether vertico is on."
  (bound-and-true-p vertico--input))

(defun khoj-search--icomplete-p ()
  "Whether icomplete, or fido, is on."
  (or (bound-and-true-p icomplete-mode) (bound-and-true-p fido-mode)))

(defun khoj-search-hit (candidate)
  "The hit that CANDIDATE stands for, or nil."
  (or (get-text-property 0 'khoj-hit candidate)
      (and khoj-search--session (gethash candidate (khoj-session-candidates khoj-search--session)))))

(defun khoj-search--affix (candidates)
  "CANDIDATES with what is before and after them."
  (mapcar (lambda (candidate)
            (let ((hit (khoj-search-hit candidate)))
              (list candidate
                    (if (eq (plist-get hit :unsaved) t) (propertize "● " 'face 'khoj-annotation) "")
                    (propertize (concat "  " (khoj-results-about hit)) 'face 'khoj-annotation))))
          candidates))

(defun khoj-search--group (candidate transform)
  "The group of CANDIDATE, its note; or CANDIDATE itself with TRANSFORM."
  (if transform candidate
    (khoj-results-note (khoj-search-hit candidate))))

(defun khoj-search--table (session)
  "A completion table of what is found by SESSION."
  (lambda (string _predicate action)
    (pcase action
      ('metadata '(metadata (category . khoj-hit)
                            (affixation-function . khoj-search--affix)
                            (group-function . khoj-search--group)
                            (display-sort-function . identity)
                            (cycle-sort-function . identity)))
      (`(boundaries . ,_) nil)
      ('lambda (and (gethash string (khoj-session-candidates session)) t))
      ('t (khoj-search--fetch session string))
      (_ (and (khoj-search--fetch session string) string)))))

;; khojd has chosen; nothing is to be filtered by the letters of the query.
(defun khoj-search--try (string table _predicate point)
  "STRING and POINT as they are, when TABLE has something."
  (and (khoj-search--all string table nil nil) (cons string point)))

(defun khoj-search--all (string table _predicate _point)
  "All that TABLE has for STRING."
  (let ((all (all-completions (if (khoj-session-listed khoj-search--session) "" string) table)))
    (and all (nconc (copy-sequence all) 0))))

(setf (alist-get 'khoj completion-styles-alist)
      '(khoj-search--try khoj-search--all "As khojd has found it."))
(setf (alist-get 'khoj-hit completion-category-defaults) '((styles khoj)))


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
                     khoj-search--session session)
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
          (let ((choice (completing-read prompt (khoj-search--table session) nil nil initial
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
          (and (khoj-search--shown-anew-p)
               (run-at-time khoj-search-delay nil #'khoj-search--look buffer)))
    (khoj-search--preview-soon buffer)))

(defun khoj-search--look (buffer)
  "Search for what the minibuffer BUFFER has."
  (when (and (buffer-live-p buffer) (active-minibuffer-window))
    (with-current-buffer buffer
      (let ((query (minibuffer-contents-no-properties)))
        (unless (or (equal query (khoj-session-query khoj-search--session))
                    (gethash query (khoj-session-candidates khoj-search--session)))
          (khoj-session-ask khoj-search--session query))))))

(defun khoj-search--refresh (buffer)
  "Show in the minibuffer BUFFER what is found by now."
  (when-let ((window (active-minibuffer-window)))
    (when (eq (window-buffer window) buffer)
      (with-selected-window window
        (cond
         ((khoj-session-listed khoj-search--session))
         ((khoj-search--vertico-p)
          (setq vertico--input t)
          (vertico--exhibit))
         ((khoj-search--icomplete-p)
          (setq completion-all-sorted-completions nil)
          (icomplete-exhibit))
         ((and khoj-search-live (khoj-session-hits khoj-search--session)
               (equal (minibuffer-contents-no-properties) (khoj-session-query khoj-search--session)))
          (let ((inhibit-message t))
            (minibuffer-completion-help))))
        (when-let ((problem (or (khoj-session-problem khoj-search--session) (khoj-search--nowhere))))
          (minibuffer-message "%s" problem))))
    (khoj-search--preview-soon buffer)))

(defun khoj-search--nowhere ()
  "What to do, when nothing can be found because no folder is read."
  (and (eq (khoj-session-phase khoj-search--session) 'complete)
       (not (string-empty-p (khoj-session-query khoj-search--session)))
       khoj-status
       (not (khoj-status-folders))
       (car (khoj-status-summary))))

(defun khoj-search--selected ()
  "The hit that is selected in the current minibuffer, or the first one."
  (let ((typed (minibuffer-contents-no-properties)))
    (khoj-search-hit
     (or (cond
          ((khoj-search--vertico-p) (vertico--candidate))
          ((gethash typed (khoj-session-candidates khoj-search--session)) typed)
          ((khoj-search--icomplete-p)
           (car completion-all-sorted-completions))
          ((get-buffer-window "*Completions*" 0)
           (with-current-buffer "*Completions*"
             (get-text-property (window-point (get-buffer-window "*Completions*" 0)) 'completion--string))))
         (car (khoj-session-hits khoj-search--session))
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
        (while-no-input
          (khoj-preview-hit hit window))))))

(defun khoj-search--query ()
  "What is searched for in the current minibuffer."
  (khoj-session-query khoj-search--session))

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
  (let ((query (khoj-search--query)) (session khoj-search--session))
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

(defun khoj-search-unload-function ()
  "Take back what loading has changed elsewhere."
  (setq completion-styles-alist (assq-delete-all 'khoj completion-styles-alist)
        completion-category-defaults (assq-delete-all 'khoj-hit completion-category-defaults))
  nil)

(provide 'khoj-search)
;;; khoj-search.el ends here
