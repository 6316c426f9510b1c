"""Names and expressions of a program -> their values."""
