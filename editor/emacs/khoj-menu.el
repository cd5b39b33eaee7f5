;;; khoj-menu.el --- Menus  -*- lexical-binding: t; -*-

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

;; `khoj' shows all that can be done, `khoj-chat-menu' what can be done in
;; a conversation.

;;; Code:

(require 'khoj-chat)
(require 'khoj-conversations)
(require 'khoj-index)
(require 'khoj-mode)
(require 'khoj-results)
(require 'khoj-search)
(require 'khoj-similar)
(require 'khoj-status)
(require 'transient)

;;;###autoload (autoload 'khoj "khoj-menu" "All that can be done with your notes." t)
(transient-define-prefix khoj ()
  "All that can be done with your notes."
  [:description (lambda () (concat "khojd: " (car (khoj-status-summary))))
   ["Search"
    ("s" "Notes" khoj-search)
    ("h" "In this folder" khoj-search-here)
    ("g" "Lines (grep)" khoj-grep)
    ("l" "Insert a link" khoj-insert-link)]
   ["Similar notes"
    ("r" "Like this place" khoj-similar)
    ("R" "Beside, following point" khoj-similar-follow-mode)]
   ["Ask"
    ("c" "Chat" khoj-chat)
    ("C" "New conversation" khoj-chat-new)
    ("a" "About the region or note" khoj-ask-region)
    ("H" "Conversations" khoj-conversations)]
   ["Index"
    ("i" "Files" khoj-index)
    ("u" "Update" khoj-index-update)
    ("p" "Pause or go on" khoj-index-pause)
    ("+" "Add a folder" khoj-index-add-folder)]
   ["khojd"
    ("?" "Status" khoj-index-show-status)
    ("," "Configuration" khoj-open-config)
    ("L" "Log" khoj-open-log)
    ("!" "Connect again" khoj-reconnect)]])

;;;###autoload (autoload 'khoj-chat-menu "khoj-menu" "What can be done in a conversation." t)
(transient-define-prefix khoj-chat-menu ()
  "What can be done in a conversation."
  [["Answer"
    ("k" "Stop" khoj-chat-stop)
    ("r" "Ask again" khoj-chat-retry)
    ("e" "Edit the question" khoj-chat-edit)
    ("f" "Fork here" khoj-chat-fork)]
   ["Next question"
    ("p" "Persona" khoj-chat-set-persona)
    ("m" "Model" khoj-chat-set-model)
    ("/" "Filters" khoj-chat-set-filters)
    ("a" "About a note, too" khoj-chat-attach)
    ("d" "About nothing in particular" khoj-chat-detach)]
   ["Conversations"
    ("h" "All" khoj-conversations)
    ("n" "New" khoj-chat-new)]])

(provide 'khoj-menu)
;;; khoj-menu.el ends here
