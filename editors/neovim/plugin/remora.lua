-- Remora Hub: the one command, the handlers of code lenses, and starting the server. Nothing else runs at start-up.
if vim.g.loaded_remora or vim.fn.has("nvim-0.7") == 0 then
  return
end
vim.g.loaded_remora = true

vim.api.nvim_create_user_command("Remora", function(call)
  require("remora.commands").run(call.fargs)
end, {
  nargs = "*",
  desc = "Remora Hub: status, context, callers, tests, outdated docstrings ...",
  complete = function(lead, line)
    return require("remora.commands").complete(lead, line)
  end,
})

for _, name in ipairs({ "showCallers", "showTests" }) do
  vim.lsp.commands["remora." .. name] = function(command, context)
    require("remora.show").lens(command, context)
  end
end

if vim.fn.has("nvim-0.11") == 1 then
  require("remora.server").enable()
else
  require("remora.legacy").enable()
end
