"""What a run trains on and holds out: clips, their text as ids, their latents; encoded first where they are not."""

import logging
import math
from collections.abc import Generator, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from curate.errors import UserError
from train import config
from train.data import corpus, latents, sampler
from train.data.sampler import Example, seed_of
from train.distributed import ALONE, World
from train.messages import counted
from train.model import base, voxcpm

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Data:
    """What is trained on and what is held out."""

    train: list[Example]
    validation: list[Example]
    reading: dict[str, corpus.Reading]
    clips: dict[str, corpus.Clip]
    latents: latents.Latents

    def batch(self, examples: Sequence[Example]) -> tuple[sampler.Batch, list[sampler.Sound]]:
        """Examples with their latents, in the model's layout, and the sounds that noise is drawn for."""
        sounds = [self.latents.read(self.clips[each.id]) for each in examples]
        voices = [self.latents.read(self.clips[each.reference]) if each.reference else None for each in examples]
        return sampler.collate([each.text for each in examples], sounds, voices), sounds

    def seconds(self, examples: Sequence[Example]) -> float:
        """Audio in a batch."""
        return sum(self.clips[each.id].seconds for each in examples)


def prepare(run: config.Run, device: str, world: World = ALONE) -> Generator[latents.Progress, None, Data]:
    """Encode what is missing, then return the Data; the value of this generator."""
    model = base.find(run.model, run.revision)
    note_files(model, quiet=not world.writes)
    clips = corpus.read(run.corpus, quiet=not world.writes)
    check(clips, run)
    store = latents.Latents(run.latents_folder, model, precision(run, device))
    wanted = corpus.of(clips, "train") + (corpus.of(clips, "validation") if run.train.validate_every else [])
    missing = store.missing(wanted)
    world.wait()  # before any is encoded: all deal the same clips
    yield from store.encode(missing[world.rank :: world.size], device=device)
    world.wait()
    tokenize = voxcpm.Tokenizer(model)
    examples = {
        clip.id: Example(clip.id, clip.language, tuple(tokenize(clip.text)), store.patches(clip), clip.speaker)
        for clip in wanted
    }
    check_lengths(examples.values(), base.read_config(model))
    train, validation = (
        [examples[clip.id] for clip in wanted if clip.split == split] for split in ("train", "validation")
    )
    given = Data(train, validation, corpus.readings(clips), {clip.id: clip for clip in wanted}, store)
    return given


def note_files(model: Path, *, quiet: bool = False) -> None:
    """Warn of tensors of the base that are not used. Raises UserError where its files do not fit together."""
    surplus = voxcpm.check_files(model)
    if surplus and not quiet:
        log.warning("%s: %s of no layer, such as %s: not used", model, counted(len(surplus), "tensor"), surplus[0])


def check(clips: Sequence[corpus.Clip], run: config.Run) -> None:
    """Raise UserError where a corpus cannot be trained on as the run asks."""
    if not corpus.of(clips, "train"):
        raise UserError(f"{run.corpus} has no clips in the training split: look at [split] in its recipe")
    if run.train.validate_every:
        corpus.check_validation(clips)
    corpus.readings(clips)  # raises where the tag cannot be told


def check_lengths(examples: Iterable[Example], settings: dict[str, Any]) -> None:
    """Raise UserError where a clip has more positions than the model has."""
    most = settings["lm_config"].get("max_position_embeddings", math.inf)
    if long := [each.id for each in examples if each.length > most]:
        clips = counted(len(long), "clip")
        raise UserError(f"{clips} longer than the model's {most} positions, such as {long[0]}: cut them")


def pick_device(wanted: str) -> str:
    """cpu or cuda; UserError where a GPU was asked for and there is none."""
    if wanted == "cuda" and not torch.cuda.is_available():
        raise UserError("cuda was asked for, but no GPU is to be seen: ask for cpu or auto")
    return "cuda" if wanted != "cpu" and torch.cuda.is_available() else "cpu"


def precision(run: config.Run, device: str) -> torch.dtype:
    """What the frozen base is kept in."""
    if run.train.precision == "auto":
        return voxcpm.default_dtype(device)
    return {name: kind for kind, name in voxcpm.NAMES.items()}[run.train.precision]


def training_seed(run: config.Run, epoch: int, example: Example) -> int:
    """The seed of a clip's draws: the same whatever it is batched with, and on whichever process."""
    return seed_of(run.train.seed, epoch, example.id, example.turn)


def validation_seed(draw: int, example: Example) -> int:
    """Of a held-out clip's draws: not of the run's seed, since runs are compared with each other."""
    return seed_of("validation", draw, example.id)
