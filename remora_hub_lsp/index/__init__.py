"""FACTS -> ANSWERS: the SQLite index and what is read from it."""
