-- The native configuration for Neovim 0.11 and newer: `vim.lsp.config("remora_hub", { ... })` overrides any of it.
return require("remora.server").configuration()
