"""Parsed statements -> their summaries (see `forms`)."""
