"""The plot of means with intervals, as an SVG file that needs nothing else."""

import math
from collections.abc import Mapping, Sequence
from typing import Any
from xml.sax.saxutils import escape

ROW, LEFT, RIGHT, TOP, WIDE = 26, 150, 70, 40, 420
COLOURS = ("#1b6ca8", "#b5541c", "#3a7d44", "#7a4f9a")  # told apart in print and by the colour-blind
TITLES = {
    "mos": "Mean opinion score",
    "cmos": "Comparison MOS against the baseline",
    "ab": "Share that prefers the condition",
}


def means(facts: Sequence[Mapping[str, Any]], method: str, note: str = "") -> str:
    """One row per language and condition: a dot at the mean, a line over its interval, the numbers beside it.

    `note`, where there is one, stands below.
    """
    low, high = _range(facts)
    step = _step(high - low)
    low, high = math.floor(low / step) * step, math.ceil(high / step) * step
    languages = list(dict.fromkeys(each["language"] for each in facts))
    rows = len(facts) + len(languages)
    height = TOP + ROW * rows + 40

    def x(value: float) -> float:
        return round(LEFT + WIDE * (value - low) / (high - low), 1)

    marks = [low + step * i for i in range(round((high - low) / step) + 1)]
    drawn = [_axis(x(mark), f"{mark:g}" if abs(mark) > 1e-9 else "0", TOP, height - 34) for mark in marks]
    y = float(TOP)
    for place, language in enumerate(languages):
        y += ROW
        drawn.append(f'<text x="8" y="{y - 8}" font-weight="bold">{escape(language)}</text>')
        for each in facts:
            if each["language"] == language:
                y += ROW
                drawn.append(_row(each, x, y - 12, COLOURS[place % len(COLOURS)]))
    width = LEFT + WIDE + RIGHT
    title = TITLES[method]
    whole = height + (26 if note else 0)
    said = f'<text x="8" y="{height + 12}" fill="#8a3b00">{escape(note)}</text>' if note else ""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {whole}" width="{width}" height="{whole}" '
        f'role="img" font-family="sans-serif" font-size="13">'
        f"<title>{title}, with intervals over listeners and sentences</title>"
        f'<rect width="{width}" height="{whole}" fill="white"/><text x="{LEFT}" y="22" font-size="15">{title}</text>'
        + "".join(drawn)
        + said
        + "</svg>\n"
    )


def _range(facts: Sequence[Mapping[str, Any]]) -> tuple[float, float]:
    ends = [end for each in facts for end in (each["ci"] or [each["mean"]] * 2)]
    low, high = min(ends), max(ends)
    return (low, high) if high - low > 0.2 else (low - 0.1, high + 0.1)


def _step(reach: float) -> float:
    """A round distance of marks, so that there are four to ten."""
    power = 10.0 ** math.floor(math.log10(reach / 4))
    return next(power * times for times in (1, 2, 2.5, 5, 10) if reach / (power * times) <= 8)


def _axis(x: float, text: str, top: float, bottom: float) -> str:
    line = f'<line x1="{x}" x2="{x}" y1="{top}" y2="{bottom}" stroke="#ddd"/>'
    return f'{line}<text x="{x}" y="{bottom + 18}" text-anchor="middle" fill="#444">{text}</text>'


def _row(each: Mapping[str, Any], x: Any, y: float, colour: str) -> str:
    name = each["condition"] if len(each["condition"]) <= 18 else each["condition"][:17] + "…"
    drawn = f'<text x="{LEFT - 10}" y="{y + 4}" text-anchor="end">{escape(name)}</text>'
    if each["ci"]:
        ends = f'x1="{x(each["ci"][0])}" x2="{x(each["ci"][1])}" y1="{y}" y2="{y}"'
        drawn += f'<line {ends} stroke="{colour}" stroke-width="2"/>'
    drawn += f'<circle cx="{x(each["mean"])}" cy="{y}" r="4" fill="{colour}"/>'
    return drawn + f'<text x="{LEFT + WIDE + 10}" y="{y + 4}">{each["mean"]:.2f}</text>'
