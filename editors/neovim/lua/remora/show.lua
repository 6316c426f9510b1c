--- Showing answers: a floating window, the quickfix list, a line in the message area.
local remora = require("remora")

local M = {}

local WIDEST = 100

--- A floating window beside the cursor that closes as soon as the cursor moves; `q` closes it from inside.
---@param lines string[]
---@param filetype string
function M.float(lines, filetype)
  local width = 20
  for _, line in ipairs(lines) do
    width = math.max(width, vim.fn.strdisplaywidth(line))
  end
  local options = {
    max_width = math.min(WIDEST, vim.o.columns - 4),
    wrap = true,
    border = "rounded",
    focus_id = "remora",
    width = math.min(width, WIDEST, vim.o.columns - 4),
    close_events = { "CursorMoved", "CursorMovedI", "InsertEnter", "BufHidden" },
  }
  local buffer, window = vim.lsp.util.open_floating_preview(lines, filetype, options)
  vim.keymap.set("n", "q", "<cmd>close<cr>", { buffer = buffer, nowait = true })
  return buffer, window
end

--- The one node of a getContext answer; else the user is told why there is none.
local function only_node(result)
  local _, node = next(result.nodes)
  if node and node ~= vim.NIL then
    return node
  end
  local missing = result.missing[1]
  if missing then
    local near = #missing.near > 0 and (" Near: " .. table.concat(missing.near, ", ")) or ""
    local detail = missing.detail ~= vim.NIL and missing.detail or missing.reason
    remora.tell(detail .. "." .. near, vim.log.levels.WARN)
  end
  return nil
end

--- Turns what is to be done with a node into what takes the answer of getContext.
function M.with_node(use)
  return function(result)
    local node = only_node(result)
    if node then
      use(node)
    end
  end
end

local function present(value)
  return value ~= nil and value ~= vim.NIL
end

local function counted(number, one)
  return ("%d %s%s"):format(number, one, number == 1 and "" or "s")
end

--- A key as people read it: without `node:`.
local function short(key)
  return (key:gsub("^node:", ""))
end

--- What is known of a node, as Markdown.
---@return string[]
function M.markdown(node, result)
  local lines = { "# " .. node.qualname, "", ("`%s:%d`"):format(node.file_path, node.name_range.start.line + 1), "" }
  local function add(text)
    vim.list_extend(lines, vim.split(text, "\n", { plain = true }))
  end
  if present(node.signature) then
    add("```python\n" .. node.signature .. "\n```")
  end
  if present(node.docstring_full) then
    add("\n" .. node.docstring_full)
  end
  local facts = {}
  if present(node.complexity) then
    table.insert(facts, "complexity " .. node.complexity)
  end
  if present(node.line_count) then
    table.insert(facts, counted(node.line_count, "line"))
  end
  table.insert(facts, node.has_type_hints and "type hints" or "no type hints")
  if M.unsaved(node.file_path) then
    table.insert(facts, "unsaved text counts")
  end
  add("\n" .. table.concat(facts, " · "))
  if node.docstring_outdated then
    local reason = present(node.docstring_outdated_reason) and node.docstring_outdated_reason or "signature changed"
    add("\n**Docstring outdated**: " .. reason)
  end
  if present(node.broken) then
    add("\n**Does not parse just now**: " .. node.broken)
  end
  for _, relation in ipairs({ { "callers", "Callers" }, { "callees", "Calls" }, { "related_tests", "Tests" } }) do
    local keys = node[relation[1]]
    if present(keys) and #keys > 0 then
      add(("\n## %s (%d)"):format(relation[2], #keys))
      for _, key in ipairs(keys) do
        table.insert(lines, "- `" .. short(key) .. "`")
      end
    end
  end
  if present(node.extra) then
    M.add_extra(lines, node.extra)
  end
  for _, entry in ipairs(result.omitted or {}) do
    table.insert(lines, ("- left out: %s (%s)"):format(entry.what, entry.reason))
  end
  return lines
end

--- Whether the file is open here, with changes that are not on disk.
function M.unsaved(path)
  for _, buffer in ipairs(vim.api.nvim_list_bufs()) do
    if vim.bo[buffer].modified and vim.endswith(vim.api.nvim_buf_get_name(buffer), "/" .. path) then
      return true
    end
  end
  return false
end

--- What the project's own scripts found; `source` is the node's own text.
function M.add_extra(lines, extra)
  local names = vim.tbl_keys(extra)
  table.sort(names)
  for _, name in ipairs(names) do
    if name == "source" then
      vim.list_extend(lines, { "", "```python" })
      vim.list_extend(lines, vim.split(extra.source, "\n", { plain = true }))
      table.insert(lines, "```")
    else
      table.insert(lines, ("- %s: %s"):format(name, vim.fn.json_encode(extra[name])))
    end
  end
end

function M.context(result)
  local node = only_node(result)
  if node then
    M.float(M.markdown(node, result), "markdown")
  end
end

function M.copy(result)
  local node = only_node(result)
  if node then
    local text = table.concat(M.markdown(node, result), "\n") .. "\n"
    vim.fn.setreg('"', text)
    if vim.fn.has("clipboard") == 1 then
      vim.fn.setreg("+", text)
    end
    remora.tell("copied the context of " .. node.qualname)
  end
end

--- remora/status in a floating window.
function M.status(status)
  local lines = {
    ("Remora Hub %s: %s"):format(status.version, status.state),
    ("revision  %d"):format(status.revision),
    ("index     %s, %s"):format(counted(status.indexed_files, "file"), counted(status.indexed_nodes, "node")),
    ("pending   %d"):format(status.pending),
    ("root      %s"):format(status.project_root),
  }
  if present(status.state_reason) then
    table.insert(lines, 2, status.state_reason)
  end
  for _, failed in ipairs(status.failed) do
    local line = present(failed.line) and (":" .. failed.line + 1) or ""
    table.insert(lines, ("failed    %s%s: %s"):format(failed.file, line, failed.error))
  end
  M.float(lines, "remora")
end

local function root_of(client)
  return client.config.root_dir or vim.fn.getcwd()
end

--- A place in a quickfix list: columns are bytes there, so the line is read to find them.
local function entry(uri, range, text, encoding)
  local location = { uri = uri, range = range }
  local item = vim.lsp.util.locations_to_items({ location }, encoding)[1]
  if item then
    item.text = text
  end
  return item
end

local function quickfix(items, title)
  vim.fn.setqflist({}, " ", { title = "Remora: " .. title, items = items })
  vim.cmd("botright copen")
end

local function evidence_of(node, kind, number)
  local field = node.evidence and node.evidence[kind == "tests" and "related_tests" or kind]
  return type(field) == "table" and field[number] or nil
end

--- What is around a node (its callers, callees or tests), in the quickfix list.
function M.related(result, kind, title, client)
  local node = only_node(result)
  if not node then
    return
  end
  local _, relations = next(result.relations or {})
  local keys = relations and relations[kind]
  if not keys then
    remora.tell(("the %s of %s are not computed yet"):format(kind, node.qualname), vim.log.levels.WARN)
    return
  end
  local items = {}
  for number, key in ipairs(keys) do
    local other = result.related[key]
    if other then
      local how = evidence_of(node, kind, number)
      local uri = vim.uri_from_fname(root_of(client) .. "/" .. other.file_path)
      local text = (other.signature ~= vim.NIL and other.signature or other.qualname)
        .. (type(how) == "string" and (" [" .. how .. "]") or "")
      table.insert(items, entry(uri, other.name_range, text, client.offset_encoding))
    end
  end
  if #items == 0 then
    remora.tell(("%s has no %s in this project"):format(node.qualname, kind))
    return
  end
  quickfix(items, title .. " " .. node.qualname)
end

--- remora/outdated in the quickfix list.
function M.outdated(result, client)
  local items = {}
  for _, found in ipairs(result.outdated) do
    local text = found.qualname .. ": " .. found.reason
    table.insert(items, entry(found.uri, found.name_range, text, client.offset_encoding))
  end
  if #items == 0 then
    remora.tell("no docstring is outdated")
    return
  end
  quickfix(items, "outdated docstrings")
end

--- The hub process's log in a tab of its own, at its end.
function M.log(process)
  if not present(process.log) then
    remora.tell("the server keeps no log file: set `logFile` in vim.g.remora.settings")
    return
  end
  vim.cmd("tabnew " .. vim.fn.fnameescape(process.log))
  vim.bo.readonly = true
  vim.cmd("normal! G")
end

--- A click on a code lens: its places in the quickfix list. arguments: document, position, locations.
function M.lens(command, context)
  local client = vim.lsp.get_client_by_id(context.client_id)
  local locations = (command.arguments or {})[3] or {}
  if not client or #locations == 0 then
    remora.tell("nothing to show for " .. command.title)
    return
  end
  quickfix(vim.lsp.util.locations_to_items(locations, client.offset_encoding), command.title)
end

return M
