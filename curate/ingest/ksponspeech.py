"""KsponSpeech (AIHub): headerless PCM, and `.trn` lists of `path :: text`, or a `.txt` beside each file (CP949).

The transcripts write some words twice, `(spelling)/(pronunciation)`: `text` has the spelling, or the pronunciation by
`columns = { text = "pronunciation" }`. Marks of noise (`b/` breath, `l/` laughter, `n/` noise, `o/` other voices, `u/`
unintelligible) are taken out and kept in `marks`; those behind fillers (`/`), repeated (`+`) and unclear words (`*`)
are taken out. The line as it stands is in `transcript`. Source: the corpus's paper, doi:10.3390/app10196936.
"""

import re
from collections.abc import Iterator

from curate.ingest.lines import Line, lines
from curate.ingest.row import Row
from curate.ingest.tree import HEADERLESS, Tree, folder_of, stem_of
from curate.recipe import Source

TWICE = re.compile(r"\(([^()]*)\)\s*/\s*\(([^()]*)\)")
NOISE = re.compile(r"(?<![A-Za-z0-9])([blnou])/")
WORD_MARKS = re.compile(r"[/+*]")


def read(source: Source, tree: Tree) -> Iterator[Row]:
    """One row per line of every list, else per file with its text beside it."""
    lists = [name for name in tree.named("*.trn") if not source.splits or stem_of(name) in source.splits]
    if not lists:
        yield from _beside(source, tree)
    for index in lists:
        for line in lines(tree.read(index), source.encoding):
            name, separator, text = line.text.partition("::")
            error = f"{index}, line {line.number} {line.error}" if line.error else None
            if not separator:
                error = f"{index}, line {line.number} has no ::"
            path = tree.find(name.strip(), anywhere=True)
            yield _row(path, text.removeprefix(" "), error, split=stem_of(index))


def _beside(source: Source, tree: Tree) -> Iterator[Row]:
    sounds = [path for path in tree.audio() if path.lower().endswith(HEADERLESS)]
    if not sounds:
        tree.require("ksponspeech", "*.trn", f"*{HEADERLESS}")
    for path in sounds:
        text = f"{folder_of(path)}/{stem_of(path)}.txt".removeprefix("/")
        content = [line.text for line in _told(source, tree, text)] if text in tree else []
        yield _row(path, "\n".join(content), None, split=None)


def _told(source: Source, tree: Tree, text: str) -> Iterator[Line]:
    return lines(tree.read(text), source.encoding)


def _row(path: str, transcript: str, error: str | None, *, split: str | None) -> Row:
    spelling, pronunciation = plain(transcript, 1), plain(transcript, 2)
    marks = " ".join(f"{mark}/" for mark in NOISE.findall(transcript)) or None
    more = {
        "transcript": transcript, "spelling": spelling, "pronunciation": pronunciation, "marks": marks,
        "given_split": split,
    }  # fmt: skip
    return Row(path, None if error else spelling, error=error, more=more)


def plain(transcript: str, which: int) -> str:
    """A transcript without marks, with the spelling (1) or the pronunciation (2) of what is written twice."""
    chosen = TWICE.sub(lambda twice: twice[which], transcript)
    bare = WORD_MARKS.sub("", NOISE.sub(" ", chosen))
    return re.sub(r" +", " ", bare).strip()
