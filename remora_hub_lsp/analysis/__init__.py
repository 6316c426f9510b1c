"""TEXT -> FACTS: pure functions without I/O."""
