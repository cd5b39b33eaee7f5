-- What a person does with notes in Neovim, by its own commands and nothing else, through `khojd connect`. Run by test_neovim.py with
-- KHOJD_CONNECT (the command as a JSON array), KHOJD_NOTES (the folder of notes) and KHOJD_SCENE (which notes these are: "examples" or
-- "collections"). What is seen is printed.

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

local function contains(text, part, what)
  check(text:find(part, 1, true), what .. ": " .. vim.inspect(part) .. " is not in\n" .. text)
end

local function say(what, text)
  io.stdout:write("--- " .. what .. "\n" .. text .. "\n")
end

local function wait(what, condition)
  local value
  check(vim.wait(PATIENCE, function()
    value = condition()
    return value
  end, 20), "waited in vain for " .. what)
  return value
end

local function open(name)
  vim.cmd("edit " .. vim.fn.fnameescape(notes .. "/" .. name))
end

local function text(name)
  local buffer = name == nil and 0
  -- A new note is there when the edit that makes it has been applied.
  vim.wait(PATIENCE, function()
    for _, one in ipairs(vim.api.nvim_list_bufs()) do
      if name and vim.api.nvim_buf_get_name(one) == notes .. "/" .. name then
        buffer = one
      end
    end
    return buffer
  end, 10)
  check(buffer, (name or "") .. " is in no buffer:\n" .. vim.fn.execute("ls!"))
  return table.concat(vim.api.nvim_buf_get_lines(buffer, 0, -1, false), "\n")
end

-- Put the cursor at the start of the first `needle`, or after it.
local function go(needle, after)
  for number, line in ipairs(vim.api.nvim_buf_get_lines(0, 0, -1, false)) do
    local first, last = line:find(needle, 1, true)
    if first then
      vim.api.nvim_win_set_cursor(0, { number, after and last or first - 1 })
      return
    end
  end
  error(needle .. " is not in " .. vim.api.nvim_buf_get_name(0), 2)
end

local function at()
  return vim.fn.fnamemodify(vim.api.nvim_buf_get_name(0), ":s?" .. notes .. "/??"), vim.api.nvim_get_current_line()
end

-- Pop-up windows --------------------------------------------------------------------------------------------------------------

local function floating()
  for _, window in ipairs(vim.api.nvim_list_wins()) do
    if vim.api.nvim_win_get_config(window).relative ~= "" then
      return window
    end
  end
end

local function hover(needle, expected)
  go(needle)
  vim.lsp.buf.hover()
  local window = wait("the hover on " .. needle, floating)
  local shown = table.concat(vim.api.nvim_buf_get_lines(vim.api.nvim_win_get_buf(window), 0, -1, false), "\n")
  vim.api.nvim_win_close(window, true)
  say("hover on " .. needle, shown)
  for _, part in ipairs(expected) do
    contains(shown, part, "hover on " .. needle)
  end
end

-- Going somewhere -------------------------------------------------------------------------------------------------------------

local function definition(note, needle, name, line)
  open(note)
  go(needle)
  local before = { at(), vim.api.nvim_win_get_cursor(0) }
  vim.lsp.buf.definition()
  wait("the definition of " .. needle, function()
    return not vim.deep_equal({ at(), vim.api.nvim_win_get_cursor(0) }, before)
  end)
  local file, current = at()
  equal({ file, current }, { name, line }, "definition of " .. needle)
end

-- What Neovim puts into the quickfix list: "file: the line's text".
local function listed(what, ask)
  vim.fn.setqflist({}, "f")
  ask()
  local items = wait(what, function()
    local found = vim.fn.getqflist()
    return #found > 0 and found
  end)
  vim.cmd("cclose")
  local lines = {}
  for _, item in ipairs(items) do
    local file = vim.fn.fnamemodify(vim.api.nvim_buf_get_name(item.bufnr), ":s?" .. notes .. "/??")
    table.insert(lines, file .. ": " .. item.text)
  end
  say(what, table.concat(lines, "\n"))
  return lines
end

local function references(note, needle, expected)
  open(note)
  go(needle)
  local lines = listed("references to " .. needle, vim.lsp.buf.references)
  table.sort(lines)
  equal(lines, expected, "references to " .. needle)
end

local function symbols(query, expected)
  local lines = listed("symbols for " .. query, function()
    vim.lsp.buf.workspace_symbol(query)
  end)
  equal(lines[1], expected, "the first symbol for " .. query)
end

-- Typing ----------------------------------------------------------------------------------------------------------------------

-- Type `typed` below the line with `needle`, take the first item whose label begins with `label`, and apply it as completion plugins do.
local function complete(client, needle, typed, label)
  go(needle)
  local line = vim.api.nvim_win_get_cursor(0)[1]
  vim.api.nvim_buf_set_lines(0, line, line, false, { typed })
  vim.api.nvim_win_set_cursor(0, { line + 1, #typed - 1 })
  local params = vim.lsp.util.make_position_params(0, client.offset_encoding)
  local _, units = vim.str_utfindex(typed) -- behind the last character, as in insert mode
  params.position.character = units
  local buffer = vim.api.nvim_get_current_buf() -- named, so that Neovim first sends what was typed
  local reply = client.request_sync("textDocument/completion", params, PATIENCE, buffer)
  check(reply and reply.result, "no completion of " .. typed .. ": " .. vim.inspect(reply))
  local labels = {}
  for _, item in ipairs(reply.result.items) do
    table.insert(labels, item.label)
    if vim.startswith(item.label, label) then
      local resolved = client.request_sync("completionItem/resolve", item, PATIENCE, buffer).result
      check(resolved.documentation and resolved.documentation.value ~= "", "no documentation of " .. label)
      local edits = vim.list_extend({ item.textEdit }, resolved.additionalTextEdits or {})
      vim.lsp.util.apply_text_edits(edits, 0, client.offset_encoding)
      if item.command then
        local done = client.request_sync("workspace/executeCommand", item.command, PATIENCE, buffer)
        check(done and not done.err, "the command of " .. label .. ": " .. vim.inspect(done))
      end
      return
    end
  end
  error(label .. " is not offered for " .. typed .. ": " .. table.concat(labels, ", "), 2)
end

local function rename(needle, name)
  go(needle)
  local before = vim.api.nvim_buf_get_changedtick(0)
  local buffer = vim.api.nvim_get_current_buf()
  vim.lsp.buf.rename(name)
  wait("the rename of " .. needle, function()
    return vim.api.nvim_buf_get_changedtick(buffer) ~= before or vim.api.nvim_get_current_buf() ~= buffer
  end)
end

-- Choose the code action whose title has `title` in it.
local function act(needle, title)
  go(needle)
  local offered, chosen
  vim.ui.select = function(items, options, choose)
    offered = {}
    for _, item in ipairs(items) do
      table.insert(offered, (options.format_item(item)))
      if not chosen and item[2].title:find(title, 1, true) then
        chosen = item
      end
    end
    choose(chosen, 1)
  end
  vim.lsp.buf.code_action()
  wait("the code actions at " .. needle, function()
    return offered
  end)
  say("code actions at " .. needle, table.concat(offered, "\n"))
  check(chosen, title .. " is not offered at " .. needle .. ": " .. table.concat(offered, ", "))
end

-- Diagnostics -----------------------------------------------------------------------------------------------------------------

-- The diagnostic that marks `cut`, by its code.
local function diagnosed(cut)
  for _, one in ipairs(vim.diagnostic.get(0)) do
    local line = vim.api.nvim_buf_get_lines(0, one.lnum, one.lnum + 1, false)[1] or ""
    if line:sub(one.col + 1, one.end_col) == cut then
      return one.user_data.lsp.code
    end
  end
end

local function appears(code, cut)
  equal(wait(code .. " at " .. cut, function()
    return diagnosed(cut)
  end), code, "what is wrong with " .. cut)
  local shown = {}
  for _, each in ipairs(vim.diagnostic.get(0)) do
    table.insert(shown, ("%d:%d %s"):format(each.lnum + 1, each.col + 1, each.message))
  end
  say("diagnostics of " .. at(), table.concat(shown, "\n"))
end

local function goes(cut)
  wait("the end of what is wrong with " .. cut, function()
    return not diagnosed(cut)
  end)
end

-- The conversation ------------------------------------------------------------------------------------------------------------

local function markdown(client)
  open("notes/Weekend.md")
  appears("broken-link", "No such note")
  hover("[[Sleep]]", { "notes/Sleep.md", "Three weeks of lying awake" })
  hover("[[Bike repair#", { "notes/Bike repair.md", "The chain skips on the two smallest sprockets" })
  hover("#holiday", { "#holiday: 2 notes" })
  hover("## Plans", { "**Related**", "notes/Bike repair.md" })
  definition("notes/Weekend.md", "[[Sleep]]", "notes/Sleep.md", "---")
  definition("notes/Weekend.md", "[[Bike repair#", "notes/Bike repair.md", "## Gears jump under load")
  definition("notes/Weekend.md", "[[龙井茶", "notes/龙井茶.md", "---")
  local both = "notes/Weekend.md: Read [[Sleep]] 🌙 first, then [[Bike repair#Gears jump under load]] and "
    .. "[gears](<Bike repair.md#gears-jump-under-load>)."
  references("notes/Bike repair.md", "## Gears", { "notes/Bike repair.md: ## Gears jump under load", both, both })

  -- What is typed wrong, and mended.
  open("notes/Weekend.md")
  vim.api.nvim_buf_set_lines(0, -1, -1, false, { "", "🌙 [[Sleep#Nightmares]]" })
  appears("broken-anchor", "Sleep#Nightmares")
  vim.api.nvim_buf_set_lines(0, -2, -1, false, { "🌙 [[Guitar#Practice]]" })
  goes("Sleep#Nightmares")

  -- A heading, and both links to it.
  open("notes/Bike repair.md")
  rename("## Gears", "Worn chain")
  contains(text("notes/Bike repair.md"), "\n## Worn chain\n", "the heading")
  contains(
    text("notes/Weekend.md"),
    "🌙 first, then [[Bike repair#Worn chain]] and [gears](<Bike repair.md#worn-chain>).",
    "links to the renamed heading"
  )

  -- Typing a link; a block of another note gets an id.
  open("notes/Weekend.md")
  complete(client, "## Plans", "🌙 Or stay on the [[Sourd", "Sourdough")
  contains(text(), "🌙 Or stay on the [[Sourdough]]\n", "the completed link")
  complete(client, "## Plans", "Metronome: [[Guitar#^Ten", "Ten minutes every day")
  local id = text():match("Metronome: %[%[Guitar#^(%w+)%]%]\n")
  check(id, "the link to a block: " .. text())
  contains(text("notes/Guitar.md"), "a mistake. ^" .. id .. "\n", "the id of the block")
end

local function org(client)
  open("org/summer.org")
  appears("broken-link", "file:nowhere.org")
  hover("[[file:river-gauge.org", { "org/river-gauge.org", "Reduce the power drawn while asleep" })
  hover("[[file:../notes", { "notes/Sleep.md", "Three weeks of lying awake" })
  hover("* Rides", { "2 backlinks", "org/summer.org" })
  definition("org/summer.org", "[[file:river-gauge.org", "org/river-gauge.org", "* Firmware                                                         :firmware:")
  definition("org/summer.org", "[[id:", "org/summer.org", "* Rides")
  local both = "org/summer.org:   After the [[*Rides]], as in [[id:6a1f0b52-6f0c-4c5d-9a35-0c3c5c1d9b1e][that heading]]. "
    .. "Then [[file:nowhere.org]]."
  references("org/summer.org", "* Rides", { both, both, "org/summer.org: * Rides" })
  vim.api.nvim_buf_set_lines(0, -1, -1, false, { "  🌙 [[*Nightmares]]" })
  appears("broken-anchor", "*Nightmares")
  vim.api.nvim_buf_set_lines(0, -2, -1, false, { "  🌙 [[*Autumn]]" })
  goes("*Nightmares")
  rename("* Rides", "Long rides")
  contains(text(), "\n* Long rides\n", "the heading")
  contains(text(), "After the [[*Long rides]], as in [[id:6a1f0b52", "the link to the renamed heading")

  -- Typing a link; the heading it leads to gets an ID.
  complete(client, "After the", "  🌙 Or [[id:Autu", "Autumn")
  local id = text():match("🌙 Or %[%[id:([%w-]+)%]%[Autumn%]%]\n")
  check(id, "the link to a heading: " .. text())
  contains(text(), "* TODO Autumn\n  :PROPERTIES:\n  :ID:       " .. id .. "\n  :END:\n", "the heading's ID")
end

-- The example notes.
local function examples(client)
  open("notes/Weekend.md")
  symbols("gears", "notes/Bike repair.md: [String] Gears jump under load")
  symbols("why the bicycle is noisy", "notes/Bike repair.md: [String] Bike repair")
  markdown(client)
  org(client)

  -- The missing notes are made; then nothing is wrong any more.
  open("notes/Weekend.md")
  act("[[No such", "Create notes/No such note.md")
  goes("No such note")
  contains(text("notes/No such note.md"), "# No such note", "the note that was made")
  open("org/summer.org")
  act("[[file:nowhere", "Create org/nowhere.org")
  goes("file:nowhere.org")
  contains(text("org/nowhere.org"), "#+title: nowhere", "the note that was made")

  -- A note, its file, and the links to it in both formats.
  open("notes/Weekend.md")
  rename("[[Sleep]]", "Rest")
  contains(text("notes/Weekend.md"), "Read [[Rest]] 🌙", "a link to the renamed note")
  contains(text("notes/Slip box.md"), "[[Lamport clocks]], [[Rest]].", "a link in a note that was not open")
  contains(text("org/summer.org"), "and at [[file:../notes/Rest.md]].", "a link in Org")
  vim.cmd("wall")
  equal({ vim.fn.filereadable(notes .. "/notes/Rest.md"), vim.fn.filereadable(notes .. "/notes/Sleep.md") }, { 1, 0 }, "files")
end

-- Dendron's vault and the Org files of Worg, as their authors left them.
local function collections(client)
  local lookup, contribute = "vault/dendron.topic.lookup.md", "worg/org-contribute.org"
  open("vault/dendron.topic.notes.cli.lookup.md")
  hover("[[dendron.topic.lookup]]", { lookup, "Lookups help you create, find, and organize your notes" })
  definition("vault/dendron.topic.notes.cli.lookup.md", "[[dendron.topic.lookup]]", lookup, "---")
  definition("vault/changelog.past-versions.0-1-x.md", "[[dendron.topic.lookup.modifiers#multi", "vault/dendron.topic.lookup.modifiers.md", "### multiSelect")
  open(lookup)
  vim.api.nvim_win_set_cursor(0, { 1, 0 })
  local lines = listed("references to a note", vim.lsp.buf.references)
  check(#lines > 20, #lines .. " references to a note that has many")
  contains(table.concat(lines, "\n"), "vault/dendron.topic.notes.cli.md: Note to query for. Same syntax as [[dendron.topic.lookup]]", "one")
  symbols("Look up Auto Complete", lookup .. ": [String] Look up Auto Complete")
  open("vault/dendron.topic.notes.cli.lookup.md")
  complete(client, "Note to query", "See [[dendron.topic.lookup.fi", "Finding Notes")
  contains(text(), "See [[dendron.topic.lookup.find]]\n", "the completed link")
  open("vault/dendron.topic.lookup.find.md")
  rename("### Dot", "Dot comes last")
  for _, name in ipairs({ "vault/changelog.release.2021-11-16.md", "vault/changelog.md" }) do
    contains(text(name), "[[docs|dendron.topic.lookup.find#dot-comes-last]]", "a link to the heading")
  end
  open("vault/dendron.topic.notes.cli.lookup.md")
  vim.api.nvim_buf_set_lines(0, -1, -1, false, { "[[dendron.topic.lokup]]" })
  appears("broken-link", "dendron.topic.lokup")
  act("dendron.topic.lokup", "Link to vault/dendron.topic.lookup")
  goes("dendron.topic.lokup")

  open("worg/org-maintenance.org")
  hover("[[file:org-contribute.org::#repos", { contribute, "Overview of Org repositories" })
  definition("worg/org-maintenance.org", "[[file:org-contribute.org::#repos", contribute, "* Overview of Org repositories")
  references(contribute, "* Overview of Org", {
    contribute .. ": * Overview of Org repositories",
    "worg/org-maintenance.org: [[file:org-contribute.org::#repos-overview][several others]]:",
  })
  symbols("Additional Org mode repositories", "worg/org-maintenance.org: [String] Additional Org mode repositories")
  open("worg/org-maintenance.org")
  complete(client, "** Additional Org", "See [[file:org-contrib", "Contributing to Org")
  contains(text(), "See [[file:org-contribute.org]", "the completed link")
  rename("* Additional Org", "More repositories")
  contains(text(), "\n** More repositories\n", "the heading")
end

local function conversation()
  local left
  local id = vim.lsp.start_client({
    name = "khojd",
    cmd = vim.fn.json_decode(vim.env.KHOJD_CONNECT),
    root_dir = notes,
    on_exit = function(code)
      left = code
    end,
  })
  check(id, "the bridge was not started")
  local client = vim.lsp.get_client_by_id(id)
  vim.api.nvim_create_autocmd({ "BufReadPost", "BufNewFile" }, {
    pattern = { "*.md", "*.org" },
    callback = function(event)
      vim.lsp.buf_attach_client(event.buf, id)
    end,
  })
  vim.o.hidden = true
  open("README.md")
  wait("the reply to initialize", function()
    return client.initialized
  end)
  local scenes = { examples = examples, collections = collections }
  scenes[vim.env.KHOJD_SCENE](client)
  client.stop()
  wait("the end of the bridge", function()
    return left
  end)
  equal(left, 0, "the bridge's status")
end

local passed, problem = xpcall(conversation, debug.traceback)
if not passed then
  io.stderr:write(problem .. "\n")
  vim.cmd("cquit 1")
end
vim.cmd("qall!")
