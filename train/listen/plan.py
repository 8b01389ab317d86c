"""The plan of a listening test: written and hashed before a rating exists, read by all that comes after.

`plan.json` is canonical JSON (sorted keys, no spaces, UTF-8, a line's end); its sha256 stands in `plan.sha256` and in
every rating. The plan is also the key of the test: it knows which file holds which condition, so it is kept from
listeners until the last rating is in. Its hash may be published at once, as the salt keeps it from being guessed.
"""

import hashlib
import json
import os
import re
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from curate import files
from curate.errors import UserError

FORMAT = 1
NAME, HASH = "plan.json", "plan.sha256"
LANGUAGES = ("km", "ko")
SCALES: dict[str, tuple[int, ...]] = {"mos": (1, 2, 3, 4, 5), "cmos": (-3, -2, -1, 0, 1, 2, 3), "ab": (0, 1)}
PLAIN = r"[^/\\\x00-\x1f.][^/\\\x00-\x1f]{0,99}"  # a name of one file or folder: no path, nothing hidden

Method = Literal["mos", "cmos", "ab"]


class Frozen(BaseModel):
    """A part of the plan: no unknown keys, no later changes."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Sentence(Frozen):
    """One sentence that is heard in the conditions."""

    id: str = Field(pattern=f"^{PLAIN}$")
    text: str


class File(Frozen):
    """A sound file; the path is relative to the plan's folder."""

    path: str
    sha256: str = Field(pattern="^[0-9a-f]{64}$")


class Made(Frozen):
    """A condition that `build` makes from another one: its low-passed form, or one under noise."""

    source: str
    process: Literal["low_pass", "noise"]
    hz: float = Field(gt=0, description="edge of the low-pass")
    snr_db: float | None = Field(None, description="speech over white noise, of `noise`")


class Gold(Frozen):
    """An item whose rating is known beforehand, within bounds; of a comparison, its other side is `against`."""

    id: str
    stimulus: str
    against: str | None = None
    low: int
    high: int

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.low > self.high:
            raise ValueError(f"gold item {self.id} expects {self.low} to {self.high}: the lower bound comes first")
        return self


class Trap(Frozen):
    """A spoken request to choose one value of the scale, as shows who listens."""

    value: int
    text: str
    stimulus: str


class Practice(Frozen):
    """One item of the training page: a sentence that the test does not use, in one condition."""

    sentence: str
    condition: str


class Group(Frozen):
    """What the listeners of one language hear."""

    listeners: int = Field(ge=1, le=10_000)
    sentences: tuple[Sentence, ...] = Field(min_length=1)
    practice_sentences: tuple[Sentence, ...] = ()
    training: tuple[Practice, ...] = ()
    gold: tuple[Gold, ...] = ()
    traps: tuple[Trap, ...] = ()

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        ids = [sentence.id for sentence in (*self.sentences, *self.practice_sentences)]
        if twice := sorted({one for one in ids if ids.count(one) > 1}):
            raise ValueError(f"sentence {twice[0]} stands there twice")
        return self


class Exclusions(Frozen):
    """Who is left out, by rule only; a rule that is null does not apply. `exclusions.Rules` has the same rules."""

    native: bool = Field(True, description="who is no native speaker")
    finished: bool = Field(True, description="who did not rate every item")
    trap_misses: int | None = Field(0, ge=0, description="who missed more traps than this")
    gold_misses: int | None = Field(1, ge=0, description="who missed more gold items than this")
    repeat_difference: float | None = Field(1.5, ge=0, description="whose repeats differ by more than this on average")
    min_variance: float | None = Field(0.1, ge=0, description="whose ratings vary less (P.808 toolkit)")
    outlier_z: float | None = Field(3.29, gt=0, description="whose mean is further from all others' (P.808 toolkit)")
    headphones: bool = Field(False, description="who had no headphones, or failed the check of them")
    min_trials: int | None = Field(None, ge=1, description="who rated fewer test items than this")
    too_fast: bool = Field(True, description="more than a tenth of whose ratings came before the sound's end")
    same_ratings: bool = Field(True, description="all of whose ratings, 10 or more, are another listener's")


class Analysis(Frozen):
    """What will be computed from the ratings: fixed before there are any."""

    baseline: str
    contrasts: tuple[str, ...] = Field(min_length=1, description="conditions, each compared with the baseline")
    alpha: float = Field(0.05, gt=0, lt=0.5)
    margin: float = Field(0.10, gt=0, description="non-inferiority: what is no loss, in scale points")
    family: Literal["language", "all"] = Field("language", description="Holm over the contrasts of a language, or all")
    exclusions: Exclusions = Exclusions()


class Scale(Frozen):
    """The answers: values in order, and for each language of the page their labels in the same order."""

    values: tuple[int, ...]
    labels: dict[str, tuple[str, ...]]


class Anchors(Frozen):
    """Conditions that only span the scale, and how many of each a listener hears."""

    natural: str | None = None
    low: str | None = None
    each: int = Field(0, ge=0)


class Plan(Frozen):
    """The whole design. Stimuli are named CONDITION/SENTENCE; those of `made` conditions have no file."""

    format: Literal[1] = 1
    name: str = Field("", max_length=200, description="what listeners see; empty: only that it is a listening test")
    method: Method
    design: Literal["latin", "full"]
    seed: int
    salt: str = Field(pattern="^[0-9a-f]{32,64}$", description="random: names and links cannot be guessed")
    conditions: tuple[str, ...] = Field(min_length=1)
    anchors: Anchors
    made: dict[str, Made]
    groups: dict[Literal["km", "ko"], Group] = Field(min_length=1)
    repeats: int = Field(0, ge=0, description="test items that a listener hears twice")
    traps_each: int = Field(0, ge=0, description="traps that a listener meets")
    stimuli: dict[str, File]
    question: dict[str, str]
    scale: Scale
    instructions: dict[str, str]
    show_text: bool = False
    loudness: float = Field(-23.0, le=-10, ge=-40, description="LUFS, BS.1770; lowered for all where one would clip")
    analysis: Analysis

    @model_validator(mode="after")
    def _holds_together(self) -> Self:
        if len(set(self.conditions)) < len(self.conditions):
            raise ValueError("a condition stands there twice")
        unknown = {self.analysis.baseline, *self.analysis.contrasts} - set(self.conditions)
        if unknown:
            raise ValueError(f"condition {min(unknown)} of the analysis is none of {', '.join(self.conditions)}")
        if self.analysis.baseline in self.analysis.contrasts:
            raise ValueError(f"{self.analysis.baseline} is compared with itself")
        if self.scale.values != SCALES[self.method]:
            raise ValueError(f"the scale of {self.method} is {', '.join(map(str, SCALES[self.method]))}")
        self._check_answers()
        return self

    def _check_answers(self) -> None:
        for language, labels in self.scale.labels.items():
            if len(labels) != len(self.scale.values):
                raise ValueError(
                    f"the scale has {len(self.scale.values)} values and in {language} {len(labels)} labels"
                )
        bounds = [
            (gold.id, each) for group in self.groups.values() for gold in group.gold for each in (gold.low, gold.high)
        ]
        bounds += [("a trap", trap.value) for group in self.groups.values() for trap in group.traps]
        for name, value in bounds:
            if value not in self.scale.values:
                raise ValueError(f"{name} expects {value}, which is not on the scale")


def canonical(plan: Plan) -> bytes:
    """The bytes of plan.json: equal plans, equal bytes."""
    content = plan.model_dump(mode="json")
    text = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return (text + "\n").encode("utf-8")


def digest(plan: Plan) -> str:
    """The sha256 that names the plan."""
    return hashlib.sha256(canonical(plan)).hexdigest()


def write(plan: Plan, folder: Path) -> str:
    """Write plan.json and plan.sha256 into a folder that has none yet; returns the hash."""
    if (folder / NAME).exists():
        raise UserError(f"{folder / NAME} is there already, and a plan is written once: choose a new folder")
    files.write_bytes(folder / NAME, canonical(plan))
    files.write_text(folder / HASH, f"{digest(plan)}  {NAME}\n")
    return digest(plan)


def read(path: Path) -> Plan:
    """The plan of a folder, or of a file. Raises UserError where it is none, or was changed after it was hashed."""
    path = path / NAME if path.is_dir() else path
    try:
        content = path.read_bytes()
        plan = Plan.model_validate_json(content)
    except FileNotFoundError:
        raise UserError(f"there is no {path}: make one with `train listen plan`") from None
    except ValidationError as problem:
        raise UserError(f"{path} is no plan: {explain(problem)}") from None
    except OSError as problem:
        raise UserError(f"{path} cannot be read: {problem.strerror}") from None
    noted = path.with_name(HASH)
    if noted.is_file() and noted.read_text(encoding="utf-8").split()[:1] != [hashlib.sha256(content).hexdigest()]:
        raise UserError(f"{path} was changed after it was hashed: take the plan that {noted} belongs to")
    if content != canonical(plan):
        raise UserError(f"{path} is not as `train listen plan` wrote it: write it again, do not edit it")
    return plan


def explain(problem: ValidationError) -> str:
    """The first mistake in one line."""
    first = problem.errors(include_url=False)[0]
    place = ".".join(map(str, first["loc"]))
    words = re.sub(r"^Value error, ", "", str(first["msg"]))
    return f"{place}: {words}" if place else words


def opaque(plan: Plan, *words: object, length: int = 16) -> str:
    """A name that tells nothing without the plan: hex digits of sha256(salt, words)."""
    return hashlib.sha256("\0".join([plan.salt, *map(str, words)]).encode("utf-8")).hexdigest()[:length]


def group_of(plan: Plan, language: str) -> Group:
    """What the listeners of a language hear."""
    groups: dict[Any, Group] = plan.groups
    return groups[language]


def place(folder: Path, file: File) -> Path:
    """Where a sound file of the plan in `folder` is."""
    return Path(os.path.normpath(folder.resolve() / file.path))
