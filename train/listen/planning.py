"""Makes a plan: which sentences are rated, which are for training, and what stands around them."""

import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from pydantic import ValidationError

from curate.errors import UserError
from train.listen import design, sources, texts
from train.listen.plan import (
    NAME,
    SCALES,
    Analysis,
    Anchors,
    Exclusions,
    File,
    Gold,
    Group,
    Made,
    Method,
    Plan,
    Practice,
    Scale,
    Sentence,
    Trap,
    explain,
)

NATURAL, LOW, DAMAGED = "natural", "low-anchor", "damaged"
LOW_HZ = 3500.0  # the low anchor of ITU-R BS.1534
DAMAGED_HZ, DAMAGED_SNR = 1500.0, 0.0  # muffled speech as loud as its noise: nobody's 4
# What gold items expect: of a good sound, of a bad one, of a pair whose second is the good one.
HIGH: dict[Method, tuple[int, int]] = {"mos": (4, 5), "cmos": (1, 3), "ab": (1, 1)}
BAD = (1, 2)


@dataclass(frozen=True)
class Choices:
    """What a person decides about a test; None: found in the folder."""

    baseline: str
    method: Method = "mos"
    layout: Literal["latin", "full"] = "latin"
    name: str = ""
    conditions: tuple[str, ...] | None = None
    contrasts: tuple[str, ...] | None = None
    listeners: Mapping[str, int] = field(default_factory=dict)  # by language; "" is for the others
    languages: tuple[str, ...] | None = None
    count: int | None = None
    seed: int = 0
    training: int = 5
    natural: str | None = None  # a condition's name, "none", or found
    low_anchor: bool = True
    anchors: int = 2
    gold: int = 2
    traps: int = 1
    repeats: int = 2
    show_text: bool = False
    loudness: float = -23.0
    alpha: float = 0.05
    margin: float = 0.10
    family: Literal["language", "all"] = "language"
    exclusions: Exclusions = field(default_factory=Exclusions)
    salt: str | None = None


@dataclass
class _Draft:
    """What is known while a plan is made; `used` names every CONDITION/SENTENCE that will be heard."""

    source: sources.Source
    choices: Choices
    conditions: tuple[str, ...]
    contrasts: tuple[str, ...]
    natural: str | None
    folder: Path
    used: set[str] = field(default_factory=set)
    extra: dict[str, File] = field(default_factory=dict)

    @property
    def low(self) -> str | None:
        return LOW if self.choices.low_anchor and self.choices.anchors else None

    @property
    def clean(self) -> str:
        """What anchors and gold items are made from."""
        return self.natural or self.choices.baseline


def make(
    folder: Path,
    into: Path,
    choices: Choices,
    *,
    table: Path | None = None,
    trap_audio: Path | None = None,
    gold_file: Path | None = None,
    words: Mapping[str, Any] | None = None,
) -> Plan:
    """The plan of a test on the stimuli of a folder; paths in it are relative to `into`. Raises UserError."""
    draft = _draft(sources.read(folder, table), choices, into)
    golds = sources.gold(gold_file) if gold_file else []
    try:
        groups = {language: _group(draft, language, golds, trap_audio) for language in _languages(draft)}
        made = dict(_made(draft))
        return Plan(
            name=choices.name,
            method=choices.method,
            design=choices.layout,
            seed=choices.seed,
            salt=choices.salt or secrets.token_hex(32),
            conditions=draft.conditions,
            anchors=Anchors(natural=draft.natural, low=draft.low, each=choices.anchors),
            made=made,
            groups=groups,
            repeats=choices.repeats,
            traps_each=choices.traps,
            stimuli=_stimuli(draft, made),
            show_text=choices.show_text,
            loudness=choices.loudness,
            analysis=Analysis(
                baseline=choices.baseline,
                contrasts=draft.contrasts,
                alpha=choices.alpha,
                margin=choices.margin,
                family=choices.family,
                exclusions=choices.exclusions,
            ),
            **_words(choices, words or {}),
        )
    except ValidationError as problem:
        raise UserError(f"this makes no plan: {explain(problem)}") from None


def _draft(source: sources.Source, choices: Choices, folder: Path) -> _Draft:
    there = source.conditions
    natural = choices.natural or (NATURAL if NATURAL in there and NATURAL not in (choices.conditions or ()) else "none")
    conditions = choices.conditions or tuple(name for name in there if name != natural)
    if half := [name for name in source.half if name in (choices.conditions or (*there, *source.half))]:
        remedy = "" if choices.conditions else ", or name the --conditions without it"
        raise UserError(f"{half[0]} is not trained and evaluated to its end: the same command goes on{remedy}")
    if source.empty and not choices.conditions:
        remedy = "make them as NAME/SENTENCE.wav or .flac, take the folder away, or name the --conditions"
        raise UserError(f"condition {source.empty[0]} has no stimuli: {remedy}")
    for name in (*conditions, choices.baseline, *([natural] if natural != "none" else [])):
        if name not in there:
            raise UserError(f"condition {name} has no stimuli; there are {', '.join(there)}")
    if choices.baseline not in conditions:
        raise UserError(f"the baseline {choices.baseline} is none of the conditions {', '.join(conditions)}")
    if natural in conditions:
        raise UserError(f"{natural} is a condition already: give --natural none, or leave it out of --conditions")
    if clash := {LOW, DAMAGED} & set(there):
        raise UserError(f"{min(clash)} is the name of what `build` makes: give that folder another name")
    contrasts = choices.contrasts or tuple(name for name in conditions if name != choices.baseline)
    if not contrasts:
        raise UserError(f"{choices.baseline} is the only condition: there is nothing to compare it with")
    return _Draft(source, choices, conditions, contrasts, None if natural == "none" else natural, folder)


def _languages(draft: _Draft) -> list[str]:
    wanted = draft.choices.languages or tuple(sorted(draft.source.sentences))
    for language in wanted:
        if language not in draft.source.sentences:
            raise UserError(f"there is no sentence of language {language}")
    return list(wanted)


def _group(draft: _Draft, language: str, golds: list[sources.GoldFile], trap_audio: Path | None) -> Group:
    choices = draft.choices
    rated, practice = _divide(draft, draft.source.sentences[language])
    listeners = choices.listeners.get(language, choices.listeners.get("", 0))
    if listeners < 1:
        raise UserError(f"no listeners for {language}: give --listeners 24, or --listeners {language}=24")
    heard = [*draft.conditions, *([draft.natural] if draft.natural and choices.anchors else [])]
    _need(draft, heard, rated, language)
    training = tuple(_training(draft, practice))
    _need(draft, [draft.clean], practice, language)
    return Group(
        listeners=listeners,
        sentences=tuple(rated),
        practice_sentences=tuple(practice),
        training=training,
        gold=(*_gold(draft, practice or rated), *_own_gold(draft, language, golds)),
        traps=tuple(_traps(draft, language, trap_audio)),
    )


def _divide(draft: _Draft, sentences: list[Sentence]) -> tuple[list[Sentence], list[Sentence]]:
    """The sentences that are rated, and those that the training page may use; chosen by hash, in the table's order."""
    choices, size = draft.choices, len(sentences)
    square = len(draft.conditions) if choices.method == "mos" else 2 * len(draft.contrasts)
    spare = 1 if choices.training else 0
    count = choices.count
    if count is None:
        most = size - spare
        count = most - most % square if choices.layout == "latin" and most >= square else most
    if count < 1 or count + spare > size:
        why = ", and the training page one that is not rated (or --training 0)" if spare else ""
        raise UserError(f"{size} sentences are too few to rate {max(count, 1)}{why}: give more")
    mixed = sorted(sentences, key=lambda one: design.sort_key(choices.seed, "sentences", one.id))
    chosen, rest = set(mixed[:count]), mixed[count : count + choices.training]
    return [one for one in sentences if one in chosen], rest


def _need(draft: _Draft, conditions: list[str], sentences: list[Sentence], language: str) -> None:
    """Note what is heard; UserError where a sound is missing."""
    for condition in conditions:
        names = [f"{condition}/{sentence.id}" for sentence in sentences]
        missing = [name for name in names if name not in draft.source.files]
        if missing:
            of = f"{len(missing)} of {len(names)} sentences of {language}, such as {missing[0]}"
            instead = "say --natural none" if condition == draft.natural else "leave the condition out"
            raise UserError(f"condition {condition} has no stimuli for {of}: make them, or {instead}")
        draft.used.update(names)


def _training(draft: _Draft, practice: list[Sentence]) -> Iterator[Practice]:
    """The ends of the scale first in the list, then the conditions in turn."""
    ends = [name for name in (draft.natural, draft.low) if name]
    pool = [*ends, *(draft.conditions if draft.choices.method == "mos" else draft.contrasts)]
    for turn in range(draft.choices.training):
        item = Practice(sentence=practice[turn % len(practice)].id, condition=pool[turn % len(pool)])
        names = [item.condition] if draft.choices.method == "mos" else [item.condition, draft.choices.baseline]
        draft.used.update(f"{name}/{item.sentence}" for name in names)
        yield item


def _gold(draft: _Draft, sentences: list[Sentence]) -> Iterator[Gold]:
    """Gold items made of what there is: good ones where there is natural speech, and damaged ones."""
    method = draft.choices.method
    for turn in range(draft.choices.gold):
        sentence = sentences[(turn + 1) % len(sentences)].id
        good, bad = f"{draft.clean}/{sentence}", f"{DAMAGED}/{sentence}"
        draft.used.add(good)
        if method != "mos":
            low, high = HIGH[method]
            yield Gold(id=f"gold {turn + 1}", stimulus=good, against=bad, low=low, high=high)
        elif draft.natural and turn % 2:
            yield Gold(id=f"gold {turn + 1}", stimulus=good, low=HIGH[method][0], high=HIGH[method][1])
        else:
            yield Gold(id=f"gold {turn + 1}", stimulus=bad, low=BAD[0], high=BAD[1])


def _own_gold(draft: _Draft, language: str, golds: list[sources.GoldFile]) -> Iterator[Gold]:
    if golds and draft.choices.method != "mos":
        raise UserError("--gold-file is for --method mos: a comparison makes its own gold items")
    for number, gold in enumerate((each for each in golds if each.language == language), start=1):
        name = f"own-gold/{language}-{number}"
        draft.extra[name] = sources.entry(gold.path, draft.folder)
        yield Gold(id=f"own gold {number}", stimulus=name, low=gold.low, high=gold.high)


def _traps(draft: _Draft, language: str, folder: Path | None) -> Iterator[Trap]:
    if not draft.choices.traps:
        return
    spoken = texts.trap_texts(draft.choices.method, language)
    for value, path in sources.traps(folder or draft.folder / "traps", language, spoken).items():
        name = f"trap/{language}-{value}"
        draft.extra[name] = sources.entry(path, draft.folder)
        yield Trap(value=value, text=spoken[value], stimulus=name)


def _made(draft: _Draft) -> Iterator[tuple[str, Made]]:
    if draft.low:
        yield LOW, Made(source=draft.clean, process="low_pass", hz=LOW_HZ)
    if draft.choices.gold:
        yield DAMAGED, Made(source=draft.clean, process="noise", hz=DAMAGED_HZ, snr_db=DAMAGED_SNR)


def _stimuli(draft: _Draft, made: Mapping[str, Made]) -> dict[str, File]:
    """The file of each stimulus that is heard, or that one is made from."""
    names = set()
    for name in draft.used:
        condition, _, sentence = name.partition("/")
        names.add(f"{made[condition].source}/{sentence}" if condition in made else name)
    if draft.low:  # anchors are made of any rated sentence
        names |= {f"{draft.clean}/{name.partition('/')[2]}" for name in draft.used}
    if missing := sorted(names - draft.source.files.keys()):
        raise UserError(f"{missing[0]} has no sound, and the test needs it: make it, or leave the condition out")
    return {name: sources.entry(draft.source.files[name], draft.folder) for name in sorted(names)} | draft.extra


def _words(choices: Choices, own: Mapping[str, Any]) -> dict[str, Any]:
    """Question, scale and instructions; those of `own` (from --texts) in the place of ours."""
    unknown = own.keys() - {"question", "labels", "instructions"}
    if unknown:
        raise UserError(f"--texts has no {min(unknown)}: it holds question, labels and instructions, each by language")
    if odd := [key for key, value in own.items() if not isinstance(value, dict)]:
        raise UserError(f"--texts: {odd[0]} is a table with an entry for each language")
    method = choices.method
    labels = texts.LABELS[method] | own.get("labels", {})
    return {
        "question": texts.QUESTIONS[method] | own.get("question", {}),
        "instructions": texts.instructions(method, traps=choices.traps > 0) | own.get("instructions", {}),
        "scale": Scale(values=SCALES[method], labels=labels),
    }


def check_new(folder: Path) -> None:
    """Raise UserError where a folder holds a plan: it is known before anything is done."""
    if (folder / NAME).exists():
        raise UserError(f"{folder / NAME} is there already, and a plan is written once: choose a new folder")


def exclusions(changes: list[str]) -> Exclusions:
    """The rules of exclusion with some changed: trap_misses=1, headphones=true, outlier_z=none."""
    values: dict[str, str | None] = {}
    for change in changes:
        rule, equals, value = change.partition("=")
        if not equals or rule not in Exclusions.model_fields:
            known = ", ".join(Exclusions.model_fields)
            raise UserError(f"--exclude {change!r} is no RULE=VALUE; the rules are {known}")
        values[rule] = None if value == "none" else value
    try:
        return Exclusions.model_validate(values)
    except ValidationError as problem:
        raise UserError(f"--exclude: {explain(problem)}") from None
