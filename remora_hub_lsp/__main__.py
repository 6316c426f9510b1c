"""`python -m remora_hub_lsp`, the same as the command remora-hub-lsp. Importing this does nothing."""

from __future__ import annotations

if __name__ == "__main__":
    import sys

    from remora_hub_lsp.cli import main

    sys.exit(main())
