"""Which rank to ship, per language: the smallest that is non-inferior to the best, "off" included, with reasons.

By MOS where listeners have rated, with a margin of 0.10 unless their plan has another. Before that by held-out loss,
which cannot select what listeners prefer (in the published study it was lowest at rank 128 and MOS highest at 64): a
rank is as good as the best where, at 95 % one-sided, it gives away no more than a tenth of what the best gains over
zero-shot; and where no rank is shown to gain, the adapter stays off.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from train.evaluate import losses, ratings
from train.evaluate.folder import ZERO_SHOT
from train.validation import ClipLoss

OFF = "off"
GIVEN_AWAY = 0.1  # of the best rank's gain in loss
ONE_SIDED = 0.10  # both tails of the interval whose upper end is looked at
LOSS_CANNOT = "loss cannot select what listeners prefer: a listening test can change this"
EXPLORATORY = "the best was picked on the ratings that rank it, so this is exploratory: confirm it on new sentences"

Rank = int | str


def select(
    language: str, candidates: Sequence[Mapping[str, Any]], lost: Mapping[Rank, Sequence[ClipLoss]],
    names: Mapping[Rank, str], rows: Sequence[Mapping[str, Any]],
) -> dict[str, Any]:  # fmt: skip
    """{"ship", "because", "candidates"} of one language.

    candidates: off first, then by rank; lost: rank -> its clips; names: rank -> condition; rows: comparisons of
    ratings.
    """
    rated = [each for each in candidates if each["mos"] is not None]
    ship: Rank
    if OFF not in lost:
        ship, because = OFF, "zero-shot has not been evaluated yet, so nothing is known to be better"
    elif len(rated) > 1:
        ship, because = _by_mos(language, rated, names, rows)
        if unrated := [each["rank"] for each in candidates if each["mos"] is None]:
            because += f"; not rated: {', '.join(map(_called, unrated))}"
    else:
        ship, because = _by_loss(candidates, lost)
    return {"ship": ship, "because": because, "candidates": [dict(each) for each in candidates]}


def _by_loss(candidates: Sequence[Mapping[str, Any]], lost: Mapping[Rank, Sequence[ClipLoss]]) -> tuple[Rank, str]:
    measured = [each for each in candidates if each["loss"] is not None]
    if len(measured) < 2:
        return OFF, f"no rank has been evaluated yet; {LOSS_CANNOT}"
    best = min(measured, key=lambda each: each["loss"])["rank"]
    gain = losses.change(lost[best], lost[OFF])
    if best == OFF or gain is None or gain.high is None or gain.high >= 0:
        shown = "zero-shot has the lowest held-out loss" if best == OFF else (
            f"rank {best} has the lowest held-out loss, but is not shown to be lower than zero-shot {_interval(gain)}"
        )  # fmt: skip
        return OFF, f"{shown}; {LOSS_CANNOT}"
    margin = -GIVEN_AWAY * gain.mean
    for each in measured:
        to_best = losses.change(lost[each["rank"]], lost[best], alpha=ONE_SIDED)
        if each["rank"] == best or (to_best and to_best.high is not None and to_best.high < margin):
            return each["rank"], f"{_why_loss(each['rank'], best, to_best, gain, margin)}; {LOSS_CANNOT}"
    raise AssertionError("the best is as good as itself")


def _why_loss(rank: Rank, best: Rank, to_best: Any, gain: Any, margin: float) -> str:
    lowest = f"rank {best} has the lowest held-out loss, {_interval(gain)} from zero-shot over {gain.n} clips"
    if rank == best:
        return f"{lowest}, and no smaller rank is shown to come within a tenth of that gain"
    return (
        f"{lowest}; {_called(rank)} is the smallest that is non-inferior: {to_best.mean:+.4f} from it, at most "
        f"{to_best.high:+.4f} at 95 % one-sided, within the margin of {margin:.4f} (a tenth of the gain)"
    )


def _by_mos(
    language: str, rated: Sequence[Mapping[str, Any]], names: Mapping[Rank, str], rows: Sequence[Mapping[str, Any]]
) -> tuple[Rank, str]:
    best = max(rated, key=lambda each: each["mos"])
    lead = f"{_called(best['rank'])} has the highest MOS, {best['mos']:.2f}"
    undecided = []
    for each in rated:
        told = ratings.non_inferior(rows, language, names[each["rank"]], names[best["rank"]])
        if told is None:
            undecided.append(each["rank"])
        elif told:
            limits = ratings.limits(rows, language, names[each["rank"]], names[best["rank"]])
            why = [_why_mos(each, best, lead, limits), *_unproven(each), *_missing(undecided, names, best)]
            return each["rank"], "; ".join([*why, EXPLORATORY])
    raise AssertionError("the best is as good as itself")


def _why_mos(each: Mapping[str, Any], best: Mapping[str, Any], lead: str, limits: ratings.Limits | None) -> str:
    if each["rank"] == best["rank"]:
        more = "" if each["rank"] == OFF else ", and nothing smaller is shown to be non-inferior"
        return f"{lead}{more}"
    called = "the adapter off" if each["rank"] == OFF else f"rank {each['rank']}"
    shown = (
        f"{limits.level:.0%} interval above {-limits.margin:.2f}".replace("%", " %") if limits else "as it was analysed"
    )
    return f"{lead}; {called}, {each['mos']:.2f}, is the smallest that is non-inferior to it ({shown})"


def _unproven(each: Mapping[str, Any]) -> list[str]:
    """What is to be said of a rank whose gain over zero-shot listeners have not shown."""
    low, mean, high = each["mos_change"] or (None, None, None)
    if each["rank"] == OFF or low is None or low > 0:
        return []
    return [
        f"it is not shown to be better than zero-shot ({mean:+.2f} [{low:+.2f}, {high:+.2f}]): more ratings would tell"
    ]


def _missing(undecided: Sequence[Rank], names: Mapping[Rank, str], best: Mapping[str, Any]) -> list[str]:
    if not undecided:
        return []
    told, top = ", ".join(_called(rank) for rank in undecided), names[best["rank"]]
    return [f"of {told} no comparison with {top} was given: add the analysis with --baseline {top}"]


def disagreement(language: str, candidates: Sequence[Mapping[str, Any]]) -> str | None:
    """The banner: where the lowest loss and the highest MOS are of different ranks."""
    both = [each for each in candidates if each["loss"] is not None and each["mos"] is not None]
    if len(both) < 2:
        return None
    lowest = min(both, key=lambda each: each["loss"])
    highest = max(both, key=lambda each: each["mos"])
    if lowest["rank"] == highest["rank"]:
        return None
    return (
        f"{language}: loss and listeners disagree: the lowest held-out loss is of {_called(lowest['rank'])} "
        f"({lowest['loss']:.4f}), the highest MOS of {_called(highest['rank'])} ({highest['mos']:.2f})"
    )


def mos_fields(rows: Sequence[Mapping[str, Any]], language: str, condition: str) -> dict[str, Any]:
    """mos, mos_change, p_holm of a condition against zero-shot; null before ratings are in."""
    row = ratings.find(rows, language, ZERO_SHOT, condition)
    if row is not None:
        return {"mos": float(row["mos"]), "mos_change": ratings.change(row), "p_holm": row.get("p_holm")}
    if condition == ZERO_SHOT and (
        row := next((r for r in rows if r["language"] == language and r["baseline"] == ZERO_SHOT), None)
    ):
        return {"mos": float(row["mos_baseline"]), "mos_change": None, "p_holm": None}
    return {"mos": None, "mos_change": None, "p_holm": None}


def _called(rank: Rank) -> str:
    return "zero-shot" if rank == OFF else f"rank {rank}"


def _interval(gain: Any) -> str:
    if gain is None or gain.low is None:
        return "(too few clips for an interval)"
    return f"{gain.mean:+.4f} [{gain.low:+.4f}, {gain.high:+.4f}]"
