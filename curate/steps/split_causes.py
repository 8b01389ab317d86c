"""Why held-out shares are not what was asked, and what would help, tried out on the corpus so that it is true."""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from curate.recipe import LANGUAGES
from curate.steps import draw, held_out, relations, speakers, text_cut
from curate.steps.draw import HONEST, LEAST_TRAINED
from curate.steps.held_out import HELD_OUT

TRIED = ("text", "audio", "session", "recording", "speaker")  # relations to let go of, that which costs least first
USED = (*(name for name in draw.USED if name != "row"), "drop", "split", "given_split")
DROPPED = (0.05, 0.1, 0.15, 0.2, 0.25)  # of a language's hours, tried; more is not worth a held-out set
SHARED = {
    "text": "texts",
    "audio": "audio that sounds the same",
    "session": "sessions",
    "recording": "recordings",
    "speaker": "speakers",
}


@dataclass(frozen=True)
class Uneven:
    """A language whose held-out shares are not as asked: shares of its hours, the splits that are empty, and why."""

    language: str
    shares: Mapping[str, float]
    empty: tuple[str, ...]
    cause: str
    remedy: str

    @property
    def why(self) -> str:
        """Cause and remedy."""
        return f"{self.cause}; {self.remedy}" if self.remedy else self.cause


def of(
    clips: pl.DataFrame, *, shares: Mapping[str, float], apart: Sequence[str], seed: int = 0, given: bool = False
) -> list[Uneven]:
    """Languages that hold out more than 1.5 times what was asked or nothing of it, or train on less than 70 %.

    And those that hold out less than half of what was asked, where a fresh draw would not: their corpus has grown.
    """
    kept = clips.select(USED).filter(pl.col("drop").is_null(), pl.col("split").is_not_null())
    published = held_out.as_given(kept) if given else held_out.nothing()
    kept = kept.join(published.select("id", pl.col("split").alias("pin")), on="id", how="left", maintain_order="left")
    found = []
    for language in LANGUAGES:
        own = kept.filter(pl.col("language") == language)
        if own.is_empty():
            continue
        if _honest(_shares(own), shares) and not _outgrown(own, kept, shares, apart, seed):
            continue
        empty = tuple(name for name in HELD_OUT if shares[name] > 0 and not (own["split"] == name).any())
        cause, remedy = _why(own, kept, shares, apart, seed)
        found.append(Uneven(language, _shares(own), empty, cause, remedy))
    return found


def line(uneven: Uneven, shares: Mapping[str, float]) -> str:
    """It in one line: what each split has of what was asked, why, and what would help."""
    parts = []
    for name in HELD_OUT:
        if name in uneven.empty:
            parts.append(f"{name} is empty ({shares[name]:.1%} asked)")
        elif uneven.shares[name] > 0 or shares[name] > 0:
            parts.append(f"{name} holds {uneven.shares[name]:.1%} of the hours ({shares[name]:.1%} asked)")
    parts.append(f"{uneven.shares['train']:.1%} is left to train on")
    return f"{LANGUAGES[uneven.language]}: {', '.join(parts)}: {uneven.why}"


def _shares(own: pl.DataFrame) -> dict[str, float]:
    total = float(own["seconds"].sum()) or 1.0
    return {name: float(own.filter(split=name)["seconds"].sum()) / total for name in ("train", *HELD_OUT)}


def _honest(have: Mapping[str, float], asked: Mapping[str, float]) -> bool:
    return not _off(have, asked) and have["train"] >= LEAST_TRAINED


def _off(have: Mapping[str, float], asked: Mapping[str, float]) -> list[str]:
    """Held-out splits that have more than 1.5 times what was asked, or nothing of it."""
    return [
        name for name in HELD_OUT if have[name] > HONEST * asked[name] + 1e-9 or (have[name] > 0) != (asked[name] > 0)
    ]


def _outgrown(
    own: pl.DataFrame, kept: pl.DataFrame, shares: Mapping[str, float], apart: Sequence[str], seed: int
) -> bool:
    """Whether a held-out set is under half of what was asked, and a fresh draw would have all near it."""
    small = [name for name in HELD_OUT if 0 < _shares(own)[name] < shares[name] / 2]
    if not small:
        return False
    drawn = _drawn(kept, own, shares, apart, seed)
    return _as_asked(drawn, shares) and all(drawn[name] >= shares[name] / HONEST for name in small)


def _as_asked(have: Mapping[str, float], asked: Mapping[str, float]) -> bool:
    """Honest, but for hours to train on that the recipe itself does not leave."""
    return not _off(have, asked) and have["train"] >= min(LEAST_TRAINED, 1 - sum(asked.values())) - 1e-9


def _why(
    own: pl.DataFrame, kept: pl.DataFrame, shares: Mapping[str, float], apart: Sequence[str], seed: int
) -> tuple[str, str]:
    """Cause and remedy; where the recipe asks for much and that is not all, both."""
    if sum(shares.values()) <= 1 - LEAST_TRAINED:
        return _unasked(own, kept, shares, apart, seed)
    asked = f"{' + '.join(f'split.{name}' for name in HELD_OUT)} ask for {sum(shares.values()):.0%}"
    if not _off(_shares(own), shares):
        return asked, "lower them to train on more"
    cause, remedy = _unasked(own, kept, shares, apart, seed)
    return f"{asked}, and {cause}", f"lower them to train on more; {remedy}"


def _unasked(
    own: pl.DataFrame, kept: pl.DataFrame, shares: Mapping[str, float], apart: Sequence[str], seed: int
) -> tuple[str, str]:
    """Cause and remedy, by what a fresh draw gives, as it is and with one or two relations let go of."""
    if own.height == 1:
        return "there is only one clip", "add recordings"
    wrong = _off(_shares(own), shares) or HELD_OUT
    if own.filter(pl.col("pin").is_in(wrong)).height:
        return _published(own, kept, shares, apart, seed)
    if _helps(kept, own, shares, apart, seed):
        return (
            "the sets were drawn from other clips and stay (split.lock)",
            "set another split.seed to draw anew",
        )
    least = min(LEAST_TRAINED, 1 - sum(shares.values()))
    if _shares(own)["train"] < least <= _drawn(kept, own, shares, apart, seed)["train"]:
        return (
            "the sets were drawn from more clips than are kept now, and stay (split.lock)",
            "keep more hours, or set another split.seed to draw anew",
        )
    largest = _largest(own, kept, [])
    coarse = largest > min(share for share in shares.values() if share > 0)
    if coarse and not _helps(kept, own, shares, [], seed):  # clips alone, whatever they share, are too long
        return f"there are only {own.height} clips, and one has {largest:.0%} of the hours", "add recordings"
    return _entangled(own, kept, shares, apart, seed)


def _published(
    own: pl.DataFrame, kept: pl.DataFrame, shares: Mapping[str, float], apart: Sequence[str], seed: int
) -> tuple[str, str]:
    """Where a corpus's own split is the cause; whether drawing instead is enough was tried."""
    cause, remedy = "it is so in the corpus as published (split.given)", "set split.given = false to draw instead"
    free, mine = (each.with_columns(pl.lit(None, pl.String).alias("pin")) for each in (kept, own))
    if _helps(free, mine, shares, apart, seed):
        return cause, remedy
    why, then = _entangled(mine, free, shares, apart, seed)
    return f"{cause}, and drawn it would be no better: {why}", f"{remedy}, and then {then}"


def _entangled(
    own: pl.DataFrame, kept: pl.DataFrame, shares: Mapping[str, float], apart: Sequence[str], seed: int
) -> tuple[str, str]:
    """What the clips hang together by, and what it takes to part them."""
    tried = [name for name in TRIED if name in apart]
    for several in (1, 2):
        found = [
            gone for gone in itertools.combinations(tried, several)
            if _helps(kept, own, shares, [name for name in apart if name not in gone], seed)
        ]  # fmt: skip
        if found:
            let_go = " or ".join(_let_go(apart, gone) for gone in found[:2])
            remedies = [_add(found[0]), f"set {let_go}", *_by_dropping(own, kept, shares, apart, seed)]
            return ", and ".join(_cause(own, kept, apart, name) for name in found[0]), ", or ".join(remedies)
    by = " and ".join(SHARED[name] for name in tried)
    together = f"{_largest(own, kept, apart):.0%} of the hours hang together by shared {by}"
    return together, ", or ".join(["add speakers and recordings", *_by_dropping(own, kept, shares, apart, seed)])


def _let_go(apart: Sequence[str], gone: Sequence[str]) -> str:
    rest = ", ".join(f'"{name}"' for name in apart if name not in gone)
    return f"split.apart = [{rest}] (splits share {' and '.join(SHARED[name] for name in gone)})"


def _cause(own: pl.DataFrame, kept: pl.DataFrame, apart: Sequence[str], name: str) -> str:
    """In words, and with its numbers, what a relation does; of voices without a name those of several clips count."""
    together = f"{_largest(own, kept, apart):.0%} of the hours hang together"
    kept = _without_fragments(kept, needed=name == "speaker")
    values = (
        kept.select(relations.shared(name), "seconds", "person", "language").drop_nulls(name).group_by(name)
        .agg(
            pl.col("seconds").filter(pl.col("language") == own["language"][0]).sum(),
            pl.col("person").drop_nulls().n_unique().alias("persons"), pl.col("language").n_unique().alias("languages"),
        )
        .filter(pl.col("seconds") > 0).sort("seconds", descending=True)
    )  # fmt: skip
    parts = values["seconds"] / float(own["seconds"].sum())
    least, most = f"{float(parts.to_numpy().min()):.0%}", f"{float(parts.to_numpy().max()):.0%}"
    elsewhere = " and speak in the other language too" if (values["languages"] > 1).any() else ""
    if name == "speaker":
        if values.height == 1:
            return (
                f"{most} of the hours are by one speaker{elsewhere.replace('speak', 'who speaks').replace(' and', ',')}"
            )
        each = f"each with {least}" if least == most else f"with {least} to {most}"
        return f"there are {values.height} speakers, {each} of the hours{elsewhere}"
    if name == "recording":
        who = f" of {values['persons'][0]} speakers" if values["persons"][0] > 1 else ""
        return (
            f"there is one recording{who} with {most} of the hours" if values.height == 1
            else f"there are {values.height} recordings, the longest{who} with {most} of the hours"
        )  # fmt: skip
    if name == "text":
        read = values.filter(pl.col("persons") > 1).height
        mine = kept.filter(pl.col("language") == own["language"][0])
        if not read:
            clips = mine.select(relations.shared(name)).to_series().count()
            texts = f"{values.height} text{'s' if values.height > 1 else ''}"
            return f"{clips} clips have {texts} between them, so {together}"
        people = mine["person"].drop_nulls().n_unique()
        return f"{people} speakers read the same texts ({read} of {values.height} are read by several), so {together}"
    return f"{together} by shared {SHARED[name]}"


def _without_fragments(kept: pl.DataFrame, *, needed: bool) -> pl.DataFrame:
    """Without the persons of voices of a clip or two: they may be anybody's. With them where there are no others.

    `needed`: somebody has to be counted.
    """
    small = pl.col("person").str.contains(held_out.ESTIMATED) & (pl.len().over("person") < speakers.SEVERAL)
    proven = kept.with_columns(pl.when(~small).then("person").alias("person"))
    return kept if needed and not proven["person"].count() else proven


def _add(gone: Sequence[str]) -> str:
    others = {"text": "other texts", "audio": "other recordings"}
    return "add " + " and ".join(others.get(name, SHARED[name]) for name in gone)


def _by_dropping(
    own: pl.DataFrame, kept: pl.DataFrame, shares: Mapping[str, float], apart: Sequence[str], seed: int
) -> list[str]:
    """What `split.max_dropped` would do here, where it would help."""
    table = _fresh(kept, shares, apart, seed, strict=True)
    found = ""
    for most in DROPPED:
        tried = text_cut.cut(table, shares=shares, apart=apart, seed=seed, max_dropped=most)
        mine = tried.filter(pl.col("language") == own["language"][0])
        left = mine.filter(pl.col("split").is_not_null())
        if _as_asked(_shares(left), shares):
            lost = 1 - float(left["seconds"].sum()) / float(mine["seconds"].sum())
            part = {name: each for name, each in _shares(left).items() if shares.get(name, 0) > 0}
            held = " and ".join(f"{each:.1%}" for each in part.values())
            found = f"set split.max_dropped = {most} (drops {lost:.0%} of the hours and holds out {held})"
            if all(each >= shares[name] / 2 for name, each in part.items()):
                break
    return [found] if found else []


def _fresh(
    kept: pl.DataFrame, shares: Mapping[str, float], apart: Sequence[str], seed: int, *, strict: bool = False
) -> pl.DataFrame:
    """A draw among all kept clips with nothing held out before but what is `pin`ned, as published."""
    table = draw.grouped(kept, apart).with_columns(kept["pin"])
    return table.with_columns(draw.assigned(table, shares=shares, seed=seed, strict=strict))


def _helps(kept: pl.DataFrame, own: pl.DataFrame, shares: Mapping[str, float], apart: Sequence[str], seed: int) -> bool:
    """Whether a fresh draw among all kept clips would be as asked in this language."""
    return _as_asked(_drawn(kept, own, shares, apart, seed), shares)


def _drawn(
    kept: pl.DataFrame, own: pl.DataFrame, shares: Mapping[str, float], apart: Sequence[str], seed: int
) -> dict[str, float]:
    """What each split would have of this language in a fresh draw."""
    table = _fresh(kept, shares, apart, seed)
    return _shares(table.filter(pl.col("language") == own["language"][0]))


def _largest(own: pl.DataFrame, kept: pl.DataFrame, apart: Sequence[str]) -> float:
    """Share of a language's hours that the largest group has; groups hold together across languages, too."""
    number = pl.Series("group", relations.groups(kept, apart))
    mine = kept.select("language", "seconds", number).filter(pl.col("language") == own["language"][0])
    totals = mine.group_by("group").agg(pl.col("seconds").sum())["seconds"].to_numpy()
    return float(totals.max() / totals.sum())
