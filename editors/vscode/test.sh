#!/usr/bin/env bash
# Builds the extension and tests it in the real VS Code: test.sh [SUITE...]. Needs Node.js 20 or newer, and installs the
# rest: the npm packages here, VS Code's server in the user's cache, the language server in the repository's .venv.
# Exit code 77: the npm packages cannot be had here, so nothing was tested.
set -euo pipefail
cd "$(dirname "$0")"

if ! command -v npm >/dev/null; then
    echo "NOT TESTED IN VS CODE: Node.js with npm is not installed" >&2
    exit 77
fi
export npm_config_fetch_retry_mintimeout=1000 npm_config_fetch_retry_maxtimeout=5000
if [ package-lock.json -nt node_modules/.package-lock.json ] &&
    ! npm ci --ignore-scripts --no-audit --no-fund --loglevel=error; then
    npm ping >/dev/null 2>&1 && exit 1
    echo "NOT TESTED IN VS CODE: no npm registry can be reached" >&2
    exit 77
fi
server="${REMORA_HUB_LSP:-../../.venv/bin/remora-hub-lsp}"
if [ ! -x "$server" ]; then
    python3 -m venv ../../.venv
    ../../.venv/bin/pip install -q -e '../..[dev]'
fi
npm run --silent check
npm run --silent build
node test/run.mjs "$server" "$@"
