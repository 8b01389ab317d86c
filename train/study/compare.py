"""Published figures beside ours: reproduced yes, no, or cannot say. Intervals decide, not means."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from train.evaluate import losses
from train.evaluate.selection import OFF, Rank
from train.listen import tables as listening
from train.study.inputs import Material
from train.study.settings import Claim

YES, NO, UNKNOWN = "yes", "no", "cannot say"
ENOUGH = 11  # listeners from whom on the exact signed-rank test can give p < .001


@dataclass(frozen=True)
class Verdict:
    """One published figure or finding, ours, and whether it was reproduced."""

    claim: Claim
    language: str  # empty where it is of none
    published: str
    ours: str
    reproduced: str
    why: str


def judge(material: Material) -> list[Verdict]:
    """Every claim of the study, one of every language once for each."""
    return [_held_back(material, verdict) for claim in material.study.claim for verdict in _of(material, claim)]


def _of(material: Material, claim: Claim) -> Iterator[Verdict]:
    languages = [claim.language] if claim.language else material.study.study.languages
    for language in [""] if claim.kind == "share" else languages:
        if claim.language and claim.language not in material.study.study.languages:
            verdict = ("-", UNKNOWN, f"this study is not of {claim.language}")
        else:
            verdict = JUDGES[claim.kind](material, claim, language)
        yield Verdict(claim, language, _published(claim), *verdict)


def _held_back(material: Material, verdict: Verdict) -> Verdict:
    """No verdict where these figures cannot speak of the published ones, with what the rule would have said."""
    study = material.study
    there, wanted = material.swept.table["parameters"], study.model.parameters
    reason = study.study.banner or (
        "" if there == wanted else f"another base model ({there:,} parameters, not {wanted:,})"
    )
    if not reason:
        return verdict
    why = f"{reason}; by the rule it would be: {verdict.reproduced} ({verdict.why})"
    return Verdict(verdict.claim, verdict.language, verdict.published, verdict.ours, UNKNOWN, why)


def _published(claim: Claim) -> str:
    value = f"{claim.value:.2f}" if claim.value is not None else ""
    return {
        "share": f"rank {claim.rank}: {value} % of the parameters",
        "mos": f"MOS of {claim.condition}: {value}",
        "difference": f"{claim.condition} over zero-shot: {claim.value or 0:+.2f}",
        "p_by_listener": f"{claim.condition}: signed-rank test p < {claim.value or 0:g}",
        "lowest_loss": f"lowest held-out loss: {claim.condition}",
        "highest_mos": f"highest MOS: {claim.condition}",
        "no_gain": "no rank gains over zero-shot",
        "harm": f"{claim.condition} is worse than zero-shot",
    }[claim.kind]


Answer = tuple[str, str, str]  # ours, reproduced, why


def _share(material: Material, claim: Claim, _: str) -> Answer:
    language = material.study.study.languages[0]
    row = next(each for each in material.swept.rows(material.study, language) if each["rank"] == claim.rank)
    same = abs(row["percent"] - (claim.value or 0)) <= 0.005
    return f"{row['percent']:.2f} %", YES if same else NO, "counted, not estimated: equal to two decimals, or not"


def _mos(material: Material, claim: Claim, language: str) -> Answer:
    row = material.rated.described(language, str(claim.condition))
    ours = f"{row['mean']:.2f} {listening.interval(row['ci'])}" if row else "-"
    return (
        ours,
        UNKNOWN,
        "MOS of two tests are not compared: listeners, sentences and the range of quality set the scale",
    )


def _crossed(material: Material, claim: Claim, language: str) -> tuple[Any, list[float] | None, str]:
    """The comparison with the baseline, its interval, and both as text."""
    row = material.rated.comparison(language, str(claim.condition))
    if row is None or not row["crossed"]:
        return row, None, "-"
    ci = row["crossed"]["ci"]
    return row, ci, f"{row['difference']:+.2f} {listening.interval(ci, sign=True)}"


def _difference(material: Material, claim: Claim, language: str) -> Answer:
    _, ci, ours = _crossed(material, claim, language)
    if ci is None:
        return ours, UNKNOWN, "no interval could be made"
    value = claim.value or 0.0
    if not ci[0] <= value <= ci[1]:
        return ours, NO, f"the interval leaves out {value:+.2f}"
    if ci[0] <= 0 <= ci[1]:
        return ours, UNKNOWN, f"the interval holds {value:+.2f}, and no difference, too"
    return ours, YES, f"the interval holds {value:+.2f} and leaves out 0"


def _p_by_listener(material: Material, claim: Claim, language: str) -> Answer:
    row, _, _ = _crossed(material, claim, language)
    if row is None:
        return "-", UNKNOWN, "nothing was compared"
    p, limit = row["by_listener"]["p_exact"], claim.value or 0.0
    ours = f"p {listening.p_text(p)}, n = {row['listeners']}"
    if p is not None and p < limit:
        return ours, YES if row["difference"] > 0 else NO, f"difference {row['difference']:+.2f}"
    if p is None or row["listeners"] < ENOUGH:
        return ours, UNKNOWN, f"{row['listeners']} listeners cannot give p < .001"
    return ours, UNKNOWN if row["difference"] > 0 else NO, "a p above the limit shows nothing by itself"


def _lowest_loss(material: Material, claim: Claim, language: str) -> Answer:
    lost, best = material.swept.lost[language], _rank(str(claim.condition))
    wanted: list[Rank] = [row["rank"] for row in material.swept.rows(material.study, language)]
    rows = {row["rank"]: row["loss"] for row in material.swept.rows(material.study, language)}
    lowest = min(rows, key=lambda rank: rows[rank])
    ours = f"lowest: {_condition(lowest)} ({rows[lowest]:.4f}); {claim.condition}: {rows[best]:.4f}"
    open_ = []
    for rank in wanted:
        change = losses.change(lost[rank], lost[best]) if rank != best else None
        if change and change.high is not None and change.high < 0:
            told = f"{change.mean:+.4f} [{change.low:+.4f}, {change.high:+.4f}]"
            return ours, NO, f"{_condition(rank)} is lower: {told}, paired over clips"
        if rank != best and not (change and change.low is not None and change.low > 0):
            open_.append(_condition(rank))
    if open_:
        return ours, UNKNOWN, f"not told apart from {', '.join(open_)} by the paired intervals"
    return ours, YES, "every other one is higher, by paired intervals over clips"


def _highest_mos(material: Material, claim: Claim, language: str) -> Answer:
    best = str(claim.condition)
    means = {
        name: row["mean"] for name in material.study.conditions if (row := material.rated.described(language, name))
    }
    highest = max(means, key=lambda name: means[name])
    ours = f"highest: {highest} ({means[highest]:.2f}); {best}: {means[best]:.2f}"
    open_ = []
    for row in material.rated.against(language, best):
        ci = row["crossed"]["ci"] if row["crossed"] else None
        if ci and ci[0] > 0:
            return (
                ours,
                NO,
                f"{row['condition']} is higher: {row['difference']:+.2f} {listening.interval(ci, sign=True)}",
            )
        if not ci or ci[1] >= 0:
            open_.append(row["condition"])
    if open_:
        return ours, UNKNOWN, f"not told apart from {', '.join(open_)} by the intervals of the differences"
    return ours, YES, "every other one is lower, by the intervals of the differences"


def _no_gain(material: Material, _: Claim, language: str) -> Answer:
    rows = [row for row in material.rated.facts["comparisons"] if row["language"] == language]
    margin = material.rated.settings.margin
    top = max(rows, key=lambda row: row["difference"])
    ours = f"largest: {top['condition']} {top['difference']:+.2f}"
    gains = [row for row in rows if row["difference"] > 0 and row["p_holm"] is not None
             and row["p_holm"] < material.rated.settings.alpha]  # fmt: skip
    if gains:
        return ours, NO, f"{gains[0]['condition']} gains, p Holm {listening.p_text(gains[0]['p_holm'])}"
    wide = [row["condition"] for row in rows if not _upper(row) < margin]
    if wide:
        return ours, UNKNOWN, f"a gain of {margin:g} is not ruled out for {', '.join(wide)}"
    level = f"{100 * (1 - 2 * material.rated.settings.alpha):g} %"
    return ours, YES, f"every {level} interval ends below +{margin:g}"


def _upper(row: Any) -> float:
    """The upper end of the interval, as non-inferiority takes it; infinite where there is none."""
    limits = row["non_inferiority"]
    return float(limits["ci"][1]) if limits else float("inf")


def _harm(material: Material, claim: Claim, language: str) -> Answer:
    row, ci, ours = _crossed(material, claim, language)
    if ci is None:
        return ours, UNKNOWN, "no interval could be made"
    if ci[1] < 0:
        return ours, YES, "the interval lies below 0"
    if row["non_inferior"]:
        return ours, NO, f"no worse by {material.rated.settings.margin:g}: shown by the non-inferiority test"
    return ours, UNKNOWN, "neither a loss nor its absence is shown"


def _rank(condition: str) -> Rank:
    return int(condition[1:]) if condition.startswith("r") else OFF


def _condition(rank: Rank) -> str:
    return "zero-shot" if rank == OFF else f"r{rank}"


JUDGES: dict[str, Callable[[Material, Claim, str], Answer]] = {
    "share": _share, "mos": _mos, "difference": _difference, "p_by_listener": _p_by_listener,
    "lowest_loss": _lowest_loss, "highest_mos": _highest_mos, "no_gain": _no_gain, "harm": _harm,
}  # fmt: skip
