--- Finding the server, its client, and asking it.
local remora = require("remora")

local M = {}

M.NAME = "remora_hub"
local PROGRAM = "remora-hub-lsp"
local RESTART_MILLISECONDS = 5000

--- The server's command line, and where it was found; nil and why not where there is none.
---@return string[]?, string
function M.command()
  local cmd = remora.options().cmd
  if cmd then
    if #cmd > 0 and vim.fn.executable(cmd[1]) == 1 then
      return cmd, "vim.g.remora.cmd"
    end
    return nil, ("vim.g.remora.cmd names %q, which is no program"):format(cmd[1] or "")
  end
  local folder = vim.fn.has("win32") == 1 and "Scripts" or "bin"
  if vim.env.VIRTUAL_ENV then
    local program = table.concat({ vim.env.VIRTUAL_ENV, folder, PROGRAM }, "/")
    if vim.fn.executable(program) == 1 then
      return { program, "--stdio" }, "$VIRTUAL_ENV"
    end
  end
  if vim.fn.executable(PROGRAM) == 1 then
    return { PROGRAM, "--stdio" }, "$PATH"
  end
  return nil, PROGRAM .. " is neither in $VIRTUAL_ENV nor in $PATH: install it with `pipx install remora-hub-lsp`"
end

--- What the server is told when it starts.
function M.initialization()
  local options = remora.options()
  local settings = vim.deepcopy(options.settings)
  if options.trusted then
    settings.trusted = true
  end
  return next(settings) and settings or vim.empty_dict()
end

--- The client's configuration, for all versions of Neovim.
function M.configuration()
  local cmd = M.command()
  return {
    name = M.NAME,
    cmd = cmd or { PROGRAM, "--stdio" },
    filetypes = { "python" },
    root_markers = remora.options().root_markers,
    init_options = M.initialization(),
  }
end

--- Start for every Python buffer, the native way (Neovim 0.11).
function M.enable()
  if not M.wanted() then
    return
  end
  vim.api.nvim_create_autocmd("LspAttach", {
    group = vim.api.nvim_create_augroup("remora", {}),
    callback = function(event)
      local client = vim.lsp.get_client_by_id(event.data.client_id)
      if client and client.name == M.NAME then
        M.attached(client, event.buf)
      end
    end,
  })
  vim.lsp.enable(M.NAME)
end

--- Whether to start at all; where the user should know why not, they are told.
function M.wanted()
  for _, problem in ipairs(remora.problems()) do
    remora.tell(problem, vim.log.levels.WARN)
  end
  if not remora.options().enabled then
    return false
  end
  local cmd, why_not = M.command()
  if not cmd then
    vim.api.nvim_create_autocmd("FileType", {
      pattern = "python",
      once = true,
      callback = function()
        remora.tell(why_not .. ". See :checkhealth remora", vim.log.levels.WARN)
      end,
    })
  end
  return cmd ~= nil
end

--- A buffer has the server's attention: lenses and the look of diagnostics.
function M.attached(client, buffer)
  local options = remora.options()
  if options.diagnostics then
    vim.diagnostic.config(options.diagnostics, vim.lsp.diagnostic.get_namespace(client.id))
  end
  if options.lens and client.server_capabilities.codeLensProvider then
    local group = vim.api.nvim_create_augroup("remora_lens", { clear = false })
    vim.api.nvim_clear_autocmds({ group = group, buffer = buffer })
    vim.api.nvim_create_autocmd({ "BufEnter", "CursorHold", "InsertLeave", "TextChanged" }, {
      group = group,
      buffer = buffer,
      callback = M.refresh_lenses,
    })
    vim.schedule(M.refresh_lenses)
  end
end

function M.refresh_lenses()
  if M.client() then
    vim.lsp.codelens.refresh()
  end
end

--- All clients of ours.
function M.clients(buffer)
  local get = vim.lsp.get_clients or vim.lsp.get_active_clients
  return vim.tbl_filter(function(client)
    local attached = buffer == nil or vim.lsp.buf_is_attached(buffer, client.id)
    return client.name == M.NAME and attached and not client.is_stopped()
  end, get())
end

--- The client of a buffer (the current one if none is named); where that has none, any client of ours.
function M.client(buffer)
  return M.clients(buffer or vim.api.nvim_get_current_buf())[1] or M.clients()[1]
end

--- Ask the server; an error is shown, and `use` gets the result else.
---@param method string
---@param params table
---@param use fun(result: any, client: table)
function M.ask(method, params, use)
  local client = M.client()
  if not client then
    remora.tell("no server is running. Open a Python file, or see :checkhealth remora", vim.log.levels.WARN)
    return
  end
  if type(params) == "function" then
    params = params(client)
  end
  local function answered(problem, result)
    if problem then
      remora.tell(("%s: %s"):format(method, problem.message), vim.log.levels.ERROR)
    else
      use(result, client)
    end
  end
  -- No buffer is named: all changes that Neovim still holds back are sent first. With buffer 0 none would be.
  if vim.fn.has("nvim-0.11") == 1 then
    client:request(method, params, answered)
  else
    client.request(method, params, answered)
  end
end

--- Ask and wait a moment; nil where there is no answer in time.
function M.ask_now(method, params, milliseconds, client)
  client = client or M.client()
  if not client then
    return nil
  end
  local answer
  if vim.fn.has("nvim-0.11") == 1 then
    answer = client:request_sync(method, params, milliseconds)
  else
    answer = client.request_sync(method, params, milliseconds)
  end
  return answer and answer.result
end

--- The document and the cursor, as the client's encoding counts.
function M.place(client)
  return vim.lsp.util.make_position_params(0, client.offset_encoding)
end

--- Whether the server offers a remora/* method.
function M.offers(client, method)
  local experimental = client.server_capabilities.experimental
  local methods = experimental and experimental.remora and experimental.remora.methods or {}
  return vim.tbl_contains(methods, method)
end

--- Stop our clients, and start anew for the buffers that they had.
function M.restart()
  local clients, buffers = M.clients(), {}
  for _, client in ipairs(clients) do
    for _, buffer in ipairs(vim.api.nvim_list_bufs()) do
      if vim.lsp.buf_is_attached(buffer, client.id) then
        table.insert(buffers, buffer)
      end
    end
  end
  if #buffers == 0 then
    buffers = { vim.api.nvim_get_current_buf() }
  end
  M.stop(clients)
  for _, buffer in ipairs(buffers) do
    M.start(buffer)
  end
  remora.tell(#clients > 0 and "restarted" or "started")
end

function M.stop(clients)
  clients = clients or M.clients()
  for _, client in ipairs(clients) do
    if vim.fn.has("nvim-0.11") == 1 then
      client:stop()
    else
      client.stop()
    end
  end
  vim.wait(RESTART_MILLISECONDS, function()
    for _, client in ipairs(clients) do
      if vim.lsp.get_client_by_id(client.id) then
        return false
      end
    end
    return true
  end, 20)
  return #clients
end

--- Start for one buffer.
function M.start(buffer)
  if vim.bo[buffer].filetype ~= "python" then
    return
  end
  if vim.fn.has("nvim-0.11") == 0 then
    require("remora.legacy").start(buffer)
    return
  end
  local configuration = vim.deepcopy(vim.lsp.config[M.NAME])
  configuration.cmd = M.command() or configuration.cmd
  configuration.init_options = M.initialization()
  configuration.root_dir = vim.fs.root(buffer, configuration.root_markers)
  vim.lsp.start(configuration, { bufnr = buffer })
end

return M
