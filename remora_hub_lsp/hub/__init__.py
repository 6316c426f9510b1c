"""CHANGE -> REVISION: what changed, what to recompute, and the hub that does it."""
