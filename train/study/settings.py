"""A study file (manifests/study.toml): the design of the study and the figures that were published."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from curate.errors import UserError
from curate.settings import NotToml, first_problem, read_toml

Language = Literal["km", "ko"]
Rank = Annotated[int, Field(ge=1, le=1024)]
OF_RANK, OF_CONDITION = ("share",), ("mos", "difference", "p_by_listener", "lowest_loss", "highest_mos", "harm")
WITH_VALUE = ("share", "mos", "difference", "p_by_listener")


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class About(_Part):
    """`[study]`: what it is."""

    name: str = Field(min_length=1)
    languages: tuple[Language, ...] = Field(min_length=1)
    banner: str = Field("", description="what stands over everything that is written, such as: these are no results")


class CorpusPart(_Part):
    """`[corpus]`: what is trained on."""

    recipe: str | None = Field(None, min_length=1, description="relative to the study file")
    hours: dict[Language, Annotated[float, Field(gt=0)]] = Field(default_factory=dict)


class ModelPart(_Part):
    """`[model]`: the base model; figures of another one are no reproduction."""

    name: str = Field(min_length=1)
    parameters: int = Field(gt=0, description="as `train params` counts them")


class SweepPart(_Part):
    """`[sweep]`: what is trained."""

    ranks: tuple[Rank, ...] = Field(min_length=1)
    seeds: tuple[int, ...] = (0,)
    preset: str = Field("", description="the run file that `train sweep` begins with, relative to the study file")


class Listening(_Part):
    """`[listening]`: who hears what."""

    method: Literal["mos"] = "mos"
    baseline: Literal["zero-shot"] = "zero-shot"
    listeners: int = Field(ge=2, description="of each language")
    sentences: int = Field(ge=2, description="of each condition and language")
    design: Literal["latin", "full"] = "latin"
    order_seed: int = 0


class Tests(_Part):
    """`[tests]`: fixed before a rating exists."""

    signed_rank: Literal["pratt"] = "pratt"
    headline: Literal["crossed"] = "crossed"
    family: Literal["language", "all"] = "language"
    alpha: float = Field(0.05, gt=0, lt=0.5)
    margin: float = Field(0.10, gt=0)


class PowerPart(_Part):
    """`[power]`: what the power is computed for: a difference that is fixed here, never the one that was found."""

    difference: float = Field(0.2, gt=0)
    replicates: int = Field(1000, ge=100)
    seed: int = Field(0, ge=0)


class Claim(_Part):
    """`[[claim]]`: one published figure or finding."""

    kind: Literal["share", "mos", "difference", "p_by_listener", "lowest_loss", "highest_mos", "no_gain", "harm"]
    language: Language | None = Field(None, description="absent: every language of the study")
    condition: str | None = None
    rank: Rank | None = None
    value: float | None = None
    origin: Literal["published", "derived", "ours", "simulated"]

    @model_validator(mode="after")
    def _whole(self) -> "Claim":
        needs = {"rank": self.kind in OF_RANK, "condition": self.kind in OF_CONDITION, "value": self.kind in WITH_VALUE}
        for name, needed in needs.items():
            if needed != (getattr(self, name) is not None):
                raise ValueError(f"a claim of kind {self.kind} {'needs' if needed else 'has no'} {name}")
        return self


class Study(_Part):
    """The whole file."""

    study: About
    corpus: CorpusPart = CorpusPart()
    model: ModelPart
    sweep: SweepPart
    listening: Listening
    tests: Tests = Tests()
    power: PowerPart = PowerPart()
    claim: tuple[Claim, ...] = ()

    @property
    def conditions(self) -> tuple[str, ...]:
        """zero-shot, then each rank."""
        return (self.listening.baseline, *(f"r{rank}" for rank in sorted(self.sweep.ranks)))

    @model_validator(mode="after")
    def _holds_together(self) -> "Study":
        if len(set(self.sweep.ranks)) < len(self.sweep.ranks):
            raise ValueError("sweep.ranks names a rank twice")
        for claim in self.claim:
            if claim.condition is not None and claim.condition not in self.conditions:
                raise ValueError(f"a claim is of {claim.condition}, which is none of {', '.join(self.conditions)}")
            if claim.rank is not None and claim.rank not in self.sweep.ranks:
                raise ValueError(f"a claim is of rank {claim.rank}, which is none of sweep.ranks")
        return self


def read(path: Path) -> Study:
    """The study of a file. Raises UserError with the first thing that is wrong."""
    raw = table(path)
    try:
        return Study.model_validate(raw)
    except ValidationError as problem:
        raise UserError(f"{path}: {first_problem(problem, raw, Study).replace('; see docs/recipe.md', '')}") from None


def table(path: Path) -> dict[str, object]:
    """A TOML file as it stands. Raises UserError where it is none."""
    try:
        return read_toml(path)
    except FileNotFoundError:
        raise UserError(f"there is no {path}") from None
    except OSError as problem:
        raise UserError(f"{path} cannot be read: {problem.strerror}") from None
    except (UnicodeDecodeError, NotToml) as problem:
        raise UserError(f"{path} is no TOML: {problem}") from None
