"""What the git history of a project tells: with which signature each docstring was last written."""
