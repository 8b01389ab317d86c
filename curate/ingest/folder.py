"""A folder of recordings, audio or video: every one below it, with the text beside it where there is one.

`a.srt`, `a.vtt` and `a.TextGrid` beside `a.wav` give a row per cue, `a.txt` the text of the whole file. A language code
may stand between (`a.ko.srt`).
"""

import os
import re
from collections import Counter
from collections.abc import Iterator

from curate.errors import UserError
from curate.ingest.lines import encoding_of, lines
from curate.ingest.row import Row
from curate.ingest.subtitles import cues
from curate.ingest.tree import SUFFIXES, Tree, bare, folder_of
from curate.recipe import Source

TIMED = (".srt", ".vtt", ".textgrid")
TEXTS = (*TIMED, ".txt")  # in this order where a recording has several
CODE = re.compile(r"\.(km|ko|khm|kor|kh|kr)(-[a-z]+)?$")


def read(source: Source, tree: Tree) -> Iterator[Row]:
    """One row per audio or video file, or per cue of the text beside it."""
    if source.language is None:
        raise UserError(f'source {source.id}: a folder needs `language = "km"` or "ko"')
    sounds = tree.audio()
    if not sounds and not tree.closed:
        raise UserError(
            f"source {source.id}: no audio files under {tree.top} (looked for {' '.join(sorted(SUFFIXES))}), where "
            f"{tree.shown()}"
        )
    texts = _texts(tree)
    used = set()
    for path in sounds:
        mine = (texts.get(_key(path)) or texts.get(_key(path + ".x")) or {}) if texts else {}
        used |= set(mine.values())
        yield from _rows(source, tree, path, next((mine[suffix] for suffix in TEXTS if suffix in mine), None))
    yield from _orphans({text for each in texts.values() for text in each.values()}, used)


def _rows(source: Source, tree: Tree, path: str, text: str | None) -> Iterator[Row]:
    if text is None:
        yield Row(path)
        return
    suffix = os.path.splitext(text)[1].lower()
    content = tree.read(text)
    try:
        decoded = content.decode(source.encoding or encoding_of(content)).removeprefix("\ufeff")
    except UnicodeDecodeError:
        bad = next((line.number for line in lines(content, source.encoding) if line.error), 1)
        yield Row(path, error=f"{text}, line {bad} is not in the encoding of the rest")
        return
    if suffix not in TIMED:
        yield Row(path, decoded.rstrip("\r\n"))
        return
    try:
        found = cues(decoded, suffix)
    except (IndexError, ValueError):
        yield Row(path, error=f"{text} is cut short or no {suffix} file")
        return
    if not found:
        yield Row(path, error=f"{text} holds no text with its times")
    for cue in found:
        error = f"{text}, {cue.error}" if cue.error else None
        yield Row(path, cue.text, cue.speaker, None, cue.start, cue.end, error)


def _texts(tree: Tree) -> dict[str, dict[str, str]]:
    """Texts by the name of the recording that they belong to, and by suffix."""
    texts: dict[str, dict[str, str]] = {}
    for path in tree.all():
        if path.lower().endswith(TEXTS):
            suffix = os.path.splitext(path)[1]
            for key in {_key(path), CODE.sub("", _key(path))}:
                texts.setdefault(key, {}).setdefault(suffix.lower(), path)
    return texts


def _key(path: str) -> str:
    return "/".join(bare(part) for part in os.path.splitext(path)[0].split("/")).casefold()


def _orphans(texts: set[str], used: set[str]) -> Iterator[Row]:
    """Texts without a recording, where others in their folder have one: a note among recordings is none."""
    paired = Counter((folder_of(text), os.path.splitext(text)[1].lower()) for text in used)
    for text in sorted(texts - used):
        if paired[folder_of(text), os.path.splitext(text)[1].lower()]:
            yield Row(text, error="a text without a recording beside it")
