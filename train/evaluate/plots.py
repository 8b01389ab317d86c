"""Curves with intervals over ranks, as SVG written by hand: a panel for each language, one value for each rank."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT = 360, 260  # of a panel
LEFT, RIGHT, TOP, BOTTOM = 62, 14, 34, 44
STYLE = (
    "text{font:13px system-ui,sans-serif;fill:#1d1f23}.s{font-size:11px;fill:#5a606b}.title{font-weight:600}"
    ".axis{stroke:#8a919c;fill:none}.grid{stroke:#e3e6ea}.line{stroke:#24588f;fill:none;stroke-width:1.5}"
    ".bar{stroke:#24588f;stroke-width:1.5}.dot{fill:#24588f}.best{fill:#0b6b3a}"
    ".zero{stroke:#8a3b00;stroke-dasharray:4 3}"
    ".paper{fill:#fff}"
)


@dataclass(frozen=True)
class Point:
    """A value at a rank, with its interval where there is one."""

    label: str  # of the axis: off, 8, 16
    value: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Panel:
    """The curve of one language."""

    title: str
    points: Sequence[Point]
    reference: float | None = None  # a dashed line, such as no change


def figure(panels: Sequence[Panel], *, axis: str, caption: Sequence[str], lowest: bool) -> str:
    """The panels side by side; the best point, the lowest or the highest, is filled green. Captions stand below."""
    width = max(1, len(panels)) * WIDTH
    height = HEIGHT + 16 * len(caption) + 12
    title = f"{axis} by rank: " + "; ".join(_said(panel) for panel in panels)
    drawn = "".join(
        f'<g transform="translate({i * WIDTH} 0)">{_panel(panel, axis, lowest)}</g>' for i, panel in enumerate(panels)
    )
    lines = "".join(
        f'<text class="s" x="12" y="{HEIGHT + 16 * (i + 1)}">{escape(line)}</text>' for i, line in enumerate(caption)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" role="img" '
        f'aria-label="{escape(title)}"><style>{STYLE}</style><rect class="paper" width="{width}" height="{height}"/>'
        f"{drawn}{lines}</svg>\n"
    )


def _said(panel: Panel) -> str:
    return f"{panel.title} " + ", ".join(f"{point.label} {point.value:.4g}" for point in panel.points)


def _panel(panel: Panel, axis: str, lowest: bool) -> str:
    values = [v for p in panel.points for v in (p.value, p.low, p.high) if v is not None and math.isfinite(v)]
    values += [] if panel.reference is None else [panel.reference]
    marks = ticks(min(values), max(values)) if values else [0.0, 1.0]
    low, high = marks[0], marks[-1]

    def y(value: float) -> float:
        return round(TOP + (HEIGHT - TOP - BOTTOM) * (high - value) / (high - low), 1)

    def x(index: int) -> float:
        step = (WIDTH - LEFT - RIGHT) / max(1, len(panel.points))
        return round(LEFT + step * (index + 0.5), 1)

    parts = [f'<text class="title" x="{LEFT}" y="18">{escape(panel.title)}</text>']
    for mark in marks:
        parts.append(f'<path class="grid" d="M{LEFT} {y(mark)} H{WIDTH - RIGHT}"/>')
        parts.append(
            f'<text class="s" x="{LEFT - 6}" y="{y(mark) + 4}" text-anchor="end">{_mark(mark, high - low)}</text>'
        )
    if panel.reference is not None:
        parts.append(f'<path class="zero" d="M{LEFT} {y(panel.reference)} H{WIDTH - RIGHT}"/>')
    path = " ".join(f"{'L' if i else 'M'}{x(i)} {y(point.value)}" for i, point in enumerate(panel.points))
    parts.append(f'<path class="line" d="{path}"/>' if path else "")
    best = (min if lowest else max)((point.value for point in panel.points), default=None)
    for i, point in enumerate(panel.points):
        if point.low is not None and point.high is not None:
            ends = (
                f"M{x(i) - 4} {y(point.low)} h8 M{x(i) - 4} {y(point.high)} h8 M{x(i)} {y(point.low)} V{y(point.high)}"
            )
            parts.append(f'<path class="bar" d="{ends}"/>')
        kind = "best" if point.value == best else "dot"
        parts.append(f'<circle class="{kind}" cx="{x(i)}" cy="{y(point.value)}" r="4"/>')
        parts.append(
            f'<text class="s" x="{x(i)}" y="{HEIGHT - BOTTOM + 16}" text-anchor="middle">{escape(point.label)}</text>'
        )
    middle = (LEFT + WIDTH - RIGHT) / 2
    parts.append(f'<text class="s" x="{middle}" y="{HEIGHT - BOTTOM + 34}" text-anchor="middle">rank</text>')
    parts.append(
        f'<text class="s" transform="translate(13 {(TOP + HEIGHT - BOTTOM) / 2}) rotate(-90)" text-anchor="middle">'
        f"{escape(axis)}</text>"
    )
    return "".join(parts)


def ticks(low: float, high: float) -> list[float]:
    """Three to seven round numbers that hold both ends between them."""
    if high - low < 1e-9 * max(1.0, abs(high)):
        low, high = low - 0.5, high + 0.5
    rough = (high - low) / 4
    step = 10.0 ** math.floor(math.log10(rough))
    step = next(step * times for times in (1, 2, 5, 10) if step * times >= rough)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [round(step * number, 12) for number in range(first, max(last, first + 1) + 1)]


def _mark(value: float, span: float) -> str:
    digits = max(0, 1 - math.floor(math.log10(span / 4))) if span < 40 else 0
    return f"{value:.{digits}f}".replace("-", "−")
