;;; khoj.el --- Search your notes and ask them questions  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The khojd authors

;; Author: The khojd authors
;; Version: 0.1.0
;; Package-Requires: ((emacs "28.1") (jsonrpc "1.0.14"))
;; Keywords: outlines, hypermedia, matching, tools

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

;; khoj connects Emacs to khojd, a language server for the notes of a
;; person: Org, Markdown, plain text and PDF files.  It finds notes by
;; words and by meaning while you type, shows what is like the note at
;; hand, and answers questions with citations that lead to their places.
;; All of it happens on this machine, unless khojd is configured to ask
;; a model elsewhere.
;;
;; Install khojd first (`pipx install khojd'), then:
;;
;;     (require 'khoj)
;;     (global-khoj-mode 1)
;;     (keymap-global-set "C-c k" #'khoj)      ; `global-set-key' in Emacs 28
;;
;; M-x khoj shows all that can be done; M-x khoj-search is what is needed
;; most.  The package starts khojd when it first asks something, talks to
;; it by jsonrpc.el, and works beside Eglot, lsp-mode, or none of them.
;;
;; The files: khoj-wire.el and khoj-connection.el attach to khojd,
;; khoj-rpc.el asks it, khoj-notice.el shows what it has to say;
;; khoj-place.el is about places in notes; khoj-session.el,
;; khoj-candidate.el, khoj-search.el and khoj-results.el search,
;; khoj-similar.el shows what is similar; khoj-chat.el, khoj-question.el,
;; khoj-view.el, khoj-proposal.el and khoj-conversations.el are about
;; questions; khoj-status.el and khoj-index.el about the index;
;; khoj-mode.el, khoj-lsp.el and khoj-xref.el work in buffers of notes,
;; khoj-org.el in those of Org; khoj-menu.el has menus.

;;; Code:

(require 'khoj-connection)

(autoload 'khoj "khoj-menu" "All that can be done with your notes." t)
(autoload 'khoj-ask-region "khoj-chat" "Ask about the region, or about the whole note." t)
(autoload 'khoj-chat "khoj-chat" "Go to the last conversation, or begin a new one." t)
(autoload 'khoj-chat-new "khoj-chat" "Begin a new conversation." t)
(autoload 'khoj-chat-menu "khoj-menu" "What can be done in a conversation." t)
(autoload 'khoj-consult-search "khoj-consult" "Search all notes through consult." t)
(autoload 'khoj-conversations "khoj-conversations" "List all conversations." t)
(autoload 'khoj-grep "khoj-results" "Show all lines of the notes that match." t)
(autoload 'khoj-index "khoj-index" "List all files with their states." t)
(autoload 'khoj-index-add-folder "khoj-index" "Have khojd read a folder." t)
(autoload 'khoj-index-pause "khoj-index" "Pause indexing, or let it go on." t)
(autoload 'khoj-index-show-status "khoj-index" "Say how the index is." t)
(autoload 'khoj-index-update "khoj-index" "Have khojd look at all files again." t)
(autoload 'khoj-insert-link "khoj-search" "Insert a link to what is found." t)
(autoload 'khoj-mode "khoj-mode" "Let khojd find what is typed and not saved." t)
(autoload 'khoj-open-config "khoj-index" "Visit khojd's configuration file." t)
(autoload 'khoj-open-log "khoj-index" "Visit khojd's log." t)
(autoload 'khoj-search "khoj-search" "Search all notes while you type." t)
(autoload 'khoj-search-here "khoj-search" "Search the notes of this folder." t)
(autoload 'khoj-similar "khoj-similar" "Show notes like what is at point." t)
(autoload 'khoj-similar-follow-mode "khoj-similar" "Show beside what is like point." t)
(autoload 'global-khoj-mode "khoj-mode" "Turn `khoj-mode' on in notes." t)

;;;###autoload
(with-eval-after-load 'org
  (require 'khoj-org))

(defconst khoj--features
  '(khoj-consult khoj-embark khoj-menu khoj-conversations khoj-chat khoj-question khoj-proposal khoj-view khoj-index khoj-similar
    khoj-mode khoj-xref khoj-lsp
    khoj-search khoj-candidate khoj-session khoj-preview khoj-filter khoj-org khoj-results khoj-status khoj-notice khoj-place khoj-rpc khoj-wire khoj-connection)
  "The parts of this package, each before those that it needs.")

(defun khoj-unload-function ()
  "Leave khojd, and unload all parts of this package."
  (dolist (buffer (buffer-list))
    (when (string-match-p "\\`\\*khoj [a-z]" (buffer-name buffer))
      (kill-buffer buffer)))
  (dolist (feature khoj--features)
    (when (featurep feature)
      (unload-feature feature t)))
  nil)

(provide 'khoj)
;;; khoj.el ends here
