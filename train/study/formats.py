"""A table as Markdown, CSV and LaTeX: one row of text for people, one record with full digits for programs."""

import csv
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

LATEX = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}", ">": r"\textgreater{}",
    "|": r"\textbar{}",
}  # fmt: skip
MARKS = re.compile(r"([\\`*_\[\]<>&|#~$])")  # what Markdown, or HTML in it, could take for its own
FORMULA = ("=", "+", "-", "@", "\t", "\r")  # what makes a spreadsheet compute a cell


@dataclass(frozen=True)
class Table:
    """`rows` have the text of each heading, `records` the same figures in full digits."""

    name: str  # of its files
    title: str
    heading: Sequence[str]
    rows: Sequence[Sequence[str]]
    records: Sequence[Mapping[str, Any]]
    notes: Sequence[str] = field(default_factory=list)


def markdown(text: object) -> str:
    """Text that comes from a file, as Markdown shows it: one line, no mark-up."""
    return MARKS.sub(r"\\\1", " ".join(str(text).split()))


def latex(text: object) -> str:
    """The same for LaTeX."""
    return "".join(LATEX.get(letter, letter) for letter in " ".join(str(text).split()))


def as_markdown(table: Table) -> str:
    """A pipe table with its title above and its notes below."""
    lines = [table.heading, ["---"] * len(table.heading)]
    body = [f"| {' | '.join(map(markdown, line))} |" for line in table.rows]
    head = [f"| {' | '.join(line)} |" for line in ([*map(markdown, lines[0])], lines[1])]
    notes = [part for note in table.notes for part in ("", markdown(note))]
    return "\n".join([f"**{markdown(table.title)}**", "", *head, *body, *notes]) + "\n"


def as_latex(table: Table) -> str:
    """A floating table with rules of the package booktabs."""
    lines = [
        "% needs \\usepackage{booktabs}", "\\begin{table}", "\\centering", f"\\caption{{{latex(table.title)}}}",
        f"\\label{{tab:{table.name}}}", f"\\begin{{tabular}}{{{'l' * len(table.heading)}}}", "\\toprule",
        f"{' & '.join(map(latex, table.heading))} \\\\", "\\midrule",
        *(f"{' & '.join(map(latex, row))} \\\\" for row in table.rows),
        "\\bottomrule", "\\end{tabular}",
        *(f"\\par\\footnotesize {latex(note)}" for note in table.notes), "\\end{table}",
    ]  # fmt: skip
    return "\n".join(lines) + "\n"


def as_csv(table: Table, banner: str = "") -> str:
    """The records; under a banner each row has it in a column of its own."""
    records = [dict(each) | ({"note": banner} if banner else {}) for each in table.records]
    names = list(dict.fromkeys(name for record in records for name in record))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(names)
    writer.writerows([[_cell(record.get(name)) for name in names] for record in records])
    return text.getvalue()


def _cell(value: Any) -> Any:
    """Text that a spreadsheet would compute gets an apostrophe, as spreadsheets themselves write it."""
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value
