;;; org-elements.el --- What Org itself reads in files -*- lexical-binding: t -*-

;; For each file named on the command line two lines: type, begin and end of each link, and of each element that takes whole
;; lines.  Offsets are 0-based; blank lines after an element and keywords before it are no part of it.

(require 'org)
(require 'org-element)
(require 'org-id)

(defun org-elements-range (element)
  "Type, begin and end of ELEMENT."
  (let ((type (org-element-type element))
        (end (org-element-property :end element)))
    (list (symbol-name (if (eq type 'link) (intern (org-element-property :type element)) type))
          (1- (or (and (not (eq type 'item)) (org-element-property :post-affiliated element))
                  (org-element-property :begin element)))
          (1- (save-excursion
                (goto-char end)
                (skip-chars-backward " \t\n")
                (if (eq type 'link) (- end (or (org-element-property :post-blank element) 0))
                  (forward-line 1)
                  (point)))))))

(dolist (file command-line-args-left)
  (with-temp-buffer
    (let ((coding-system-for-read 'utf-8-unix)) (insert-file-contents file))
    (let ((org-inhibit-startup t)) (delay-mode-hooks (org-mode)))
    (let ((tree (org-element-parse-buffer)))
      (dolist (types '((link)
                       (item src-block example-block export-block fixed-width comment comment-block table
                             drawer property-drawer quote-block verse-block center-block)))
        (prin1 (org-element-map tree types #'org-elements-range))
        (terpri)))))
(setq command-line-args-left nil)
