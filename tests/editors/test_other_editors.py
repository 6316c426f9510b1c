"""Emacs with eglot and Vim with ALE, as Debian has them, with the configurations that the README shows."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HANG = 120.0
"""Seconds after which a test is stuck rather than slow."""

SITE_LISP, ALE = Path("/usr/share/emacs/site-lisp/elpa-src"), Path("/usr/share/vim-ale")
EMACS, VIM = shutil.which("emacs"), shutil.which("vim")

# The emoji is one character for Emacs, two columns of UTF-16.
CART = '''\
class Cart:
    def total(self, rate: float) -> float:
        """Sum of all. 🧮"""
        return rate * 2

"🎉"; pay = lambda: 1

def main() -> None: ...
'''

_EGLOT = r"""
(require 'eglot)
{configuration}
(with-current-buffer (find-file-noselect "{file}")
  (apply #'eglot--connect (eglot--guess-contact))
  (while (not (eglot-current-server)) (eglot--maybe-activate-editing-mode) (sleep-for 0.1))
  (let ((server (eglot-current-server)))
    (cl-flet ((hover () (plist-get (plist-get (jsonrpc-request server :textDocument/hover
                (eglot--TextDocumentPositionParams)) :contents) :value)))
      (goto-char (point-min)) (search-forward "def total")
      (princ (format "HOVER %s\n" (hover)))
      (goto-char (point-min)) (search-forward "🎉") (insert "🎈🎈") (search-forward "def main")
      (insert "_program")
      (eglot--signal-textDocument/didChange)
      (princ (format "TYPED %s\n" (hover))))
    (set-buffer-modified-p nil)
    (eglot-shutdown server)))
"""

_VIMRC = """
set nocompatible rtp+={ale}
filetype plugin on
let g:ale_hover_to_preview = 1
let g:ale_linters = {{'python': ['remora_hub']}}
{configuration}
"""

_ALE = """
edit {file}
call cursor(2, 10)
ALELint
let s:tries = 0
while getbufline('ALEPreviewWindow', 1, '$') == [] && s:tries < 100
  silent! ALEHover
  sleep 200m
  let s:tries += 1
endwhile
call writefile(getbufline('ALEPreviewWindow', 1, '$'), '{out}')
qa!
"""


def configuration(editor: str, language: str) -> str:
    """What the README says to put into the editor's configuration, with the server of these tests."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    found = re.search(rf"\*\*{editor}\*\*.*?```{language}\n(.*?)\n```", text, re.DOTALL)
    assert found, f"the README has no {language} block for {editor}"
    assert "remora-hub-lsp" in found[1]
    return found[1]


@pytest.fixture
def server(tmp_path: Path) -> Path:
    """A program `remora-hub-lsp` that is this checkout's."""
    program = tmp_path / "remora-hub-lsp"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m remora_hub_lsp "$@"\n')
    program.chmod(0o755)
    return program


@pytest.fixture
def cart(tmp_path: Path) -> Path:
    root = tmp_path / "shop"
    root.mkdir()
    (root / "cart.py").write_text(CART, encoding="utf-8")
    subprocess.run(["git", "init", "-q"], cwd=root, check=True)
    return root / "cart.py"


@pytest.mark.skipif(
    not EMACS or not list(SITE_LISP.glob("eglot-*")), reason="EMACS IS NOT TESTED: no emacs with elpa-eglot"
)
def test_emacs_with_eglot(server: Path, cart: Path, tmp_path: Path) -> None:
    code = configuration("Emacs", "elisp").replace("remora-hub-lsp", str(server))
    script = tmp_path / "session.el"
    script.write_text(_EGLOT.format(configuration=code, file=cart), encoding="utf-8")
    line = [str(EMACS), "--batch", "--eval", '(set-language-environment "UTF-8")', "-l", str(script)]
    done = subprocess.run(line, capture_output=True, text=True, timeout=HANG, check=False)
    assert done.returncode == 0, done.stderr
    hover, _, typed = done.stdout.partition("TYPED ")
    assert "def total(self, rate: float) -> float" in hover
    assert "Sum of all. 🧮" in hover
    assert "def main_program() -> None" in typed, done.stdout


@pytest.mark.skipif(not VIM or not ALE.exists(), reason="VIM IS NOT TESTED: no vim with vim-ale")
def test_vim_with_ale(server: Path, cart: Path, tmp_path: Path) -> None:
    code = configuration("Vim", "vim").replace("'remora-hub-lsp'", f"'{server}'")
    out = tmp_path / "hover.txt"
    vimrc, script = tmp_path / "vimrc", tmp_path / "session.vim"
    vimrc.write_text(_VIMRC.format(ale=ALE, configuration=code), encoding="utf-8")
    script.write_text(_ALE.format(file=cart, out=out), encoding="utf-8")
    line = [str(VIM), "-u", str(vimrc), "-es", "-S", str(script)]
    subprocess.run(line, stdin=subprocess.DEVNULL, capture_output=True, timeout=HANG, check=False)
    shown = out.read_text(encoding="utf-8")
    assert shown.startswith("def total(self, rate: float) -> float\n")
    assert "Sum of all. 🧮" in shown
