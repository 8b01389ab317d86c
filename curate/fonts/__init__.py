"""Khmer letters for pages that need no network: many systems, most Linux ones among them, have no font with them.

Noto Sans Khmer, SIL Open Font License 1.1: OFL.txt beside this file.
"""

import base64
from functools import cache
from importlib.resources import files

FAMILY = "Samsori Khmer"  # as style sheets name it
WEIGHTS = {400: "NotoSansKhmer-Regular.woff2", 700: "NotoSansKhmer-Bold.woff2"}
LICENCE = "OFL.txt"
LETTERS = "U+1780-17FF, U+19E0-19FF, U+200B-200D, U+25CC"  # Khmer, its symbols, joiners, the dotted circle


@cache
def faces() -> str:
    """The font as CSS rules that hold it: a page from disk may read no font file in some browsers."""
    rules = ["/* Noto Sans Khmer, SIL Open Font License 1.1 */"]
    for weight, name in WEIGHTS.items():
        data = base64.b64encode((files("curate.fonts") / name).read_bytes()).decode("ascii")
        rules.append(
            f'@font-face {{ font-family: "{FAMILY}"; font-weight: {weight}; unicode-range: {LETTERS}; '
            f"src: url(data:font/woff2;base64,{data}) format('woff2'); }}"
        )
    return "\n".join(rules)


def licence() -> str:
    """The text that has to go with the font where it is a file of its own."""
    return (files("curate.fonts") / LICENCE).read_text(encoding="utf-8")
