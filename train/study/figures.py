"""The figures: loss and MOS by rank and language, and where the adapter sits; captions name runs and seeds."""

import textwrap
from html import escape

from train.evaluate import plots
from train.evaluate.plots import Panel, Point
from train.study.inputs import Material
from train.study.tables import LANGUAGES, condition, named

WIDE = 105  # letters of a caption's line below two panels
BELOW = 552  # y of a line under the last box of layout.svg, 22 above its end


def loss(material: Material) -> str:
    """Change of the held-out loss from zero-shot."""
    panels = []
    for language in material.study.study.languages:
        points = []
        for row in material.swept.rows(material.study, language):
            low, mean, high = row["loss_change"] or (None, 0.0, None)
            points.append(Point(condition(row["rank"]).removeprefix("r"), mean, low, high))
        panels.append(Panel(LANGUAGES[language], points, 0.0))
    told = f"Change from zero-shot, 95 % paired interval over clips of the split {material.swept.table['split']}."
    return _figure(material, panels, "change of held-out loss", told, lowest=True)


def mos(material: Material) -> str:
    """Mean opinion scores, each with its interval."""
    panels = []
    for language in material.study.study.languages:
        found = [(name, material.rated.described(language, name)) for name in material.study.conditions]
        points = [
            Point(name.removeprefix("r"), each["mean"], *(each["ci"] or (None, None))) for name, each in found if each
        ]
        panels.append(Panel(LANGUAGES[language], points, None))
    people = ", ".join(
        f"{LANGUAGES[language]} {each['rated'] - each['excluded']}"
        for language, each in material.rated.facts["listeners"].items()
    )
    told = (
        f"MOS, {100 * (1 - material.rated.settings.alpha):g} % interval of each over listeners and sentences, both "
        f"random; listeners: {people}. Whether two differ is told by the interval of their difference (table mos)."
    )
    return _figure(material, panels, "MOS", told, lowest=False)


def _figure(material: Material, panels: list[Panel], axis: str, told: str, *, lowest: bool) -> str:
    words = [material.study.study.banner.upper(), told, named(material)]
    wide = WIDE if len(panels) > 1 else WIDE // 2
    caption = [line for part in words if part for line in textwrap.wrap(part, wide)]
    return plots.figure(panels, axis=axis, caption=caption, lowest=lowest)


def layout(material: Material) -> str:
    """The sweep's own drawing, below it the banner, which a rehearsal's has already, or of which runs it is."""
    banner = material.study.study.banner
    if banner and escape(banner) in material.swept.layout:
        return material.swept.layout
    line = escape(banner.upper() or named(material))
    return material.swept.layout.replace("</svg>", f'<text class="s" x="20" y="{BELOW}">{line}</text></svg>')


def all_of(material: Material) -> dict[str, str]:
    """Name of the file -> SVG."""
    return {"loss.svg": loss(material), "mos.svg": mos(material), "layout.svg": layout(material)}


CAPTIONS = {
    "loss.svg": "Held-out loss by rank and language, change from zero-shot",
    "mos.svg": "MOS by rank and language",
    "layout.svg": "Where the adapter sits",
}
