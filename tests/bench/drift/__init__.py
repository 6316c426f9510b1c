"""How well docstring drift is told from mere changes: an evaluation set from the histories of git repositories."""
