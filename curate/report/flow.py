"""The funnel as a picture: hours flowing down through the rules, each rule's loss leaving to the side.

The band's width is hours, one stripe per language. Rules that dropped nothing are not drawn. Everything is placed here,
in pixels of the picture; the template only writes it.
"""

from dataclasses import dataclass
from typing import Any

ROW = 40  # pixels from one rule to the next
TOP = 34
NARROWEST = 1.5  # a rule that drops anything is seen


@dataclass(frozen=True)
class Layout:
    """How wide the picture is, and how much of it is the band."""

    width: int
    band: int


WIDE, NARROW = Layout(760, 330), Layout(350, 120)


def flow(facts: dict[str, Any], layout: Layout) -> dict[str, Any]:
    """Stripes, losses and labels of the funnel of `facts`, for one width of the page."""
    codes = [it["language"] for it in facts["balance"]]
    names = {it["language"]: it["name"] for it in facts["balance"]}
    left = {it["language"]: it["all"]["hours"] for it in facts["balance"]}
    total = sum(left.values()) or 1.0
    scale = layout.band / total
    losing = [row for row in facts["funnel"] if row["dropped"]["clips"]]
    stripes: list[dict[str, Any]] = []
    losses: list[dict[str, Any]] = []
    for i, row in enumerate(losing):
        y = TOP + i * ROW
        stripes += _stripes(left, codes, scale, y, ROW)
        before = sum(left.values()) * scale
        lost = {code: row["languages"].get(code, {}).get("hours", 0.0) for code in codes}
        left = {code: max(0.0, left[code] - lost[code]) for code in codes}
        losses.append(_loss(row, y, before, sum(left.values()) * scale, layout))
    bottom = TOP + len(losing) * ROW
    stripes += _stripes(left, codes, scale, bottom, ROW - 12)
    return {
        "width": layout.width,
        "height": bottom + ROW + 14,
        "top": TOP,
        "bottom": bottom + ROW - 12,
        "stripes": stripes,
        "losses": losses,
        "names": names,
        "total": round(total, 6),
    }


def _stripes(left: dict[str, float], codes: list[str], scale: float, y: float, height: float) -> list[dict[str, Any]]:
    """One stripe per language, side by side."""
    x, found = 0.0, []
    for code in codes:
        width = left[code] * scale
        if width > 0:
            found.append({"language": code, "x": round(x, 2), "y": y, "width": round(width, 2), "height": height + 0.7})
        x += width
    return found


def _loss(row: dict[str, Any], y: float, before: float, after: float, layout: Layout) -> dict[str, Any]:
    """A curve from the band's right edge to the label of its rule."""
    thick = max(NARROWEST, before - after)
    end, x = y + ROW / 2 + 6, layout.band + 18.0
    middle = (before + x) / 2
    thick_end = min(thick, 12.0)
    path = (
        f"M{after:.1f} {y:.1f} L{max(before, after + thick):.1f} {y:.1f} "
        f"C{middle:.1f} {y:.1f} {middle:.1f} {end - thick_end / 2:.1f} {x:.1f} {end - thick_end / 2:.1f} "
        f"L{x:.1f} {end + thick_end / 2:.1f} "
        f"C{middle:.1f} {end + thick_end / 2:.1f} {after:.1f} {y + thick_end:.1f} {after:.1f} {y:.1f} Z"
    )
    return {"rule": row["rule"], **row["dropped"], "path": path, "x": x + 8, "y": end, "wanted": row["wanted"]}
