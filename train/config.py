"""The run file: every setting of a training run, its default and where that default comes from."""

import math
import unicodedata
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, Self, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from curate import files
from curate.errors import UserError
from curate.settings import NotToml, as_toml, override, put, read_toml
from curate.text import LANGUAGES

Quantization = Literal["none", "nf4"]
Module = Literal["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
MOST_EPOCHS = 1000  # their batches are planned before the first step; VoxCPM's documentation says 1 to 2
LARGEST_RANK = 1024  # the width of the published DiT: B A of a higher rank says no more, and has more numbers
SAYS = {  # in pydantic's words a class of ours is named
    "tuple_type": "should be a list, such as ['q_proj', 'v_proj']",
    "model_type": "should be a table of settings",
    "dict_type": "should be a table of settings",
}
MODULES: tuple[Module, ...] = get_args(Module)


class Missing(UserError):
    """A setting that has no default is not given."""

    def __init__(self, key: str) -> None:
        self.key = key
        option = "a corpus instead of the run file" if key == "corpus" else f"--{key}"
        super().__init__(f"{key} is missing: give {option}, or set it in the run file")


class Frozen(BaseModel):
    """A part of the run file: no unknown keys, no numbers that are none, no later changes."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Adapter(Frozen):
    """`[adapter]`: which modules learn, and how much."""

    rank: int = Field(
        64, ge=1, le=LARGEST_RANK, description="VoxCPM's documentation: 32 to 64 for a language, 8 for a speaker"
    )
    alpha: float | None = Field(None, gt=0, description="scale = alpha / rank; unset: the rank, which is scale 1")
    rslora: bool = Field(False, description="scale = alpha / sqrt(rank) instead: give alpha, too")
    dropout: float = Field(0.0, ge=0, lt=1, description="PEFT's and VoxCPM's differ while training, except at 0")
    scope: Literal["lm", "dit", "both"] = Field(
        "both", description="language models, DiT or both; both is VoxCPM's own"
    )
    modules: tuple[Module, ...] = Field(MODULES[:4], description="in every layer; q, k, v and o are VoxCPM's own")
    projections: bool = Field(False, description="also the four projections between the models")

    @field_validator("modules")
    @classmethod
    def _in_order(cls, modules: tuple[Module, ...]) -> tuple[Module, ...]:
        return tuple(name for name in MODULES if name in modules)

    @model_validator(mode="after")
    def _adapts_something(self) -> Self:
        if not self.modules and not self.projections:
            raise ValueError("name at least one of modules, or set projections")
        return self

    @property
    def scale(self) -> float:
        """What the product B A is multiplied by before it is added to a weight."""
        alpha = float(self.rank) if self.alpha is None else self.alpha
        return alpha / math.sqrt(self.rank) if self.rslora else alpha / self.rank


class Optimizer(Frozen):
    """`[optimizer]`: AdamW under a cosine that falls once and never climbs."""

    learning_rate: float = Field(1e-4, gt=0, description="VoxCPM's documentation, for LoRA")
    weight_decay: float = Field(0.01, ge=0, description="VoxCPM's documentation")
    warmup_steps: int = Field(
        100, ge=0, description="steps of rising rate; never more than a tenth of the run; our choice"
    )
    floor: float = Field(0.1, ge=0, le=1, description="the cosine ends at this share of the rate; our choice")
    clip: float = Field(1.0, gt=0, description="largest norm of the gradient; the official script")
    loraplus_ratio: float = Field(
        1.0, gt=0, description="LoRA+: B learns at that many times the rate of A; its paper, arXiv:2402.12354, says 16"
    )
    ema_decay: float = Field(
        0.0, ge=0, lt=1, description="an average of the adapter over steps is validated and exported; 0: the last step"
    )


RENAMED = {"batch.at_once": "batch.micro_batch_tokens"}  # keys of earlier versions


class BatchSettings(Frozen):
    """`[batch]`: how clips become batches."""

    tokens: int = Field(
        4096, ge=1, description="positions of one step, on all GPUs together; about 16 clips of 8 s, the official 2 x 8"
    )
    micro_batch_tokens: int | None = Field(
        None, ge=1, description="positions on one GPU at once; a step's gradients add up; unset: what fits its memory"
    )
    temperature: float = Field(
        1.0, ge=1, description="languages in proportion to hours^(1/temperature); 1: each clip once an epoch"
    )
    reference: float | None = Field(
        None,
        ge=0,
        le=1,
        description="share of clips that another clip of their person is heard before, drawn anew each epoch; unset: "
        "those that the corpus names (its recipe's tag.reference_share), which are always heard in validation",
    )


class Train(Frozen):
    """`[train]`: how long, how often, on what."""

    epochs: int = Field(2, ge=1, le=MOST_EPOCHS, description="times through the corpus; VoxCPM's documentation: 1 to 2")
    steps: int | None = Field(None, ge=1, description="optimizer steps, instead of epochs")
    seed: int = Field(0, description="of the adapter's start, the order of clips and every draw")
    validate_every: int = Field(200, ge=0, description="steps; 0: never, for a corpus without a validation split")
    validation_draws: int = Field(2, ge=1, description="fixed noise draws for each held-out clip")
    save_every: int = Field(200, ge=1, description="steps between checkpoints")
    keep: int = Field(2, ge=1, description="last checkpoints kept, beside the best of each language")
    stop_after_rises: int = Field(
        0, ge=0, description="stop when a language's held-out loss has risen so many validations in a row; 0: never"
    )
    explodes_at: float = Field(
        5.0, gt=1, description="a loss that many times the mean of the last 50 steps stops the run; our choice"
    )
    device: Literal["auto", "cpu", "cuda"] = Field("auto", description="auto: the GPU if there is one")
    precision: Literal["auto", "bfloat16", "float32", "float64"] = Field(
        "auto", description="of the frozen base; auto: bfloat16 on a GPU, float32 on a CPU; the adapter is float32"
    )
    quantization: Quantization = Field(
        "none",
        description="nf4: the frozen base's linear layers in 4 bits (QLoRA), for GPUs of 6 to 8 GB; needs bitsandbytes",
    )
    checkpointing: bool = Field(False, description="compute each layer twice and keep less: for small GPUs")
    compile: bool | None = Field(
        None, description="fuse layers by torch.compile; unset: on a GPU, in runs of 300 steps or more"
    )
    tensorboard: bool = Field(False, description="losses to RUN/tensorboard as well")
    tracker: Literal["off", "auto", "trackio", "wandb"] = Field(
        "off", description="losses and spoken samples to trackio or wandb as well; auto: whichever is installed"
    )


class Run(Frozen):
    """One training run, `train lora RUN.toml`; relative paths are relative to the file."""

    corpus: Path = Field(description="a corpus made by `curate run`")
    into: Path = Field(description="the folder of the run")
    model: str = Field(description="folder of a VoxCPM2 checkpoint, or a hub id such as openbmb/VoxCPM2")
    revision: str | None = Field(None, description="of the hub id; the one that was loaded is written to the run")
    latents: Path | None = Field(None, description="where latents are kept; unset: CORPUS/latents")
    start_from: Path | None = Field(
        None, description="a run, or the folder of an adapter, to begin from: its rank, alpha and modules are the run's"
    )
    adapter: Adapter = Adapter()
    optimizer: Optimizer = Optimizer()
    batch: BatchSettings = BatchSettings()
    train: Train = Train()
    samples: dict[str, list[str]] = Field(
        {}, description="language -> sentences to be spoken at every validation, to RUN/samples"
    )

    @field_validator("corpus", "into", "latents", "start_from", mode="before")
    @classmethod
    def _says_where(cls, value: object) -> object:
        if value == "":  # which would mean the working folder
            raise ValueError("is empty: name a folder, or leave it out")
        return value

    @field_validator("samples")
    @classmethod
    def _can_be_said(cls, samples: dict[str, list[str]]) -> dict[str, list[str]]:
        if unknown := sorted(samples.keys() - LANGUAGES):
            raise ValueError(f"{unknown[0]!r} is no language here; there are {', '.join(LANGUAGES)}")
        if blank := [language for language, texts in samples.items() if not all(map(_says_something, texts))]:
            raise ValueError(f"a sentence of {blank[0]} is blank: write what is to be said, or leave it out")
        return samples

    @property
    def latents_folder(self) -> Path:
        """Where latents are kept: beside the corpus unless the run says otherwise."""
        return self.latents or self.corpus / "latents"


def _says_something(text: str) -> bool:
    """Whether it holds more than spaces and marks that are not seen."""
    return any(unicodedata.category(letter)[0] not in "CZ" for letter in text)


Options = Mapping[str, str | int | Path | None]  # dotted key -> value, None where it was not given


def load(path: Path, settings: Sequence[str] = (), options: Options | None = None) -> Run:
    """Read a run file; relative paths in it are relative to the file.

    Raises UserError for a missing or broken file, an unknown key or a bad value.
    """
    return build(_table(path), settings, options, base=path.parent)


def _table(path: Path) -> dict[str, Any]:
    try:
        return read_toml(path)
    except (OSError, UnicodeDecodeError) as problem:
        raise UserError(f"cannot read the run file {path}: {problem}") from problem
    except NotToml as problem:
        raise UserError(f"{path} is not valid TOML: {problem}") from problem


def build(
    table: dict[str, Any], settings: Sequence[str] = (), options: Options | None = None, *, base: Path | None = None
) -> Run:
    """A run from plain values, options over them and `key=value` settings over both, every path made absolute."""
    given = {key: value for key, value in (options or {}).items() if value is not None}
    for key, value in given.items():
        put(table, key.split("."), str(value.absolute()) if isinstance(value, Path) else value, key)
    for setting in settings:
        override(table, setting, top_level=True)
    try:
        run = Run.model_validate(table)
    except ValidationError as problem:
        if (first := problem.errors()[0])["type"] == "missing":
            raise Missing(".".join(str(part) for part in first["loc"])) from None
        raise UserError(_one_line(problem, [*given, *settings])) from None
    if not run.model:  # which would mean the working folder, too
        raise UserError("model = '': is empty: name a folder or a hub id")
    return _absolute(run, (base or Path()).absolute())


def gather(source: Path, options: Options, settings: Sequence[str], preset: Path | None = None) -> Run:
    """The run that `train lora SOURCE` asks for, where SOURCE is a run file or a corpus.

    Options win over the file, settings over both. Paths in options are relative to the working folder, not to the file.
    A preset is a run file without what is a person's own: corpus, model, into; everything else wins over it.
    """
    if source.suffix == ".toml":
        if preset:
            raise UserError(f"{source} is a run file, so --preset has nothing to add: give a corpus, or one of the two")
        return load(source, settings, options)
    return build(_table(preset) if preset else {}, settings, {"corpus": source, **options})


def read(folder: Path) -> Run:
    """The run file of a run's folder; UserError where it is none."""
    if not (folder / "run.toml").is_file():
        raise UserError(f"{folder} holds no training run: start one with `train lora CORPUS --model M --into {folder}`")
    try:
        return load(folder / "run.toml").model_copy(update={"into": folder.absolute()})
    except Missing as problem:
        raise UserError(f"{folder / 'run.toml'} lacks {problem.key}: write it there, or begin another run") from None


def save(run: Run, path: Path) -> None:
    """Write a run file that `load` reads back to the same run."""
    files.write_text(path, as_toml(run.model_dump(mode="json", exclude_none=True)))


def _absolute(run: Run, base: Path) -> Run:
    names = ("corpus", "into", "latents", "start_from")
    paths = {name: base / value.expanduser() for name in names if (value := getattr(run, name))}
    model = Path(run.model).expanduser()
    if (base / model).is_dir():  # otherwise a hub id, or a folder that is missing: `base.find` says which
        paths["model"] = base / model
    return run.model_copy(update={name: str(path) if name == "model" else path for name, path in paths.items()})


def _one_line(problem: ValidationError, settings: Sequence[str]) -> str:
    error = problem.errors()[0]
    key = ".".join(str(part) for part in error["loc"])
    given = {setting.partition("=")[0].strip() for setting in settings}  # options, too
    near = any(f"{key}.".startswith(f"{each}.") or each.startswith(f"{key}.") for each in given)
    place = "" if near else " in the run file"
    if key in RENAMED:
        return f"{key}{place} is called {RENAMED[key]} now: write that"
    if error["type"] == "extra_forbidden":
        return f"unknown key {key!r}{place}; there are {', '.join(_choices(error['loc'][:-1]))}"
    says = SAYS.get(error["type"], error["msg"].removeprefix("Value error, "))
    return f"{key} = {error['input']!r}{place}: {says[0].lower()}{says[1:]}"


def _choices(place: tuple[int | str, ...]) -> list[str]:
    model: type[BaseModel] = Run
    for name in place:
        model = type(model.model_fields[str(name)].default)
    return list(model.model_fields)
