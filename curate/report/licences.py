"""What the name of a licence says about use: a reading of names, not legal advice."""

import re
from collections.abc import Iterable

MEANING = {
    "NC": "no commercial use",
    "ND": "no derivatives: whether a trained adapter is one is for a lawyer",
    "SA": "share alike: what derives from it carries the same licence",
}
# Korea Open Government Licence: type 2 forbids commercial use, type 3 changes, type 4 both
KOGL = {"1": (), "2": ("NC",), "3": ("ND",), "4": ("NC", "ND")}
KNOWN = re.compile(r"(?i)cc0|cc[ -]?by|public domain|pdm|own$|mit$|apache|odc|odbl|pddl|bsd|kogl")


def flags(licence: str) -> list[str]:
    """NC, ND and SA, where the name of the licence says so."""
    if kogl := re.search(r"(?i)kogl\D*([1-4])", licence):
        return list(KOGL[kogl[1]])
    plain = re.sub(r"[^a-z]", "", licence.lower())
    spelled = {"NC": "noncommercial", "ND": "noderiv", "SA": "sharealike"}
    parts = re.split(r"[^A-Z]+", licence.upper())
    return [flag for flag, words in spelled.items() if flag in parts or words in plain]


def is_known(licence: str) -> bool:
    """Whether the name is one whose flags can be read off it."""
    return KNOWN.match(licence.strip()) is not None


def spdx(licence: str) -> str | None:
    """The SPDX id of a Creative Commons licence that is written otherwise; None where there is nothing to mend."""
    parts = re.fullmatch(r"(?i)cc[ -]?(by(?:[ -](?:nc|sa|nd))*)[ -]?v?([1-4]\.0)(?: international)?", licence.strip())
    if parts:
        proper = f"CC-{parts[1].upper().replace(' ', '-')}-{parts[2]}"
    elif re.fullmatch(r"(?i)cc[ -]?0(?:[ -]?1\.0)?(?: universal)?", licence.strip()):
        proper = "CC0-1.0"
    else:
        return None
    return proper if proper != licence else None


def conflicts(licences: Iterable[str]) -> list[str]:
    """What the licences together forbid or demand, one line each; a set without trouble gives none."""
    flagged = {licence: flags(licence) for licence in sorted(set(licences))}
    free_share_alike = [name for name, marks in flagged.items() if "SA" in marks and "NC" not in marks]
    non_commercial = [name for name, marks in flagged.items() if "NC" in marks]
    no_derivatives = [name for name, marks in flagged.items() if "ND" in marks]
    lines = []
    if non_commercial:
        lines.append(f"{_named(non_commercial)}: no commercial use of the corpus or of what is trained on it")
    if no_derivatives:
        lines.append(f"{_named(no_derivatives)}: no derivatives; cutting and training may already be one")
    if free_share_alike and non_commercial:
        lines.append(
            f"{_named(free_share_alike)} asks for the same licence on what derives from it, "
            f"which {_named(non_commercial)} does not allow; keep them in separate corpora"
        )
    return lines


def _named(licences: list[str]) -> str:
    return ", ".join(licences)
