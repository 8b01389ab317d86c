"""The numbers of an evaluation, by condition and language, from its records; every comparison is paired by sentence."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from train.evaluate import cer, faults, intervals, losses
from train.evaluate.folder import NATURAL, ZERO_SHOT
from train.evaluate.quality import OUT_OF_DOMAIN
from train.validation import ClipLoss

Record = Mapping[str, Any]
# name -> title, unit, whether more is better (None: neither)
METRICS: dict[str, tuple[str, str, bool | None]] = {
    "cer": ("character errors", "", False),
    "cer_clusters": ("errors of clusters", "", False),
    "similarity": ("voice, cosine with the nearest speaker", "", True),
    "bad": ("sentences with a fault", "", False),
    "dnsmos": ("DNSMOS", "1-5", True),
    "distillmos": ("DistillMOS", "1-5", True),
    "phones_per_second": ("speaking rate", "phones/s", None),
    "pauses": ("share of pauses", "", None),
    "pitch": ("pitch", "Hz", None),
    "pitch_range": ("range of pitch", "semitones", None),
    "seconds": ("length", "s", None),
}
PREDICTED = ("dnsmos", "distillmos")


def conditions(
    records: Sequence[Record], lost: Mapping[str, Sequence[ClipLoss]], names: Sequence[str], languages: Sequence[str]
) -> dict[str, dict[str, Any]]:
    """condition -> language -> loss and each metric, with its change from zero-shot and what people have."""
    return {name: {language: _language(records, lost, name, language) for language in languages} for name in names}


def _language(
    records: Sequence[Record], lost: Mapping[str, Sequence[ClipLoss]], name: str, language: str
) -> dict[str, Any]:
    found: dict[str, Any] = {}
    held = {each: [clip for clip in lost.get(each, ()) if clip.language == language] for each in (name, ZERO_SHOT)}
    if held[name]:
        found["loss"] = losses.summary(held[name], held[ZERO_SHOT] if name != ZERO_SHOT else ())
    own = _of(records, name, language)
    if not own:
        return found
    others = {each: _of(records, each, language) for each in (ZERO_SHOT, NATURAL) if each != name}
    found |= {"sentences": len({each["sentence"] for each in own}), "spoken": len(own)}
    for metric in [*METRICS, *_imported(own)]:
        values = by_sentence(own, metric)
        if (summed := intervals.mean([*values.values()])) is None:
            continue
        found[metric] = summed.json() | _compared(values, others, metric)
        if metric in PREDICTED and language in OUT_OF_DOMAIN:
            found[metric]["out_of_domain"] = True
    if "cer" in found:
        found["cer"] |= _pooled(own)
    counts = Counter(fault for each in own for fault in each["faults"])
    found["faults"] = {fault: counts[fault] for fault in faults.NAMES if counts[fault]}
    return found


def _of(records: Iterable[Record], name: str, language: str) -> list[Record]:
    return [each for each in records if each["condition"] == name and each["language"] == language]


def _imported(records: Sequence[Record]) -> list[str]:
    return sorted({f"imported.{name}" for each in records for name in each.get("imported", {})})


def by_sentence(records: Sequence[Record], metric: str) -> dict[str, float]:
    """The mean over a sentence's takes; sentences without a value are left out."""
    get = _getter(metric)
    values: dict[str, list[float]] = {}
    for each in records:
        if (value := get(each)) is not None:
            values.setdefault(each["sentence"], []).append(float(value))
    return {sentence: sum(own) / len(own) for sentence, own in values.items()}


def _getter(metric: str) -> Callable[[Record], float | None]:
    if metric == "bad":
        return lambda record: float(bool(record["faults"]))
    if metric.startswith("imported."):
        return lambda record: record.get("imported", {}).get(metric.removeprefix("imported."))
    return lambda record: record.get(metric)


def _compared(values: Mapping[str, float], others: Mapping[str, Sequence[Record]], metric: str) -> dict[str, Any]:
    """Changes from zero-shot, and from the recordings, over the sentences that both have."""
    compared: dict[str, Any] = {}
    for name, key in ((ZERO_SHOT, "change"), (NATURAL, "over_natural")):
        if other := by_sentence(others.get(name, ()), metric):
            difference = intervals.paired(values, other)
            compared[key] = difference.json() if difference else None
    return compared


def _pooled(own: Sequence[Record]) -> dict[str, Any]:
    """Over all characters, as error rates of a test set are given."""
    counted = [cer.Errors(*each["edits"]) for each in own if each.get("edits")]
    both = cer.pooled(counted)
    return {"pooled": round(both.rate, 6), "pooled_clusters": round(both.cluster_rate, 6)}


def weak(natural: Mapping[str, Any]) -> str | None:
    """Why CER of a language says little, where the recogniser does not understand people; None where it does."""
    floor = natural.get("cer", {}).get("pooled")
    if floor is None or floor <= cer.WEAK:
        return None
    return (
        f"the recogniser makes {100 * floor:.0f} % character errors on people, so those on a model say little, and no "
        "fault is read from its words: name a better one"
    )
