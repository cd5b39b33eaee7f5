;;; client.el --- What Emacs asks of khojd, over the socket  -*- lexical-binding: t; -*-

;; SPDX-License-Identifier: Apache-2.0

;;; Commentary:

;; Run by test_emacs.py: KHOJD_SOCKET is where the daemon listens, KHOJD_NOTES the folder of notes.

;;; Code:

(require 'cl-lib)
(require 'ert)
(require 'jsonrpc)
(require 'url-util)

(defvar client-heard nil
  "Notifications so far, the newest first: (METHOD . PARAMS).")

(defun client-connect ()
  "Attach to the daemon and return the connection, which was not initialized."
  (setq client-heard nil)
  (make-instance 'jsonrpc-process-connection
                 :name "khojd"
                 :process (lambda ()
                            (make-network-process :name "khojd" :family 'local :service (getenv "KHOJD_SOCKET")
                                                  :coding 'utf-8-emacs-unix :noquery t))
                 :notification-dispatcher (lambda (_connection method params)
                                            (push (cons method params) client-heard))
                 :request-dispatcher #'ignore))

(defun client-initialize (connection)
  "Say hello over CONNECTION, and return the capabilities of the daemon."
  (let ((reply (jsonrpc-request connection :initialize
                                (list :processId (emacs-pid)
                                      :rootUri nil
                                      :capabilities '(:general (:positionEncodings ["utf-32"]))
                                      :initializationOptions '(:khoj (:protocol 1 :client "Emacs test")))
                                :timeout 60)))
    (jsonrpc-notify connection :initialized (make-hash-table))
    (plist-get reply :capabilities)))

(defmacro client-with (connection &rest body)
  "Run BODY with CONNECTION bound to an initialized connection."
  (declare (indent 1))
  `(let ((,connection (client-connect)))
     (unwind-protect
         (progn (client-initialize ,connection) ,@body)
       (delete-process (jsonrpc--process ,connection)))))

(defun client-ask (connection method &rest params)
  "The reply to METHOD with PARAMS over CONNECTION."
  (jsonrpc-request connection method params :timeout 60))

(defun client-hits (connection query &rest params)
  "The hits for QUERY over CONNECTION, searched with PARAMS, as a list."
  (append (plist-get (apply #'client-ask connection :khoj/search :query query params) :hits) nil))

(defun client-file (name)
  "The path of the note NAME."
  (expand-file-name name (getenv "KHOJD_NOTES")))

(defun client-uri (name)
  "The URI of the note NAME."
  (concat "file://" (url-hexify-string (client-file name) (cons ?/ url-unreserved-chars))))

(defun client-position (position)
  "The place in the current buffer of an LSP POSITION that counts characters."
  (save-excursion
    (goto-char (point-min))
    (forward-line (plist-get position :line))
    (+ (point) (plist-get position :character))))

(defun client-text (location)
  "What stands at LOCATION in the current buffer."
  (let ((range (plist-get location :range)))
    (buffer-substring (client-position (plist-get range :start)) (client-position (plist-get range :end)))))

(defun client-wait (condition)
  "Wait until CONDITION returns something true, and return that."
  (let ((deadline (+ (float-time) 60)) value)
    (while (not (setq value (funcall condition)))
      (when (> (float-time) deadline)
        (error "Waited in vain; heard %S" client-heard))
      (accept-process-output nil 0.05))
    value))

(ert-deftest client-says-hello ()
  (let ((connection (client-connect)))
    (unwind-protect
        (let* ((capabilities (client-initialize connection))
               (hello (plist-get (plist-get capabilities :experimental) :khoj)))
          (should (equal (plist-get capabilities :positionEncoding) "utf-32"))
          (should (cl-find "khoj/search" (plist-get hello :methods) :test #'equal)))
      (delete-process (jsonrpc--process connection)))))

(ert-deftest client-goes-to-a-hit ()
  (client-with connection
    (let ((hit (car (client-hits connection "steamed"))))
      (should (equal (plist-get hit :path) (client-file "tea.md")))
      (should (equal (plist-get (plist-get hit :location) :uri) (client-uri "tea.md")))
      (with-temp-buffer
        (insert-file-contents (plist-get hit :path))
        (should (string-match-p "Green tea 🍵 is steamed" (client-text (plist-get hit :location)))))
      ;; Highlights count characters, too: the cup before the word is one.
      (let ((highlight (aref (plist-get hit :highlights) 0)))
        (should (equal (substring (plist-get hit :snippet) (aref highlight 0) (aref highlight 1)) "steamed"))))
    (let ((match (aref (plist-get (client-ask connection :khoj/grep :pattern "st.amed") :matches) 0)))
      (with-temp-buffer
        (insert-file-contents (plist-get match :path))
        (should (equal (client-text (plist-get match :location)) "steamed"))))))

(ert-deftest client-searches-by-meaning-and-by-filters ()
  (client-with connection
    (should (equal (plist-get (car (client-hits connection "what to purchase" :mode "semantic")) :path)
                   (client-file "errands.org")))
    (let ((hits (client-hits connection "todo:TODO tag:shopping deadline<\"2024-06-01\"")))
      (should (equal (mapcar (lambda (hit) (plist-get hit :title)) hits) '("Errands"))))))

(ert-deftest client-finds-what-is-typed-and-not-saved ()
  (client-with connection
    (let ((uri (client-uri "tea.md")))
      (with-temp-buffer
        (insert-file-contents (client-file "tea.md"))
        (jsonrpc-notify connection :textDocument/didOpen
                        (list :textDocument (list :uri uri :languageId "markdown" :version 1 :text (buffer-string))))
        ;; After the cup, whose place is counted in characters.
        (goto-char (point-min))
        (search-forward "🍵")
        (let ((place (list :line (1- (line-number-at-pos)) :character (- (point) (line-beginning-position)))))
          (insert " (gyokuro)")
          (jsonrpc-notify connection :textDocument/didChange
                          (list :textDocument (list :uri uri :version 2)
                                :contentChanges (vector (list :range (list :start place :end place) :text " (gyokuro)")))))
        (let ((hit (car (client-wait (lambda () (client-hits connection "gyokuro" :mode "lexical"))))))
          (should (eq (plist-get hit :unsaved) t))
          (should (string-match-p "tea 🍵 (gyokuro) is steamed" (client-text (plist-get hit :location))))))
      (jsonrpc-notify connection :textDocument/didClose (list :textDocument (list :uri uri)))
      (client-wait (lambda () (not (client-hits connection "gyokuro" :mode "lexical"))))
      (should (client-hits connection "steamed" :mode "lexical")))))

(ert-deftest client-gets-each-phase-as-it-is-known ()
  (client-with connection
    (let* ((reply (client-ask connection :khoj/search :query "green tea" :partialResultToken "hits"))
           (values (cl-loop for (method . params) in (reverse client-heard)
                            when (and (eq method '$/progress) (equal (plist-get params :token) "hits"))
                            collect (plist-get params :value))))
      (should (equal (mapcar (lambda (value) (plist-get value :phase)) values) '("words" "fused")))
      (dolist (value values)
        (should (equal (plist-get (aref (plist-get value :hits) 0) :path) (client-file "tea.md"))))
      ;; The reply does not repeat what was streamed.
      (should (equal (plist-get reply :hits) []))
      (should (= (plist-get reply :count) (length (plist-get (car (last values)) :hits)))))))

(ert-deftest client-hears-how-indexing-goes ()
  (client-with connection
    (client-ask connection :khoj/index/update :workDoneToken "work")
    (let ((kinds (cl-loop for (method . params) in (reverse client-heard)
                          when (and (eq method '$/progress) (equal (plist-get params :token) "work"))
                          collect (plist-get (plist-get params :value) :kind))))
      (should (equal (car kinds) "begin"))
      (should (equal (car (last kinds)) "end")))))

(ert-deftest client-is-told-what-is-wrong-with-a-filter ()
  (client-with connection
    (let* ((failure (should-error (client-hits connection "tea date>\"the day after never\"") :type 'jsonrpc-error))
           (data (alist-get 'jsonrpc-error-data (cdr failure))))
      (should (= (alist-get 'jsonrpc-error-code (cdr failure)) -32011))
      (should (equal (plist-get data :kind) "query"))
      (should (string-match-p "the day after never" (plist-get data :part))))
    ;; The session goes on.
    (should (client-hits connection "tea"))))

(ert-deftest client-leaves-and-another-stays ()
  (client-with other
    (let ((connection (client-connect)))
      (client-initialize connection)
      (should-not (jsonrpc-request connection :shutdown nil :timeout 60))
      (jsonrpc-notify connection :exit nil)
      (client-wait (lambda () (not (jsonrpc-running-p connection))))
      (should (client-hits other "tea")))))

;;; client.el ends here
