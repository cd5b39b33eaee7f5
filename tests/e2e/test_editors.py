"""Real editors: Emacs over the socket with its own jsonrpc.el, Neovim over `khojd connect` with its own LSP client."""

import json
import subprocess
from pathlib import Path

from tests.conftest import program
from tests.e2e.conftest import TEA, TODO, Place

EMACS = """
(require 'jsonrpc)
(setq native-comp-deferred-compilation nil native-comp-jit-compilation nil)
(let* ((parts nil)
       (process (make-network-process :name "khojd" :family 'local :service "@ADDRESS@" :coding 'utf-8-emacs-unix))
       (connection
        (make-instance 'jsonrpc-process-connection :name "khojd" :process process
                       :notification-dispatcher (lambda (_ method params) (push (cons method params) parts)))))
  (jsonrpc-request connection :initialize
                   '(:processId nil :rootUri nil :capabilities (:general (:positionEncodings ["utf-32"]))
                     :initializationOptions (:khoj (:protocol 1 :client "emacs batch"))))
  (jsonrpc-notify connection :initialized (make-hash-table))
  (jsonrpc-request connection :khoj/index/update (make-hash-table))
  (let* ((found (jsonrpc-request connection :khoj/search '(:query "steamed 🍵" :mode "lexical")))
         (hit (aref (plist-get found :hits) 0))
         (range (plist-get (plist-get hit :location) :range))
         (final (jsonrpc-request connection :khoj/search '(:query "kettle" :mode "lexical" :partialResultToken 5)))
         (wrong (condition-case failure (progn (jsonrpc-request connection :khoj/grep '(:pattern "(")) nil)
                  (jsonrpc-error (alist-get 'jsonrpc-error-code (cdr failure))))))
    (princ (json-serialize
            `(:path ,(plist-get hit :path) :snippet ,(plist-get hit :snippet) :range ,range
              :streamed ,(length (plist-get final :hits)) :count ,(plist-get final :count)
              :parts ,(length (seq-filter (lambda (part) (eq (car part) '$/progress)) parts))
              :wrong ,wrong))))
  (jsonrpc-request connection :shutdown nil)
  (jsonrpc-notify connection :exit nil)
  (jsonrpc-shutdown connection))
"""

NEOVIM = """
local ok, err = pcall(function()
  local id = vim.lsp.start_client({
    name = "khojd",
    cmd = vim.json.decode([==[@COMMAND@]==]),
    init_options = { khoj = { protocol = 1, client = "nvim headless" } },
    handlers = { ["khoj/statusChanged"] = function() end },
  })
  local client
  assert(vim.wait(30000, function()
    client = vim.lsp.get_client_by_id(id)
    return client ~= nil and client.initialized == true
  end, 20), "no initialize reply")
  local function ask(method, params)
    local reply, failure = client.request_sync(method, params, 30000, 0)
    assert(reply, failure)
    return reply
  end
  ask("khoj/index/update", {})
  vim.cmd("edit @NOTE@")
  vim.lsp.buf_attach_client(0, id)
  vim.api.nvim_buf_set_lines(0, 2, 2, true, { "Matcha is ground 🍵 gyokuro." })
  local hit
  assert(vim.wait(30000, function()
    hit = ask("khoj/search", { query = "gyokuro", mode = "lexical" }).result.hits[1]
    return hit ~= nil
  end, 50), "typed text is not found")
  local arguments = { { query = "kettle", mode = "lexical" } }
  local command = ask("workspace/executeCommand", { command = "khoj.search", arguments = arguments })
  local wrong = ask("khoj/grep", { pattern = "(" })
  io.stdout:write(vim.json.encode({
    path = hit.path, unsaved = hit.unsaved, line = hit.location.range.start.line,
    todo = command.result.hits[1].todo, wrong = wrong.err and wrong.err.code,
  }))
  client.stop()
  vim.wait(30000, function() return vim.lsp.get_client_by_id(id) == nil end, 20)
end)
if not ok then io.stderr:write(tostring(err)); vim.cmd("cquit 1") end
vim.cmd("qall!")
"""


def write_notes(place: Place) -> Path:
    note = place.notes / "tea.md"
    note.write_text(TEA, encoding="utf-8")
    (place.notes / "todo.org").write_text(TODO, encoding="utf-8")
    return note


def test_emacs_searches_over_the_socket(place: Place, tmp_path: Path) -> None:
    emacs = program("emacs")
    note = write_notes(place)
    place.client().close()
    script = tmp_path / "client.el"
    script.write_text(EMACS.replace("@ADDRESS@", str(place.address)), encoding="utf-8")
    done = subprocess.run(
        [emacs, "--batch", "-Q", "-l", str(script)],
        env=place.environment(LC_ALL="C.UTF-8"),
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    said = json.loads(done.stdout)
    assert said["path"] == str(note)
    assert "Green tea 🍵 is steamed." in said["snippet"]
    assert said["range"]["start"]["line"] <= 2
    assert (said["streamed"], said["count"], said["parts"], said["wrong"]) == (0, 1, 1, -32011)


def test_neovim_searches_over_the_bridge_and_finds_what_is_typed(place: Place, tmp_path: Path) -> None:
    neovim = program("nvim")
    note = write_notes(place)
    script = tmp_path / "client.lua"
    command = json.dumps(place.command("connect", *place.places))
    script.write_text(NEOVIM.replace("@COMMAND@", command).replace("@NOTE@", str(note)), encoding="utf-8")
    done = subprocess.run(
        [neovim, "--headless", "--clean", "-n", "-c", f"luafile {script}"],
        env=place.environment(),
        capture_output=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    said = json.loads(done.stdout)
    assert (said["path"], said["unsaved"], said["line"]) == (str(note), True, 2)
    assert (said["todo"], said["wrong"]) == ("TODO", -32011)
