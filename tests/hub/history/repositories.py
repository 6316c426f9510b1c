"""Git repositories made for a test, with dates that a test can name."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

DAY = 86_400
BEGIN = 1_600_000_000


class Made:
    """A repository with one author; each commit is a day younger than the one before."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.days = 0
        root.mkdir(parents=True, exist_ok=True)
        self.git("init", "-q", "-b", "main")

    def git(self, *arguments: str) -> str:
        """Run git, as nobody's settings would have it; gives what it says."""
        date = f"{BEGIN + self.days * DAY} +0000"
        who = {f"GIT_{one}_{what}": value for one in ("AUTHOR", "COMMITTER")
               for what, value in (("NAME", "A"), ("EMAIL", "a@b.c"), ("DATE", date))}  # fmt: skip
        settings = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
        done = subprocess.run(
            ["git", *arguments], cwd=self.root, env={**os.environ, **settings, **who},
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        return done.stdout.strip()

    def write(self, files: dict[str, str | None]) -> None:
        """The files' texts; None: there is none."""
        for path, text in files.items():
            file = self.root / path
            if text is None:
                file.unlink()
            else:
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(text, encoding="utf-8")

    def commit(self, files: dict[str, str | None], message: str = "change") -> str:
        """Commit the whole tree with these files written; gives the commit's id."""
        self.write(files)
        self.days += 1
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", message)
        return self.git("rev-parse", "HEAD")

    def date(self, commit: str) -> int:
        return int(self.git("log", "-1", "--format=%at", commit))
