"""Remora Hub LSP: one live index of a Python project's code nodes, for editors and agents."""

__version__ = "0.1.0"
