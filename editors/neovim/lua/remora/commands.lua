--- :Remora and its subcommands.
local remora = require("remora")
local server = require("remora.server")
local show = require("remora.show")

local M = {}

local COMPLETION_MILLISECONDS = 500
local MOST_COMPLETIONS = 50

--- The parameters of remora/getContext for a key, or for the place of the cursor.
local function asked(key, include)
  return function(client)
    local params = { include = include }
    if key then
      params.nodes = { key }
    else
      local place = server.place(client)
      params.positions = { { uri = place.textDocument.uri, position = place.position } }
    end
    return params
  end
end

local function around(kind, title)
  return function(arguments)
    server.ask("remora/getContext", asked(arguments[1], { kind }), function(result, client)
      show.related(result, kind, title, client)
    end)
  end
end

local COMMANDS = {
  status = {
    help = "how the hub is doing",
    run = function()
      server.ask("remora/status", vim.empty_dict(), show.status)
    end,
  },
  context = {
    help = "what is known of the definition under the cursor, or of KEY",
    keys = true,
    run = function(arguments)
      server.ask("remora/getContext", asked(arguments[1], { "callers", "callees", "tests" }), show.context)
    end,
  },
  copy = {
    help = "copy that, as Markdown for an agent (KEY: of another one)",
    keys = true,
    run = function(arguments)
      local include = { "callers", "callees", "tests", "source" }
      server.ask("remora/getContext", asked(arguments[1], include), show.copy)
    end,
  },
  callers = { help = "who calls it, in the quickfix list", keys = true, run = around("callers", "callers of") },
  callees = { help = "what it calls, in the quickfix list", keys = true, run = around("callees", "called by") },
  tests = { help = "which tests reach it, in the quickfix list", keys = true, run = around("tests", "tests of") },
  outdated = {
    help = "outdated docstrings of the project, in the quickfix list",
    run = function()
      server.ask("remora/outdated", vim.empty_dict(), show.outdated)
    end,
  },
  accurate = {
    help = "say that the docstring fits as it is (KEY: of another one)",
    keys = true,
    run = function(arguments)
      server.ask("remora/getContext", asked(arguments[1]), show.with_node(function(node)
        server.ask("remora/acknowledgeDocstring", { node = node.key }, function(result)
          local told = result.changed and "the docstring of %s counts as accurate" or "nothing was said against the docstring of %s"
          remora.tell(told:format(node.qualname))
        end)
      end))
    end,
  },
  reindex = {
    help = "index the whole project again",
    run = function()
      server.ask("remora/reindex", { anew = true }, function(result)
        remora.tell(("%d files were indexed again in %.1f s"):format(result.files, result.seconds))
      end)
    end,
  },
  restart = {
    help = "stop the server and start it again",
    run = function()
      server.restart()
    end,
  },
  stop = {
    help = "stop the server for this Neovim",
    run = function()
      remora.tell(server.stop() > 0 and "stopped" or "was not running")
    end,
  },
  log = {
    help = "open the hub's log (`client`: Neovim's own)",
    words = { "client" },
    run = function(arguments)
      if arguments[1] == "client" then
        vim.cmd("tabnew " .. vim.fn.fnameescape(vim.lsp.get_log_path()))
      else
        server.ask("remora/process", vim.empty_dict(), show.log)
      end
    end,
  },
}

---@return string[]
function M.names()
  local names = vim.tbl_keys(COMMANDS)
  table.sort(names)
  return names
end

--- What each subcommand does, by its name.
function M.help(name)
  return COMMANDS[name].help
end

---@param arguments string[]
function M.run(arguments)
  local name = arguments[1] or "status"
  local command = COMMANDS[name]
  if not command then
    local names = table.concat(M.names(), ", ")
    remora.tell(("there is no :Remora %s; there are %s"):format(name, names), vim.log.levels.ERROR)
    return
  end
  command.run({ unpack(arguments, 2) })
end

--- Subcommands; after one that takes a key, keys that match what was typed.
function M.complete(lead, line)
  local words = vim.split(line:gsub("^%s*%S+%s+", "", 1), "%s+")
  local command = #words > 1 and COMMANDS[words[1]]
  local candidates = M.names()
  if command then
    candidates = command.words or (command.keys and M.keys(lead)) or {}
  end
  if command and command.keys then
    return candidates
  end
  return vim.tbl_filter(function(name)
    return vim.startswith(name, lead)
  end, candidates)
end

function M.keys(lead)
  local params = { query = lead, limit = MOST_COMPLETIONS }
  local result = lead ~= "" and server.ask_now("remora/search", params, COMPLETION_MILLISECONDS)
  return vim.tbl_map(function(symbol)
    return symbol.key
  end, result and result.symbols or {})
end

return M
