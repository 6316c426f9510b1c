--- :checkhealth remora
local M = {}

local PATIENCE_MILLISECONDS = 2000

local health = vim.health or require("health")
local start = health.start or health.report_start
local ok = health.ok or health.report_ok
local warn = health.warn or health.report_warn
local bad = health.error or health.report_error
local info = health.info or health.report_info

local function check_neovim()
  local version = vim.version()
  local text = ("Neovim %d.%d.%d"):format(version.major, version.minor, version.patch)
  if vim.fn.has("nvim-0.11") == 1 then
    ok(text .. ": vim.lsp.enable() starts the server")
  else
    ok(text .. ": the server is started the way of Neovim 0.7 to 0.10")
  end
end

local function check_options()
  local remora = require("remora")
  local problems = remora.problems()
  for _, problem in ipairs(problems) do
    bad(problem)
  end
  if #problems == 0 then
    ok("vim.g.remora is in order")
  end
  if not remora.options().enabled then
    warn("vim.g.remora.enabled is false: no server is started")
  end
end

local function check_program()
  local cmd, where = require("remora.server").command()
  if not cmd then
    bad(where, { "pipx install remora-hub-lsp", 'or vim.g.remora = { cmd = { "/path/to/remora-hub-lsp", "--stdio" } }' })
    return
  end
  ok(("%s (from %s)"):format(table.concat(cmd, " "), where))
  local probe = vim.list_slice(cmd, 1, #cmd)
  probe[#probe] = "--version"
  local answer = vim.fn.system(probe)
  if vim.v.shell_error ~= 0 then
    bad(("`%s` failed: %s"):format(table.concat(probe, " "), vim.trim(answer)))
  else
    ok(vim.trim(answer))
  end
end

local function check_clients()
  local server = require("remora.server")
  local clients = server.clients()
  if #clients == 0 then
    info("no server is running in this Neovim; open a Python file")
  end
  for _, client in ipairs(clients) do
    local result = server.ask_now("remora/status", vim.empty_dict(), PATIENCE_MILLISECONDS, client)
    if result then
      ok(("%s: %s, revision %d, %d files"):format(
        result.project_root, result.state, result.revision, result.indexed_files))
    else
      bad(("the server of %s does not answer"):format(client.config.root_dir or "?"), { ":Remora restart", ":Remora log" })
    end
  end
end

function M.check()
  start("Remora Hub")
  check_neovim()
  check_options()
  check_program()
  check_clients()
end

return M
