;; Lays out each file named on the command line as Org does it, and writes the result beside it as FILE.emacs.
(require 'org)
(require 'org-table)
(require 'org-list)

(setq enable-local-variables nil)

(defun layout-lists ()
  "Number the items of all lists, and leave them where they stand."
  (goto-char (point-min))
  (while (re-search-forward (org-item-beginning-re) nil t)
    (beginning-of-line)
    (if (not (org-at-item-p))
        (forward-line)
      (let* ((struct (org-list-struct))
             (old (copy-tree struct))
             (bottom (copy-marker (org-list-get-bottom-point struct))))
        (org-list-struct-fix-bul struct (org-list-prevs-alist struct))
        (org-list-struct-apply-struct struct old)
        (goto-char (max (marker-position bottom) (line-beginning-position 2)))))))

(let ((coding-system-for-read 'utf-8-unix)
      (coding-system-for-write 'utf-8-unix)
      (org-inhibit-startup t))
  (dolist (file command-line-args-left)
    (with-temp-buffer
      (insert-file-contents file)
      (delay-mode-hooks (org-mode))
      (org-table-map-tables #'org-table-align t)
      (layout-lists)
      (write-region (point-min) (point-max) (concat file ".emacs") nil 'quiet)))
  (kill-emacs 0))
