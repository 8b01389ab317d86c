"""lhotse manifests: `recordings.jsonl` with `supervisions.jsonl`, or `cuts.jsonl`, gzipped or not.

A row is a supervision; of a recording or cut without one, the recording or cut. What is not one stretch of one file
(mixed cuts, commands, one channel of several) is listed with that as its reason.
"""

import gzip
import zlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from curate.errors import UserError
from curate.ingest.lines import json_object, lines
from curate.ingest.row import Row
from curate.ingest.tree import Tree, folder_of
from curate.recipe import Source

CUTS = ("cuts*.jsonl", "cuts*.jsonl.gz", "*cuts*.jsonl", "*cuts*.jsonl.gz")
RECORDINGS = ("*recordings*.jsonl", "*recordings*.jsonl.gz")
SUPERVISIONS = ("*supervisions*.jsonl", "*supervisions*.jsonl.gz")
HARMLESS = ("Resample", "Volume")  # transforms under which the times of a file are its own

Item = Mapping[str, Any]


def read(source: Source, tree: Tree) -> Iterator[Row]:
    """One row per supervision."""
    name = source.path.replace("\\", "/").rpartition("/")[2]
    named = [name] if name in tree else []
    if named or (not tree.named(*RECORDINGS) and tree.named(*CUTS)):
        for index in named or tree.named(*CUTS):
            for item, where, wrong in _items(source, tree, index):
                yield from _or_told(where, _cut, tree, index, item, where, wrong)
        return
    recordings: dict[str, tuple[str, Item]] = {}
    for index in tree.named(*RECORDINGS) or tree.require("lhotse", *RECORDINGS, *CUTS):
        for item, where, wrong in _items(source, tree, index):
            if not wrong and str(item.get("id")) in recordings:
                wrong = f"has the id of another recording ({item.get('id')})"
            if wrong:
                yield Row("", error=f"{where} {wrong}")
            else:
                recordings[str(item.get("id"))] = (index, item)
    spoken = set()
    for index in tree.named(*SUPERVISIONS):
        for item, where, wrong in _items(source, tree, index):
            recording = str(item.get("recording_id"))
            spoken.add(recording)
            if wrong or recording not in recordings:
                yield Row("", error=f"{where} {wrong or f'names no known recording ({recording})'}")
            else:
                yield from _or_told(where, _supervision, tree, *recordings[recording], item, 0.0)
    for name, (index, recording_) in recordings.items():
        if name not in spoken:
            yield from _or_told(f"{index}, recording {name}", _recording, tree, index, recording_)


def _items(source: Source, tree: Tree, index: str) -> Iterator[tuple[Item, str, str | None]]:
    """Every object of a manifest, where it stands, and what is wrong with its line."""
    content = tree.read(index)
    if index.endswith(".gz"):
        try:
            content = gzip.decompress(content)
        except (OSError, EOFError, zlib.error) as error:
            raise UserError(f"source {source.id}: {index} is cut short or damaged ({error})") from None
    for line in lines(content, source.encoding):
        item, wrong = json_object(line)
        yield item, f"{index}, line {line.number}", wrong


def _or_told(where: str, make: Callable[..., Row | Iterator[Row]], *given: Any) -> list[Row]:
    """The row or rows that are made of an object, or one that says that it is not what lhotse writes."""
    try:
        made = make(*given)
        return [made] if isinstance(made, Row) else list(made)
    except (TypeError, ValueError, KeyError, IndexError, AttributeError):
        return [Row("", error=f"{where} is not as lhotse writes it")]


def _cut(tree: Tree, index: str, cut: Item, where: str, wrong: str | None) -> Iterator[Row]:
    recording = cut.get("recording")
    if wrong or not isinstance(recording, dict) or cut.get("type", "MonoCut") not in ("MonoCut", "Cut"):
        yield Row("", error=f"{where} {wrong or 'is no cut of one recording'}")
        return
    start = float(cut.get("start") or 0.0)
    supervisions = cut.get("supervisions") or []
    for supervision in supervisions:
        yield _supervision(tree, index, recording, supervision, start)
    if not supervisions:
        row = _recording(tree, index, recording)
        row.start, row.end = start, start + float(cut["duration"])
        yield row


def _supervision(tree: Tree, index: str, recording: Item, item: Item, offset: float) -> Row:
    row = _recording(tree, index, recording)
    channels, channel = recording.get("channel_ids") or [0], item.get("channel", 0)
    if isinstance(channel, int) and len(channels) > 1:
        row.error = row.error or f"is channel {channel} of {len(channels)}: channels are not parted here"
    try:
        row.start = offset + float(item["start"])
        row.end = row.start + float(item["duration"])
    except (KeyError, TypeError, ValueError):
        row.error = row.error or "its supervision has no start and duration"
    row.text, row.speaker = _string(item.get("text")), _string(item.get("speaker"))
    row.language = _language(item.get("language"))
    row.more = {"utterance": _string(item.get("id")), "gender": _string(item.get("gender"))}
    return row


def _recording(tree: Tree, index: str, recording: Item) -> Row:
    sources = recording.get("sources") or [{}]
    kind, name = sources[0].get("type"), str(sources[0].get("source", ""))
    if kind != "file" or len(sources) > 1:
        return Row("", error=f"recording {recording.get('id')} is not one file ({kind}, {len(sources)} sources)")
    if changes := [each.get("name") for each in recording.get("transforms") or [] if each.get("name") not in HARMLESS]:
        return Row("", error=f"recording {recording.get('id')} is changed while it is read ({changes[0]})")
    return Row(
        tree.find(name, beside=folder_of(index), anywhere=True), more={"utterance": _string(recording.get("id"))}
    )


def _language(name: Any) -> str | None:
    """lhotse's manifests write it out, or as a code."""
    codes = {"khmer": "km", "korean": "ko", "central khmer": "km"}
    return codes.get(str(name).lower(), str(name)) if name else None


def _string(value: Any) -> str | None:
    return None if value is None else str(value)
