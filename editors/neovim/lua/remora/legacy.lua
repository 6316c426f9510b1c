--- Starting the server in Neovim 0.7 to 0.10, which have no vim.lsp.enable().
local server = require("remora.server")

local M = {}

--- root folder -> client id
local running = {}

function M.enable()
  if not server.wanted() then
    return
  end
  vim.api.nvim_create_autocmd("FileType", {
    group = vim.api.nvim_create_augroup("remora", {}),
    pattern = "python",
    callback = function(event)
      M.start(event.buf)
    end,
  })
end

--- Attach the buffer to the client of its root, starting that where needed.
function M.start(buffer)
  local name = vim.api.nvim_buf_get_name(buffer)
  if name == "" or vim.bo[buffer].buftype ~= "" then
    return
  end
  local configuration = server.configuration()
  local root = M.root_of(name, configuration.root_markers)
  local id = running[root]
  if not (id and vim.lsp.get_client_by_id(id) and not vim.lsp.client_is_stopped(id)) then
    configuration.root_dir = root
    configuration.workspace_folders = { { uri = vim.uri_from_fname(root), name = root } }
    configuration.on_attach = server.attached
    configuration.filetypes, configuration.root_markers = nil, nil
    id = vim.lsp.start_client(configuration)
    running[root] = id
  end
  if id then
    vim.lsp.buf_attach_client(buffer, id)
  end
end

--- The nearest folder above with one of the markers; the file's own folder where there is none.
function M.root_of(file, markers)
  local folder = vim.fn.fnamemodify(file, ":p:h")
  local at = folder
  while true do
    for _, marker in ipairs(markers) do
      local path = at .. "/" .. marker
      if vim.fn.filereadable(path) == 1 or vim.fn.isdirectory(path) == 1 then
        return at
      end
    end
    local up = vim.fn.fnamemodify(at, ":h")
    if up == at then
      return folder
    end
    at = up
  end
end

return M
