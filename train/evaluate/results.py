"""From the answers of all conditions to results.jsonl, losses.jsonl, evaluation.json and the page."""

import json
from collections.abc import Generator, Iterator, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from curate import files
from train.data.latents import Progress
from train.evaluate import cer, faults, folder, held_out, imported, measuring, page, summary
from train.evaluate.faults import Spoken
from train.evaluate.folder import NATURAL, OURS, read_lines
from train.evaluate.plan import ABOUT, LOSSES, SPOKEN, Plan, is_whole, spoken_key
from train.validation import ClipLoss

IMPORTED = "imported"
ENOUGH_PACE = 3  # recordings of a language that the usual pace is taken from
Event = str | Progress
Record = dict[str, Any]


def write(plan: Plan) -> Iterator[Event]:
    """Make all tables anew, of every condition that is whole; those that are not are named."""
    into, names, about = plan.settings.into, *_conditions(plan)
    notes = list(plan.held.notes)
    spoken = {name: _spoken(plan, name) for name in names}
    _import(plan, spoken)
    records = yield from _records(plan, spoken, notes)
    lost = {name: [ClipLoss(**line) for line in _unique(folder.answers(into, name, LOSSES), "id")] for name in names}
    languages = _languages(plan)
    facts = {
        **_facts(plan, names, about, notes),
        "results": summary.conditions(records, lost, names, languages),
    }
    files.write_text(into / "results.jsonl", "".join(map(folder.line, records)))
    files.write_text(into / "losses.jsonl", "".join(
        folder.line({"condition": name, **each.__dict__}) for name in names for each in lost[name]
    ))  # fmt: skip
    files.write_text(into / "evaluation.json", json.dumps(facts, indent=1, ensure_ascii=False, allow_nan=False) + "\n")
    files.write_text(into / "index.html", page.render(facts, records, plan.sentences))
    yield f"evaluated {', '.join(names)}: {into / 'index.html'}"


def _conditions(plan: Plan) -> tuple[list[str], dict[str, dict[str, Any]]]:
    """The whole conditions of a folder in the order of tables, and what was noted of each."""
    about = {
        path.parent.name: json.loads(path.read_text(encoding="utf-8"))
        for path in (plan.settings.into / "answers").glob(f"*/{ABOUT}")
        if is_whole(plan, path.parent.name)
    }
    return sorted(about, key=lambda name: (name not in OURS, OURS.index(name) if name in OURS else 0,
                                           about[name].get("rank") or 0, name)), about  # fmt: skip


def _languages(plan: Plan) -> list[str]:
    return sorted({each.language for each in plan.sentences} | {each.language for each in plan.held.clips})


def _facts(
    plan: Plan, names: Sequence[str], about: Mapping[str, Mapping[str, Any]], notes: list[str]
) -> dict[str, Any]:
    settings, speaking = plan.settings, plan.settings.speaking
    counted = {
        language: {
            "sentences": sum(each.language == language for each in plan.sentences),
            "held_out_clips": sum(each.language == language for each in plan.held.clips),
        }
        for language in _languages(plan)
    }
    return {
        **({"banner": settings.banner} if settings.banner else {}),
        "corpus": settings.corpus.name,
        "model": settings.model if settings.model and not Path(settings.model).is_dir() else plan.model.name,
        "split": plan.held.split,
        "languages": counted,
        "speech": {**speaking.__dict__, "retries": "off", "seeds": "shared by all conditions, by sentence and take"},
        "losses": {"draws": settings.draws, "guidance_dropout": "off", "draws_shared": True},
        "intervals": "95 %, Student's t over paired differences by sentence (takes averaged first) or by held-out clip",
        "recognisers": {language: each.fingerprint for language, each in plan.recognisers.items()},
        "imported": sorted(path.name for path in (settings.into / IMPORTED).glob("*.jsonl")),
        "notes": notes,
        "conditions": {name: {key: value for key, value in about[name].items() if key != "identity"} for name in names},
    }


# ---- records


def _spoken(plan: Plan, name: str) -> list[Record]:
    """What a condition has spoken, each once, with what was measured of its sound."""
    into = plan.settings.into
    meter = plan.meter.fingerprint
    measured = {spoken_key(line): line for line in read_lines(folder.answers(into, name, f"sound-{meter}"))}
    lines = {spoken_key(line): line for line in read_lines(folder.answers(into, name, SPOKEN))}
    known = plan.by_id
    return [
        {**line, **measured[key], "language": known[key[0]].language, "text": known[key[0]].text}
        for key, line in sorted(lines.items(), key=lambda each: (known[each[0][0]].language, each[0]))
        if key in measured
    ]


def _records(plan: Plan, spoken: Mapping[str, list[Record]], notes: list[str]) -> Generator[Event, None, list[Record]]:
    """The lines of results.jsonl; the value of this generator."""
    heard, scores = _heard(plan, spoken), _scores(plan)
    voices = measuring.voices(held_out.speakers(plan.held), plan.meter, plan.settings.into)
    for name, own in spoken.items():
        for record in own:
            record |= _understood(record, heard.get((name, *spoken_key(record))))
            record |= _voice(record, voices, name)
            record["imported"] = scores.get((name, *spoken_key(record)), {})
    notes.extend(_unheard([record for own in spoken.values() for record in own]))
    trusted = _trusted(spoken.get(NATURAL, []), notes)
    paces = _paces(spoken.get(NATURAL, []))
    for name, own in spoken.items():
        found = yield from _faults(plan, name, own, trusted, paces)
        for record in own:
            record["faults"] = found[spoken_key(record)]
    return [_line(name, record) for name, own in spoken.items() for record in own]


def _line(name: str, record: Record) -> Record:
    take = record["take"]
    audio = folder.wav(Path(), name, record["sentence"], take).as_posix()
    first = ("sentence", "language", "take", "seed", "text", "given", "cut_off")
    kept = {key: value for key, value in record.items() if key not in (*first, "voice", "faults")}
    return {
        "condition": name, **{key: record[key] for key in first}, "audio": audio, **kept, "faults": record["faults"]
    }  # fmt: skip


def _understood(record: Record, heard: str | None) -> Record:
    if heard is None:
        return {"heard": None, "cer": None, "cer_clusters": None, "edits": None}
    found = cer.errors(record["text"], heard, record["language"])
    counts = [found.edits, found.length, found.cluster_edits, found.clusters]
    return {"heard": heard, "cer": round(found.rate, 6), "cer_clusters": round(found.cluster_rate, 6), "edits": counts}


def _voice(record: Record, voices: Any, name: str) -> Record:
    """The nearest speaker; a recording is compared without itself."""
    if record["voice"] is None:
        return {"similarity": None, "speaker": None}
    without = record["sentence"] if name == NATURAL else ""
    nearest = voices.nearest(record["language"], np.asarray(record["voice"]), without=without)
    return (
        {"similarity": round(nearest[1], 4), "speaker": nearest[0]}
        if nearest
        else {"similarity": None, "speaker": None}
    )


def _unheard(records: Sequence[Record]) -> Iterator[str]:
    """A note where only a part was transcribed: conditions are then compared over different sentences."""
    for language in sorted({each["language"] for each in records}):
        heard = [each["heard"] is not None for each in records if each["language"] == language]
        if any(heard) and not all(heard):
            yield (
                f"{language}: {heard.count(False)} of {len(heard)} that were spoken have no transcript: character "
                "errors are over the others"
            )


def _trusted(natural: Sequence[Record], notes: list[str]) -> set[str]:
    """The languages in which what was heard is worth reading word by word: people are understood there."""
    trusted = set()
    for language in sorted({each["language"] for each in natural}):
        own = [cer.Errors(*each["edits"]) for each in natural if each["language"] == language and each["edits"]]
        if own and (weak := summary.weak({"cer": {"pooled": cer.pooled(own).rate}})):
            notes.append(f"{language}: {weak}")
        elif own:
            trusted.add(language)
    return trusted


def _paces(natural: Sequence[Record]) -> dict[str, float]:
    """Phones a second of people, where there are enough recordings; elsewhere `faults.PACE` stands in."""
    found = {}
    for language in {each["language"] for each in natural}:
        rates = [
            r["phones"] / r["speech_seconds"] for r in natural if r["language"] == language and r["speech_seconds"]
        ]
        if len(rates) >= ENOUGH_PACE:
            found[language] = median(rates)
    return found


def _faults(
    plan: Plan, name: str, own: Sequence[Record], trusted: set[str], paces: Mapping[str, float]
) -> Generator[Event, None, dict[tuple[str, int], dict[str, str]]]:
    """(sentence, take) -> fault -> what shows it; kept, for it reads every WAV; the value of this generator."""
    written = {spoken_key(each): each["heard"] if each["language"] in trusted else None for each in own}
    asked = folder.digest(
        [plan.meter.fingerprint, sorted(paces.items()), [[*key, text] for key, text in written.items()]]
    )
    path = folder.answers(plan.settings.into, name, f"faults-{asked}")
    known = {spoken_key(line): line["faults"] for line in read_lines(path)}
    if known.keys() >= written.keys():
        return known
    spoken: dict[tuple[str, int], Spoken] = {}
    for done, each in enumerate(own, start=1):
        wav = folder.wav(plan.settings.into, name, each["sentence"], each["take"])
        sentence = plan.by_id[each["sentence"]]
        spoken[spoken_key(each)] = plan.meter.spoken(wav, sentence, each, written[spoken_key(each)])
        yield Progress(done, len(own), f"looking for faults of {name}")
    found = {key: faults.find(each, paces.get(each.language)) for key, each in spoken.items()}
    for take in {key[1] for key in spoken}:
        for id, why in faults.ignored([each for key, each in spoken.items() if key[1] == take]).items():
            both = found[id, take] | {"ignored_text": why}
            found[id, take] = {fault: both[fault] for fault in faults.NAMES if fault in both}
    for stale in path.parent.glob("faults-*.jsonl"):
        stale.unlink()
    files.write_text(path, "".join(
        folder.line({"sentence": key[0], "take": key[1], "faults": value}) for key, value in found.items()
    ))  # fmt: skip
    return found


# ---- what others have found


def _import(plan: Plan, spoken: Mapping[str, Sequence[Record]]) -> None:
    """Check what is given now against what was spoken, and keep it for later commands."""
    settings, place = plan.settings, plan.settings.into / IMPORTED
    known = {(name, *spoken_key(each)) for name, own in spoken.items() for each in own}
    if settings.transcripts:
        heard = imported.transcripts(settings.transcripts, known)
        _keep(place / "transcripts.jsonl", {key: {"heard": text} for key, text in heard.items()})
    for path in settings.scores:
        _keep(
            place / f"scores-{path.stem}.jsonl",
            {key: {"scores": each} for key, each in imported.scores(path, known).items()},
        )


def _keep(path: Path, rows: Mapping[imported.Key, Mapping[str, Any]]) -> None:
    lines = ({"condition": key[0], "sentence": key[1], "take": key[2], **row} for key, row in sorted(rows.items()))
    files.write_text(path, "".join(map(folder.line, lines)))


def _heard(plan: Plan, spoken: Mapping[str, Sequence[Record]]) -> dict[imported.Key, str]:
    """What was heard of each: by a recogniser named here, or else by another one, as imported."""
    into = plan.settings.into
    found = {_imported_key(line): line["heard"] for line in read_lines(into / IMPORTED / "transcripts.jsonl")}
    for name in spoken:
        for language, each in plan.recognisers.items():
            path = measuring.heard_path(into, name, language, each)
            found |= {(name, *spoken_key(line)): line["heard"] for line in read_lines(path)}
    return found


def _scores(plan: Plan) -> dict[imported.Key, dict[str, float]]:
    found: dict[imported.Key, dict[str, float]] = {}
    for path in sorted((plan.settings.into / IMPORTED).glob("scores-*.jsonl")):
        for line in read_lines(path):
            found.setdefault(_imported_key(line), {}).update(line["scores"])
    return found


def _imported_key(line: Mapping[str, Any]) -> imported.Key:
    return str(line["condition"]), str(line["sentence"]), int(line["take"])


def _unique(path: Path, key: str) -> list[dict[str, Any]]:
    """The lines of a file, the last of each key, sorted."""
    return [line for _, line in sorted({line[key]: line for line in read_lines(path)}.items())]
