"""Train, validation and test with nothing in two: no speaker, no text, no recording.

Clips that share any of these hang together in one group, and groups are dealt whole.
"""

import hashlib
import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from curate.measures import voices
from curate.recipe import LANGUAGES

HELD_OUT = ("validation", "test")
MOST_OF_A_LANGUAGE = 0.5  # a group larger than this share of what is left is never held out


@dataclass(frozen=True)
class Empty:
    """A split that got nothing, and why, in one line."""

    split: str
    language: str
    cause: str


def split(clips: pl.DataFrame, *, shares: Mapping[str, float], apart: Sequence[str], seed: int) -> pl.DataFrame:
    """Fill `split` of kept clips, whole groups at a time, each language by itself."""
    kept = _grouped(clips, apart)
    seconds = {language: _seconds(kept.filter(pl.col("language") == language)) for language in LANGUAGES}
    where: dict[str, str] = {}
    for language, name in itertools.product(LANGUAGES, HELD_OUT):
        _hold_out(seconds, language, name, shares[name], where, seed)
    dealt = pl.col("group").replace_strict(where, default="train", return_dtype=pl.String)
    named = kept.select("id", dealt.alias("split"))
    return clips.drop("split").join(named, on="id", how="left", maintain_order="left").select(clips.columns)


def empty(clips: pl.DataFrame, *, shares: Mapping[str, float], apart: Sequence[str]) -> list[Empty]:
    """The held-out splits that a language was to have and has not, each with its cause."""
    kept = _grouped(clips, apart)
    found = []
    for language, name in itertools.product(LANGUAGES, HELD_OUT):
        ours = kept.filter(pl.col("language") == language)
        if ours.height and shares[name] > 0 and name not in ours["split"]:
            found.append(Empty(name, language, _cause(ours, apart)))
    return found


def _grouped(clips: pl.DataFrame, apart: Sequence[str]) -> pl.DataFrame:
    """Kept clips with the name of their group: its smallest id, so that the order of the sources does not matter."""
    kept = clips.filter(pl.col("drop").is_null())
    kept = kept.with_columns(pl.Series("group", groups(kept, apart), dtype=pl.Int64))
    return kept.with_columns(pl.col("id").min().over("group").alias("group"))


def groups(clips: pl.DataFrame, apart: Sequence[str]) -> list[int]:
    """A number per clip, the same for clips that share a speaker, a text or a recording, directly or through others."""
    parents: dict[object, object] = {}
    for id, *shared in clips.select("id", *(_shared(name) for name in apart)).iter_rows():
        for name, value in zip(apart, shared, strict=True):
            if value is not None:
                _join(parents, ("clip", id), (name, value))
    roots: dict[object, int] = {}
    return [roots.setdefault(_root(parents, ("clip", id)), len(roots)) for id in clips["id"]]


def _shared(name: str) -> pl.Expr:
    """What clips must not share across splits."""
    if name == "speaker":
        return voices.person().alias(name)
    if name == "text":
        bare = pl.col("spoken").str.replace_all(r"[\p{P}\p{S}\p{Z}\p{C}]", "").str.to_lowercase()
        return pl.when(bare != "").then(bare).alias(name)
    return pl.col("sha256").alias(name)


def _root(parents: dict[object, object], node: object) -> object:
    while (parent := parents.get(node, node)) != node:
        parents[node] = parents.get(parent, parent)
        node = parent
    return node


def _join(parents: dict[object, object], first: object, second: object) -> None:
    first, second = _root(parents, first), _root(parents, second)
    if first != second:
        parents[second] = first


def _seconds(clips: pl.DataFrame) -> dict[str, float]:
    return dict(clips.group_by("group", maintain_order=True).agg(pl.col("seconds").sum()).iter_rows())


def _hold_out(
    seconds: Mapping[str, Mapping[str, float]], language: str, name: str, share: float, where: dict[str, str], seed: int
) -> None:
    """Give a split whole groups of a language up to its share; the smallest group if all are larger than the share.

    A group may hold clips in several languages: no language may get more than its share by it.
    """
    room = {each: share * sum(parts.values()) - _held(parts, name, where) for each, parts in seconds.items()}
    for group in _shuffled((g for g in seconds[language] if g not in where), seed):
        parts = {each: seconds[each][group] for each in seconds if group in seconds[each]}
        if all(room[each] >= part for each, part in parts.items()):
            where[group] = name
            room = {each: room[each] - parts.get(each, 0.0) for each in room}
    free = [group for group in seconds[language] if group not in where]
    if share > 0 and not _held(seconds[language], name, where) and len(free) > 1:
        smallest = min(free, key=lambda group: (seconds[language][group], group))
        left = {
            each: sum(part for group, part in parts.items() if group not in where) for each, parts in seconds.items()
        }
        if all(seconds[each].get(smallest, 0.0) <= MOST_OF_A_LANGUAGE * left[each] for each in seconds):
            where[smallest] = name


def _held(parts: Mapping[str, float], name: str, where: Mapping[str, str]) -> float:
    return sum(part for group, part in parts.items() if where.get(group) == name)


def _shuffled(groups: Iterable[str], seed: int) -> list[str]:
    return sorted(groups, key=lambda group: hashlib.sha256(f"{seed} {group}".encode()).hexdigest())


def _cause(clips: pl.DataFrame, apart: Sequence[str]) -> str:
    sizes = clips.group_by("group").agg(
        pl.len().alias("clips"), pl.col("speaker").drop_nulls().n_unique().alias("speakers")
    )
    largest = sizes.sort("clips", "group", descending=[True, False]).row(0, named=True)
    count = f"{largest['clips']} of {clips.height} clips"
    if sizes.height == 1 and clips.height == 1:
        return "there is only one clip"
    if largest["speakers"] == 1 and "speaker" in apart:
        rest = [name for name in apart if name != "speaker"]
        return f"{count} are by one speaker; add speakers, or set split.apart = {rest} to let splits share one"
    if "text" in apart and largest["speakers"] > 1:
        return (
            f'{count} hang together because speakers read the same texts; leave "text" or "speaker" out of split.apart'
        )
    return f"{count} hang together in one group ({', '.join(apart)}); add recordings or leave one out of split.apart"
