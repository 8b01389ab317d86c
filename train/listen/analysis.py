"""The whole analysis of a listening test: one dictionary, as it is written to analysis.json."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from curate.errors import UserError
from train.listen import exclusions
from train.listen.agreement import agreement
from train.listen.comparisons import compare, mean, table, variances
from train.listen.exclusions import Excluded
from train.listen.multiplicity import holm
from train.listen.ratings import Rating, Ratings
from train.listen.settings import Settings
from train.messages import counted

COMPARED = ("test",)
EXPLORATORY = "the best condition, picked on the ratings that rank it, is exploratory: confirm it on new sentences"
ACROSS = "MOS of different tests are not compared: listeners, sentences and the range of quality set the scale"


def analyse(ratings: Ratings, settings: Settings) -> dict[str, Any]:
    """Everything that the protocol reports. Raises UserError where there is nothing to compare."""
    _check(ratings.rows, settings)
    applied = exclusions.find(ratings.rows, settings.rules)
    kept = exclusions.without(ratings.rows, applied)
    if not any(row.kind in COMPARED for row in kept):
        rules = sorted({each.rule for each in applied})
        raise UserError(f"the exclusion rules leave no listener ({', '.join(rules)}): see --exclude none")
    flagged = _flagged(ratings.rows, settings, applied)
    notes = [*ratings.notes, *_notes(kept, settings, applied, flagged)]
    comparisons = compared(kept, settings)
    notes[:0] = [_unknown(each) for each in comparisons if each["crossed"] is None]
    if not comparisons:
        raise UserError(f"no listener rated both {settings.baseline} and another condition: nothing can be compared")
    tested = [row for row in kept if row.kind in (*COMPARED, "anchor")]
    return {
        "method": _method(settings),
        "comparisons": comparisons,
        "excluded": [each.facts() for each in applied],
        "flagged": [each.facts() for each in flagged],
        "without_exclusions": compared(ratings.rows, settings) if applied else None,
        "with_usual_rules": compared(exclusions.without(kept, flagged), settings) if flagged else None,
        "conditions": described(tested, settings),
        "best": _best(tested, settings),
        "agreement": {language: agreement(rows, settings.seed) for language, rows in by_language(kept).items()},
        "variances": variances_by_language(kept, settings, comparisons),
        "listeners": _listeners(ratings.rows, applied),
        "notes": notes,
    }


def _check(rows: Sequence[Rating], settings: Settings) -> None:
    """Raise UserError for a baseline or a contrast that nobody rated, and for ratings of another plan."""
    known = conditions(rows, settings)
    if settings.scale.method == "mos" and settings.baseline not in known:
        raise UserError(f"nobody rated the baseline {settings.baseline}: the conditions are {', '.join(known)}")
    if settings.plan:
        other = next((row for row in rows if row.plan and row.plan != settings.plan), None)
        if other:
            told = f"line {other.line}: a rating of the plan {other.plan[:12]}"
            raise UserError(f"{told}, and this plan is {settings.plan[:12]}: take the plan that was rated")
        if settings.conditions and (odd := next((name for name in known if name not in settings.conditions), None)):
            raise UserError(f"condition {odd} was rated and is not in the plan: {', '.join(settings.conditions)}")
    if not contrasts(rows, settings):
        raise UserError(f"there is no condition besides {settings.baseline}: nothing can be compared")


def conditions(rows: Sequence[Rating], settings: Settings) -> list[str]:
    """Conditions that were rated: in the plan's order, else the baseline and then as they come."""
    seen = list(dict.fromkeys(row.condition for row in rows if row.kind in COMPARED))
    order = settings.conditions or (settings.baseline,)
    return [*(name for name in order if name in seen), *(name for name in seen if name not in order)]


def contrasts(rows: Sequence[Rating], settings: Settings) -> list[str]:
    """Conditions that are compared with the baseline."""
    wanted = settings.contrasts or tuple(conditions(rows, settings))
    return [name for name in wanted if name != settings.baseline and name in conditions(rows, settings)]


def by_language(rows: Sequence[Rating]) -> dict[str, list[Rating]]:
    """The ratings of each language, in the order of the file."""
    found: dict[str, list[Rating]] = defaultdict(list)
    for row in rows:
        found[row.language].append(row)
    return found


def compared(rows: Sequence[Rating], settings: Settings) -> list[dict[str, Any]]:
    """All comparisons, with Holm's p within the family and over all languages."""
    made = []
    for each in by_language([row for row in rows if row.kind in COMPARED]).values():
        facts = (compare(each, condition, settings) for condition in contrasts(rows, settings))
        made += [fact for fact in facts if fact]
    for family in ("language", "all"):
        groups: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for fact in made:
            groups[fact["language"] if family == "language" else ""].append(fact)
        for group in groups.values():
            _adjust(group, f"p_holm_{family}")
    for fact in made:
        fact["p_holm"] = fact[f"p_holm_{settings.family}"]
    return made


def _adjust(group: Sequence[dict[str, Any]], name: str) -> None:
    """Holm's p of the headline test, and of the signed-rank tests by listener and by sentence, each its own family."""
    headline = holm([fact["crossed"]["p"] if fact["crossed"] else None for fact in group])
    for fact, p in zip(group, headline, strict=True):
        fact[name] = p
    for key in ("by_listener", "by_sentence"):
        for fact, p in zip(group, holm([fact[key]["p_exact"] for fact in group]), strict=True):
            fact[key][name] = p


def described(rows: Sequence[Rating], settings: Settings) -> list[dict[str, Any]]:
    """Each condition of each language: how many ratings, their mean with its interval, and the histogram."""
    made = []
    for language, each in by_language(rows).items():
        order = conditions(each, settings)
        names = [*order, *dict.fromkeys(row.condition for row in each if row.condition not in order)]
        made += [_described(language, [row for row in each if row.condition == name], settings) for name in names]
    return made


def _described(language: str, rows: Sequence[Rating], settings: Settings) -> dict[str, Any]:
    data = table(rows, {rows[0].condition: 0})
    estimate = mean(data)
    counts = Counter(row.value for row in rows)
    return {
        "language": language,
        "condition": rows[0].condition,
        "kind": rows[0].kind,
        "listeners": data.shape[0],
        "sentences": data.shape[1],
        "ratings": len(rows),
        "mean": float(np.mean(data.y)),
        "ci": list(estimate.interval(1 - settings.alpha)) if estimate else None,
        "sd": float(np.std(data.y, ddof=1)) if len(rows) > 1 else None,
        "histogram": {f"{float(value):g}": counts[value] for value in sorted(counts)},
    }


def _best(rows: Sequence[Rating], settings: Settings) -> dict[str, str]:
    values: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    tested = [row for row in rows if row.kind in COMPARED]
    for language, each in by_language(tested).items():
        for name in conditions(each, settings):  # of equal means the first of the plan
            values[language][name] = []
    for row in tested:
        values[row.language][row.condition].append(float(row.value))
    return {language: max(each, key=lambda name: float(np.mean(each[name]))) for language, each in values.items()}


def variances_by_language(
    rows: Sequence[Rating], settings: Settings, made: Sequence[Mapping[str, Any]] = ()
) -> dict[str, dict[str, float]]:
    """Variance components of single ratings per language: the mean over its comparisons.

    `made` are comparisons of the same ratings, if there are any: a model that they have fitted is not fitted again.
    """
    fitted = {(each["language"], each["condition"]): each["crossed"] for each in made}
    found: dict[str, dict[str, float]] = {}
    for language, each in by_language([row for row in rows if row.kind in COMPARED]).items():
        parts = [
            own
            for name in contrasts(rows, settings)
            if (own := variances(each, name, settings, fitted.get((language, name))))
        ]
        if parts:
            found[language] = {name: float(np.mean([own[name] for own in parts])) for name in parts[0]}
    return found


def _flagged(rows: Sequence[Rating], settings: Settings, applied: Sequence[Excluded]) -> list[Excluded]:
    """Whom the usual rules would name too, where no plan has fixed any."""
    if settings.plan or settings.rules != exclusions.CONTROLS:
        return []
    out = {each.who for each in applied}
    return [each for each in exclusions.find(rows, exclusions.USUAL) if each.who not in out]


def _listeners(rows: Sequence[Rating], applied: Sequence[Excluded]) -> dict[str, dict[str, Any]]:
    """How many of each language, and what they said of themselves."""
    out = {each.who for each in applied}
    made = {}
    for language, each in by_language(rows).items():
        people = {row.who: row.fields for row in each}
        told = {
            name: dict(Counter(value for fields in people.values() if (value := fields.get(name, ""))))
            for name in ("native", "region", "device", "headphones")
        }
        made[language] = {
            "rated": len(people),
            "excluded": len(out & people.keys()),
            **{name: counts for name, counts in told.items() if counts},
        }
    return made


def _notes(
    rows: Sequence[Rating], settings: Settings, applied: Sequence[Excluded], flagged: Sequence[Excluded]
) -> list[str]:
    notes = []
    tested = [row for row in rows if row.kind in COMPARED]
    for language, each in by_language(tested).items():
        missing = [
            name
            for name in (settings.conditions or conditions(tested, settings))
            if name not in {r.condition for r in each}
        ]
        if missing and settings.scale.method == "mos":
            notes.append(f"{language}: nobody rated {', '.join(missing)}")
        heard: dict[str, set[str]] = defaultdict(set)
        for row in each:
            heard[row.listener].add(row.condition)
        sizes = Counter(row.listener for row in each)
        fewer = [name for name, size in sizes.items() if size < max(sizes.values())]
        if fewer:
            told = f"{language}: {len(fewer)} of {counted(len(sizes), 'listener')} rated fewer items than the others"
            notes.append(
                f"{told}, {min(sizes.values())} to {max(sizes.values())}: is the file whole? see rule `finished`"
            )
        single = [name for name, seen in heard.items() if len(seen) == 1]
        if single and settings.scale.method == "mos":
            notes.append(f"{language}: rated one condition only, and enter no comparison: {', '.join(single[:5])}")
    if applied:
        people = counted(len({each.who for each in applied}), "listener")
        notes.append(f"{people} excluded by rule; without_exclusions has everyone")
    if flagged:
        names = ", ".join(dict.fromkeys(f"{each.listener} ({each.rule})" for each in flagged))
        notes.append(f"no plan fixed a rule, so these are kept; --exclude usual leaves them out: {names}")
    return [*notes, EXPLORATORY, ACROSS]


def _unknown(fact: Mapping[str, Any]) -> str:
    """Why a comparison has no headline interval: too little was rated to speak of others, or too much for the model."""
    place = f"{fact['language']}, {fact['condition']}: no interval and no p over listeners and sentences"
    if fact["bootstrap"]:
        size = f"{fact['listeners']:,} listeners by {fact['sentences']:,} sentences"
        return f"{place}: {size}, not all pairs of them, are more than the model is fitted to; see bootstrap"
    least = "two listeners and two sentences with ratings in both conditions are the least, and ratings that differ"
    return f"{place}: {least}"


def _method(settings: Settings) -> dict[str, Any]:
    rules: Mapping[str, Any] = asdict(settings.rules)
    return {
        "scale": settings.scale.method,
        "baseline": settings.baseline,
        "alpha": settings.alpha,
        "margin": settings.margin,
        "holm_family": settings.family,
        "plan": settings.plan,
        "seed": settings.seed,
        "exclusion_rules": {name: value for name, value in rules.items() if value is not None and value is not False},
        "signed_rank": "zeros: pratt; p_exact: the conditional distribution; differences of exact means",
        "crossed": "listeners and sentences random; closed form (as lmerTest) where complete, else REML; Satterthwaite",
        "hodges_lehmann": "over listeners, zeros kept; the interval inverts the exact test",
        "p_holm": "of crossed.p",
    }
