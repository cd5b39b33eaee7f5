-- What Neovim asks of khojd, through `khojd connect`. Run by test_neovim.py with
-- KHOJD_CONNECT (the command as a JSON array) and KHOJD_NOTES (the folder of notes).

local notes = vim.env.KHOJD_NOTES
local PATIENCE = 60000 -- milliseconds

local function check(condition, message)
  if not condition then
    error(message, 2)
  end
end

local function equal(found, expected, what)
  check(vim.deep_equal(found, expected), what .. ": " .. vim.inspect(found) .. " is not " .. vim.inspect(expected))
end

local function ask(client, method, params)
  local reply, problem = client.request_sync(method, params, PATIENCE, 0)
  check(reply, method .. ": no reply (" .. tostring(problem) .. ")")
  return reply.result, reply.err
end

local function conversation()
  local ready, left, partial = nil, nil, {}
  local id = vim.lsp.start_client({
    name = "khojd",
    cmd = vim.fn.json_decode(vim.env.KHOJD_CONNECT),
    root_dir = notes,
    init_options = { khoj = { protocol = 1, client = "Neovim test" } },
    on_init = function(client)
      ready = client
    end,
    on_exit = function(code)
      left = code
    end,
    handlers = {
      ["$/progress"] = function(_, value)
        if value.token == "hits" then
          table.insert(partial, value.value)
        end
      end,
      ["khoj/statusChanged"] = function() end,
    },
  })
  check(id, "the bridge was not started")
  vim.wait(PATIENCE, function() return ready ~= nil or left ~= nil end, 10)
  check(ready, "no reply to initialize")
  local client = ready
  equal(client.offset_encoding, "utf-16", "offset encoding")
  check(vim.tbl_contains(client.server_capabilities.experimental.khoj.methods, "khoj/search"), "khoj/search is not offered")

  -- As a command, which needs no plugin.
  local commands = client.server_capabilities.executeCommandProvider.commands
  check(vim.tbl_contains(commands, "khoj.search"), "khoj.search is not a command")
  local found, failure = ask(client, "workspace/executeCommand", { command = "khoj.search", arguments = { { query = "kettle" } } })
  equal(failure, nil, "khoj.search failed")
  equal(found.hits[1].path, notes .. "/errands.org", "the file of the kettle")
  equal(found.hits[1].todo, "TODO", "its state")

  -- As a request; the hit is opened where it says.
  found, failure = ask(client, "khoj/search", { query = "steamed", limit = 1 })
  equal(failure, nil, "khoj/search failed")
  local hit = found.hits[1]
  equal(vim.uri_to_fname(hit.location.uri), notes .. "/tea.md", "the file of the tea")
  local first, last = unpack(hit.highlights[1])
  local snippet = hit.snippet
  local word = snippet:sub(vim.str_byteindex(snippet, first, true) + 1, vim.str_byteindex(snippet, last, true))
  equal(word, "steamed", "what is highlighted")
  vim.lsp.util.jump_to_location(hit.location, client.offset_encoding)
  equal(vim.api.nvim_buf_get_name(0), notes .. "/tea.md", "the buffer that was jumped to")
  local from, to = hit.location.range.start.line, hit.location.range["end"].line
  local passage = table.concat(vim.api.nvim_buf_get_lines(0, from, to + 1, false), "\n")
  check(passage:find("is steamed", 1, true), "the hit is not where it says: " .. passage)

  -- Streamed, phase by phase.
  found = ask(client, "khoj/search", { query = "green tea", partialResultToken = "hits" })
  equal(found.hits, {}, "hits that are repeated")
  check(#partial >= 1 and #partial[#partial].hits == found.count, "streamed: " .. vim.inspect(partial))

  -- The buffer's own text, typed and not saved.
  check(vim.lsp.buf_attach_client(0, id), "the buffer was not attached")
  vim.api.nvim_buf_set_lines(0, -1, -1, false, { "", "🍵 Sencha is not saved." })
  check(
    vim.wait(PATIENCE, function()
      found = ask(client, "khoj/search", { query = "sencha", mode = "lexical" })
      return #found.hits == 1 and found.hits[1].unsaved
    end, 50),
    "unsaved text is not found"
  )

  -- A filter that means nothing is an error that names it.
  found, failure = ask(client, "khoj/search", { query = 'tea date>"the day after never"' })
  equal(found, nil, "hits of a wrong filter")
  equal(failure.code, -32011, "the error's code")
  equal(failure.data.kind, "query", "the error's kind")

  client.stop()
  check(vim.wait(PATIENCE, function() return left ~= nil end, 10), "the bridge does not end")
  equal(left, 0, "the bridge's status")
end

local passed, problem = xpcall(conversation, debug.traceback)
if not passed then
  io.stderr:write(problem .. "\n")
  vim.cmd("cquit 1")
end
vim.cmd("qall!")
