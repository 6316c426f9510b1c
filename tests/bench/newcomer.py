"""What a newcomer does, timed in clean clones: `python -m tests.bench.newcomer [PYTHON...] [--vscode]`.

The README's first command step by step, then the first hover over a project that was never indexed, in the real Neovim
and (--vscode; needs Node.js 20) in the real VS Code. Run it from the repository, in the development environment; what is
not committed is not in the clones. Prints a Markdown table; ends with exit code 1 where a step fails.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from ..editors.neovim import Neovim, binaries

ROOT = Path(__file__).parents[2]
HANG = 600
FILE, METHOD = "remora_hub_lsp/hub/tree.py", "why_not"

Step = tuple[str, float]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.newcomer", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("pythons", metavar="PYTHON", nargs="*", default=[sys.executable])
    parser.add_argument("--vscode", action="store_true", help="the first hover in VS Code, too")
    options = parser.parse_args()
    columns = {python: dict(path_of(python, options.vscode)) for python in options.pythons}
    versions = [output([python, "-c", "import platform; print(platform.python_version())"]) for python in columns]
    print(f"| seconds | {' | '.join(f'Python {version}' for version in versions)} |")
    print(f"|---|{'---|' * len(columns)}")
    for step in next(iter(columns.values())):
        print(f"| {step} | {' | '.join(f'{steps[step]:.1f}' for steps in columns.values())} |")


def path_of(python: str, vscode: bool) -> Iterator[Step]:
    """The whole path with one Python: each step with its seconds."""
    with tempfile.TemporaryDirectory(prefix="new comer ") as folder:
        for name in ("cache", "run"):
            Path(folder, name).mkdir(mode=0o700)
        os.environ |= {"XDG_CACHE_HOME": f"{folder}/cache", "XDG_RUNTIME_DIR": f"{folder}/run"}
        clone = Path(folder, "clone")
        yield timed("`git clone`", lambda: output(["git", "clone", "-q", str(ROOT), str(clone)]))
        for step in first_command(clone).replace("python3", f"'{python}'", 1).split(" && "):
            shown = re.sub(r"^\S+/|\.venv/bin/", "", step.replace(f"'{python}'", "python3"))
            yield timed(f"`{shown[:60]}`", lambda step=step: output(["bash", "-c", step], clone))
        program = clone / ".venv/bin/remora-hub-lsp"
        for name, binary in binaries().items():
            Path(folder, name).mkdir()
            os.environ["XDG_CACHE_HOME"] = f"{folder}/{name}"
            yield timed(
                f"{version_of(binary)}: start to first hover", lambda b=binary: hover(b, clone, program, folder)
            )
            output([str(program), "stop"])
        if vscode:
            os.environ["XDG_CACHE_HOME"] = os.path.expanduser("~/.cache")  # where VS Code itself is kept
            yield "VS Code: open window to first hover", in_vscode(program)


def first_command(clone: Path) -> str:
    """The command in the README's first block."""
    found = re.search(r"<!-- command: try -->\n```bash\n(.*?)\n```", (clone / "README.md").read_text(), re.DOTALL)
    assert found is not None
    return found[1]


def hover(binary: str, clone: Path, program: Path, folder: str) -> None:
    """Start Neovim on the clone, which nobody has indexed in this cache, until the hover's window is there."""
    editor = Neovim(binary, Path(folder, "editor"), f'{{ cmd = {{ "{program}", "--stdio" }} }}')
    try:
        text = (clone / FILE).read_text().splitlines()
        line = next(number for number, line in enumerate(text, 1) if f"def {METHOD}(" in line)
        editor.open(clone / FILE, line, text[line - 1].index(METHOD))
        editor.lua("vim.lsp.buf.hover()")
        editor.float(f"def {METHOD}")
    finally:
        editor.close()


def in_vscode(program: Path) -> float:
    """Build and run the extension's suite `newcomer`; gives the seconds that it says."""
    told = output(["editors/vscode/test.sh", "newcomer"], ROOT, REMORA_HUB_LSP=str(program))
    found = re.search(r"ok +shows its first hover \((\d+) ms\)", told)
    if found is None:
        raise SystemExit(f"VS Code's suite told no time:\n{told}")
    return int(found[1]) / 1000


def version_of(binary: str) -> str:
    return output([binary, "--version"]).splitlines()[0].replace("NVIM v", "Neovim ")


def timed(step: str, work: Callable[[], object]) -> Step:
    started = time.monotonic()
    work()
    return step, time.monotonic() - started


def output(line: list[str], folder: Path | None = None, **environment: str) -> str:
    """What a command that has to succeed prints."""
    done = subprocess.run(
        line, cwd=folder, env=os.environ | environment, capture_output=True, text=True, timeout=HANG, check=False
    )
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(line)} failed:\n{done.stdout}{done.stderr}")
    return done.stdout.strip()


if __name__ == "__main__":
    main()
