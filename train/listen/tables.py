"""The analysis as tables: rows for CSV, pages in Markdown."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

Facts = Mapping[str, Any]


def p_text(p: float | None) -> str:
    """A p as journals print it."""
    if p is None:
        return "-"
    return "< .001" if p < 0.001 else f"{p:.3f}".lstrip("0") if p < 1 else "1"


def number(value: float | None, sign: bool = False) -> str:
    """Two decimals; a difference keeps its sign."""
    return "-" if value is None else f"{value:+.2f}" if sign else f"{value:.2f}"


def interval(ends: Sequence[float | None] | None, sign: bool = False) -> str:
    """Both ends in brackets."""
    return "-" if ends is None else f"[{number(ends[0], sign)}, {number(ends[1], sign)}]"


# What is shown of a comparison: heading, and how it is written.
SHOWN: dict[str, Callable[[Facts], str]] = {
    "language": lambda c: c["language"],
    "condition": lambda c: c["condition"],
    "n": lambda c: f"{c['listeners']} x {c['sentences']}",
    "MOS": lambda c: number(c["mos"]),
    "difference and interval": lambda c: _difference(c),
    "p": lambda c: p_text(c["crossed"] and c["crossed"]["p"]),
    "p Holm": lambda c: p_text(c["p_holm"]),
    "p by listener": lambda c: p_text(c["by_listener"]["p_exact"]),
    "p by sentence": lambda c: p_text(c["by_sentence"]["p_exact"]),
    "Hodges-Lehmann": lambda c: number(c["hodges_lehmann"]["estimate"], sign=True),
    "its interval": lambda c: interval(c["hodges_lehmann"]["ci"], sign=True),
    "rank-biserial": lambda c: number(c["rank_biserial"], sign=True),
    "no worse": lambda c: {True: "yes", False: "not shown", None: "-"}[c["non_inferior"]],
}


def _difference(facts: Facts) -> str:
    crossed = facts["crossed"]
    return f"{number(facts['difference'], sign=True)} {interval(crossed['ci'], sign=True) if crossed else '-'}"


def comparisons(facts: Sequence[Facts]) -> list[list[Any]]:
    """One row per comparison with full digits, a heading first; nested facts are joined by a dot."""
    flat = [_flat(each) for each in facts]
    names = list(dict.fromkeys(name for each in flat for name in each))
    return [names, *([each.get(name) for name in names] for each in flat)]


def _flat(facts: Facts, prefix: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in facts.items():
        if isinstance(value, Mapping):
            found |= _flat(value, f"{prefix}{name}.")
        elif isinstance(value, list):
            found |= {f"{prefix}{name}.{end}": each for end, each in zip(("low", "high"), value, strict=True)}
        else:
            found[prefix + name] = value
    return found


def conditions(facts: Sequence[Facts]) -> list[list[Any]]:
    """One row per condition and language, a heading first."""
    return comparisons([{name: value for name, value in each.items() if value is not None} for each in facts])


def _markdown(heading: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    lines = [heading, ["---"] * len(heading), *rows]
    return [f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines]


def comparisons_page(facts: Facts) -> str:
    """All comparisons, with and without exclusions, and what to know about them."""
    method = facts["method"]
    level = f"{100 * (1 - method['alpha']):g} %"
    lines = [f"# Each condition against {method['baseline']}", "", *_banner(facts)]
    lines += [*_comparison_table(facts["comparisons"]), ""]
    lines += [
        f"Interval: {level}, listeners and sentences both random ({_methods(facts['comparisons'])}), degrees of "
        f"freedom by Satterthwaite; p is of it, Holm's over {_family(method)}. By listener, by sentence: Wilcoxon's "
        f"signed rank, exact, zeros by Pratt. No worse: the lower end of the {100 * (1 - 2 * method['alpha']):g} % "
        f"interval is above -{method['margin']:g}.",
        "",
    ]
    if facts["without_exclusions"]:
        lines += ["## Without exclusions", "", *_comparison_table(facts["without_exclusions"]), ""]
    if facts["with_usual_rules"]:
        lines += ["## With the usual exclusion rules", "", *_comparison_table(facts["with_usual_rules"]), ""]
    lines += ["## Excluded", ""]
    lines += [f"- {e['listener']} ({e['language']}): {e['rule']}, {e['why']}" for e in facts["excluded"]] or ["Nobody."]
    lines += ["", "## Notes", "", *(f"- {note}" for note in facts["notes"])]
    return "\n".join(lines) + "\n"


def _banner(facts: Facts) -> list[str]:
    return [f"> **{facts['banner']}**", ""] if facts.get("banner") else []


def _comparison_table(facts: Sequence[Facts]) -> list[str]:
    return _markdown(list(SHOWN), [[write(each) for write in SHOWN.values()] for each in facts])


def _methods(facts: Sequence[Facts]) -> str:
    used = {each["crossed"]["method"] for each in facts if each["crossed"]}
    return " and ".join({"anova": "closed form", "reml": "REML"}[each] for each in sorted(used)) or "too few for one"


def _family(method: Facts) -> str:
    return "the conditions of a language" if method["holm_family"] == "language" else "conditions and languages"


def conditions_page(facts: Facts) -> str:
    """Means, intervals and histograms."""
    values = sorted({value for each in facts["conditions"] for value in each["histogram"]}, key=float)
    heading = ["language", "condition", "listeners", "sentences", "ratings", "mean", "interval", "SD", *values]
    counts = ("listeners", "sentences", "ratings")
    rows = []
    for each in facts["conditions"]:
        found = (number(each["mean"]), interval(each["ci"]), number(each["sd"]))
        histogram = (str(each["histogram"].get(value, 0)) for value in values)
        rows.append([each["language"], each["condition"], *(str(each[name]) for name in counts), *found, *histogram])
    return "\n".join(["# Ratings by condition", "", *_banner(facts), *_markdown(heading, rows), ""])
