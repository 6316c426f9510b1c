"""Curves over time as an SVG picture."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import NamedTuple

WIDTH, HEIGHT = 760, 200
LEFT, RIGHT, TOP, BOTTOM = 60, 10, 24, 22
COLOURS = ("#d62728", "#1f77b4", "#2ca02c", "#9467bd")


class Chart(NamedTuple):
    """Curves with one scale, which starts at zero. across: where each number of a curve stands."""

    title: str
    across: Sequence[float]
    curves: Mapping[str, Sequence[float]]


def svg(charts: Sequence[Chart], across: str) -> str:
    """The charts one below the other; `across` names what they go along."""
    height = len(charts) * (HEIGHT + TOP + BOTTOM) + 16
    parts = [line for number, chart in enumerate(charts) for line in _chart(chart, number * (HEIGHT + TOP + BOTTOM) + TOP)]
    parts.append(_text(LEFT + WIDTH / 2, height - 4, across, "middle"))
    head = f'<svg xmlns="http://www.w3.org/2000/svg" width="{LEFT + WIDTH + RIGHT}" height="{height}" font-family="sans-serif" font-size="11">'
    return "\n".join([head, f'<rect width="{LEFT + WIDTH + RIGHT}" height="{height}" fill="white"/>', *parts, "</svg>\n"])


def _chart(chart: Chart, top: float) -> Iterable[str]:
    most = max((max(curve, default=0.0) for curve in chart.curves.values()), default=0.0) or 1.0
    last = max(chart.across, default=0.0) or 1.0
    yield _text(LEFT, top - 8, chart.title, "start")
    for step in range(5):
        y = top + HEIGHT - HEIGHT * step / 4
        yield f'<line x1="{LEFT}" x2="{LEFT + WIDTH}" y1="{y:.1f}" y2="{y:.1f}" stroke="#ddd"/>'
        yield _text(LEFT - 4, y + 4, f"{most * step / 4:.4g}", "end")
        yield _text(LEFT + WIDTH * step / 4, top + HEIGHT + 14, f"{last * step / 4:.0f}", "middle")
    for number, (name, curve) in enumerate(chart.curves.items()):
        colour = COLOURS[number % len(COLOURS)]
        points = " ".join(
            f"{LEFT + WIDTH * at / last:.1f},{top + HEIGHT - HEIGHT * value / most:.1f}" for at, value in zip(chart.across, curve, strict=True)
        )
        yield f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="1"/>'
        yield _text(LEFT + WIDTH - 4, top + 12 + 14 * number, name, "end", colour)


def _text(x: float, y: float, text: str, anchor: str, colour: str = "#333") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}">{escape(text)}</text>'
