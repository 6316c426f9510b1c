"""Texts as they may come: of newer Pythons, with odd characters and encodings, and real ones with bytes changed at random."""

from __future__ import annotations

import random
from collections.abc import Sequence

NEWER = (  # each is right in some Python
    "def f[T: int = str, *Ts = *tuple[int], **P](x: T) -> T: return x\nclass A[T]: pass\ntype X[T] = list[T]\n",
    "x = f'{f'{f'{1+1}'}'}' f\"{'\\n'.join(['a'])}\" f'''{\n1 # note\n}'''\n",
    "x = t'{a!r:>{w}}' t'' rt'\\d'\n",
    "try: pass\nexcept A, B: pass\nexcept* C, D: pass\nfinally: return\n",
    "async def f():\n    async with (a as b, c as d,): pass\n    return [x async for x in y if await z]\n",
    "match x:\n    case {'a': [1, *_, A(b=c) as d], **rest} if d: pass\n    case 'a' | -1j: pass\n",
    "@(lambda f: f)\n@a[0](1).b\nclass A(*b, **c, metaclass=d): x: (yield)\n",
    "print 'python 2', `x`, 0777, 1L, ur'x', x <> y\nexec 'a' in b\nraise A, 'b', c\ndef f((a, b), c): pass\n",
    "lazy import a.b as c\nlazy from d import e\n",
)
ODD = (
    b"\0", b"\xef\xbb\xbf", b"\xff", b"\x0c", b"\r", b"\r\n", b"\t", b"\x1a", b"\xe2\x80\xa8", b"\xed\xa0\xbd", b"\xf0\x9f\x99\x82", b"\xc3",
    b"# coding: latin-1\n", b"# coding: utf-16\n", b"# -*- coding: rot13 -*-\n", b"# coding: utf-8-sig\n", b"\\\n", b'"""', b"'''", b"f'{", b"(" * 120,
    b")" * 120, b"if 1:\n" + b" ", b"x" * 5000, b"9" * 5000, b"[" * 60 + b"]" * 60, b"-" * 300 + b"1", b"not " * 300, b"a." * 400, b"lambda:" * 90,
    b"    def g(self, *a: int, b=(1), **c) -> 'A.B[\"C\"]': return g\n", b"\n\nclass A(A, B.C, metaclass=D):\n    x: 'A' = A()\n", b"global x\n",
    b":param a: x\n", b"    Args:\n        a (int): b. Defaults to 3.\n", b"@property\n", b"@x.setter\n", b"import a.b.c as d, e\nfrom ... import *\n",
)  # fmt: skip
WRITTEN = (*(text.encode() for text in NEWER), *ODD)


def changed(data: bytes, rng: random.Random, donors: Sequence[bytes]) -> bytes:
    """The bytes after one to four changes at random."""
    for _ in range(rng.randrange(1, 5)):
        at, end = rng.randrange(len(data) + 1), rng.choice((1, 4, 40, 400))
        match rng.randrange(7):
            case 0:
                data = data[:at] + data[at + end :]
            case 1:
                data = data[:at] + data[at : at + end] * rng.choice((2, 2, 9)) + data[at + end :]
            case 2:
                donor = rng.choice(donors)
                start = rng.randrange(len(donor) + 1)
                data = data[:at] + donor[start : start + end] + data[at:]
            case 3:
                data = data[:at] + bytes([rng.randrange(256)]) + data[at + 1 :]
            case 4:
                line = data.rfind(b"\n", 0, at) + 1
                data = data[:line] + rng.choice(WRITTEN) + data[line:]
            case 5:
                data = data[:at]
            case _:
                data = data[:at] + rng.choice(WRITTEN) + data[at:]
    return data
