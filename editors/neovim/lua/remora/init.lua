--- Remora Hub for Neovim. There is no setup() that has to be called: options are in `vim.g.remora`.
local M = {}

local DEFAULTS = {
  --- Start the server for Python buffers.
  enabled = true,
  --- The server's command line; not set: found in $VIRTUAL_ENV, then in $PATH.
  cmd = nil,
  --- What marks a project's root.
  root_markers = { "pyproject.toml", ".git" },
  --- The server's settings, in camelCase (see its README), e.g. { exclude = { "migrations/" } }.
  settings = {},
  --- Whether the scripts of the projects that you open may run (in a sandbox).
  trusted = false,
  --- Show code lenses (callers, tests, outdated docstrings), and keep them fresh.
  lens = true,
  --- How this server's diagnostics are shown: a table for vim.diagnostic.config(); not set: as all others.
  diagnostics = nil,
}

local TYPES = {
  enabled = "boolean",
  cmd = "table",
  root_markers = "table",
  settings = "table",
  trusted = "boolean",
  lens = "boolean",
  diagnostics = "table",
}

--- What is wrong with `vim.g.remora`, a line each.
---@return string[]
function M.problems()
  local given = vim.g.remora
  if given == nil then
    return {}
  end
  if type(given) ~= "table" then
    return { "vim.g.remora must be a table, not a " .. type(given) }
  end
  local found = {}
  for name, value in pairs(given) do
    local wanted = TYPES[name]
    if wanted == nil then
      table.insert(found, ("vim.g.remora.%s is no option; there are %s"):format(name, M.option_names()))
    elseif type(value) ~= wanted then
      table.insert(found, ("vim.g.remora.%s must be a %s, not a %s"):format(name, wanted, type(value)))
    end
  end
  table.sort(found)
  return found
end

---@return string
function M.option_names()
  local names = vim.tbl_keys(TYPES)
  table.sort(names)
  return table.concat(names, ", ")
end

--- The options as they are now; a wrong one counts as not given.
function M.options()
  local given = type(vim.g.remora) == "table" and vim.g.remora or {}
  local chosen = vim.deepcopy(DEFAULTS)
  for name, wanted in pairs(TYPES) do
    if type(given[name]) == wanted then
      chosen[name] = given[name]
    end
  end
  return chosen
end

---@param message string
---@param level? number
function M.tell(message, level)
  vim.notify("Remora Hub: " .. message, level or vim.log.levels.INFO)
end

return M
