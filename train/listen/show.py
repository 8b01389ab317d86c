"""What `train listen analyse` and `power` print on a terminal."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from train.listen import tables

SHOWN: dict[str, str] = {  # that fit into 80 columns: heading, and what `tables` calls it
    "condition": "condition", "MOS": "MOS", "difference": "difference and interval", "p": "p", "Holm": "p Holm",
    "Wilcoxon": "p by listener", "no worse?": "no worse",
}  # fmt: skip
TITLES = (("without_exclusions", "with everyone"), ("with_usual_rules", "with the usual exclusion rules"))


def analysis(facts: Mapping[str, Any], console: Console | None = None) -> None:
    """The comparisons, with and without exclusions, who was excluded, how listeners agree, and the notes."""
    console = console or Console(highlight=False)
    _comparisons(console, facts, facts["comparisons"], "")
    for name, title in TITLES:
        if facts[name]:
            _comparisons(console, facts, facts[name], f", {title}")
    for each in facts["excluded"]:
        _say(console, f"excluded: {each['listener']} ({each['language']}), {each['rule']}: {each['why']}")
    for language, each in facts["agreement"].items():
        _say(console, f"agreement, {language}: {_agreement(each)}")
    for note in facts["notes"]:
        _say(console, f"note: {note}")


def _say(console: Console, line: str) -> None:
    console.print(line, markup=False, soft_wrap=True)


def _comparisons(console: Console, facts: Mapping[str, Any], rows: Sequence[Mapping[str, Any]], title: str) -> None:
    """One table per language, so that a row fits."""
    method = facts["method"]
    for language in dict.fromkeys(each["language"] for each in rows):
        here = [each for each in rows if each["language"] == language]
        sizes = dict.fromkeys(f"{each['listeners']} listeners, {each['sentences']} sentences" for each in here)
        size = next(iter(sizes)) if len(sizes) == 1 else "sizes differ"
        _say(console, f"{language}: {method['scale'].upper()} against {method['baseline']}{title} ({size})")
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
        for heading, name in SHOWN.items():
            left, fixed = name in ("condition", "no worse"), name != "condition"
            width = None if fixed else len(heading)
            table.add_column(
                heading, justify="left" if left else "right", no_wrap=fixed, min_width=width, overflow="fold"
            )
        for each in here:
            table.add_row(*(escape(tables.SHOWN[name](each)) for name in SHOWN.values()))
        console.print(table)


def _agreement(each: Mapping[str, Any]) -> str:
    single, mean, halves = (tables.number(each[name]) for name in ("icc_2_1", "icc_2_k", "split_half"))
    return f"ICC(2,1) {single}; of the mean of {each['ratings_per_stimulus']:.3g} ratings {mean}; split halves {halves}"


def power(facts: Mapping[str, Any], console: Console | None = None) -> None:
    """The table of sizes, and what was assumed."""
    console = console or Console(highlight=False)
    for language, each in facts["languages"].items():
        assumed = ", ".join(f"{name} {value:.2f}" for name, value in each["deviations"].items())
        _say(console, f"{language}: MOS {each['mos']:.2f}; standard deviations: {assumed}")
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
        wanted = (f"shows {facts['difference']:+g}", f"shows no loss of {facts['margin']:g}")
        for name in ("listeners", "sentences", "ratings each", *wanted, "errs"):
            table.add_column(name, justify="right")
        for row in each["sizes"]:
            chances = [_chance(row[name], row[f"{name}_error"]) for name in ("power", "power_non_inferiority")]
            sizes = (str(row[name]) for name in ("listeners", "sentences", "ratings_per_listener"))
            table.add_row(*sizes, *chances, f"{row['type_1_error']:.3f}" + ("" if row["holds"] else " !"))
        console.print(table)
    for note in facts["notes"]:
        _say(console, f"note: {note}")


def _chance(value: float, error: float) -> str:
    return f"{value:.3f} ± {error:.3f}"
