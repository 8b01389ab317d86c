"""What a run trains on and holds out: clips, their text as ids, their latents; encoded first where they are not."""

import logging
import math
from collections.abc import Callable, Generator, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from curate.errors import UserError
from train import config
from train.data import corpus, latents
from train.data.sampler import Example
from train.distributed import ALONE, World
from train.messages import counted
from train.model import base, voxcpm
from train.model.inputs import Batch, EncodedClip, collate, seed_of

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Data:
    """What is trained on and what is held out."""

    train: list[Example]
    validation: list[Example]
    reading: dict[str, corpus.Reading]
    clips: dict[str, corpus.TrainingClip]
    latents: latents.Latents

    def batch(self, examples: Sequence[Example]) -> tuple[Batch, list[EncodedClip]]:
        """Examples with their latents, in the model's layout, and the sounds that noise is drawn for."""
        sounds = [self.latents.read(self.clips[each.id]) for each in examples]
        voices = [self.latents.read(self.clips[each.reference]) if each.reference else None for each in examples]
        return collate([each.text for each in examples], sounds, voices), sounds

    def seconds(self, examples: Sequence[Example]) -> float:
        """Audio in a batch."""
        return sum(self.clips[each.id].seconds for each in examples)


@dataclass(frozen=True)
class Survey:
    """What a run will read, resolved and checked once: the checkpoint, the clips, where their latents are."""

    model: Path  # the folder of the checkpoint
    settings: dict[str, Any]  # its configuration
    clips: list[corpus.TrainingClip]  # those trained on and held out
    reading: dict[str, corpus.Reading]
    latents: latents.Latents

    def data(self, patches: Callable[[corpus.TrainingClip], int]) -> Data:
        """The examples, each as long as `patches` says. Raises UserError where one is too long for the model."""
        tokenize = voxcpm.Tokenizer(self.model)
        examples = [
            Example(clip.id, clip.language, tuple(tokenize(clip.text)), patches(clip), clip.person)
            for clip in self.clips
        ]
        examples = _with_references(examples, self.clips)
        _check_lengths(examples, self.settings)
        splits = {
            split: [each for each, clip in zip(examples, self.clips, strict=True) if clip.split == split]
            for split in ("train", "validation")
        }
        return Data(**splits, reading=self.reading, clips={clip.id: clip for clip in self.clips}, latents=self.latents)


def survey(run: config.Run, *, quiet: bool = False) -> Survey:
    """Read the manifest, find the checkpoint, and check both. Raises UserError where they cannot be trained on.

    A model that is a hub id is fetched, once it is known that there is something to train on. With `quiet` no warning
    counts what is left out.
    """
    clips = corpus.read(run.corpus, quiet=quiet)
    reading = _readings(clips, run)
    model = base.asked(run.model, run.revision)
    note_files(model, quiet=quiet)
    wanted = corpus.of(clips, "train") + (corpus.of(clips, "validation") if run.train.validate_every else [])
    store = latents.Latents(run.latents_folder, model, precision(run, pick_device(run.train.device)))
    return Survey(model, base.read_config(model), wanted, reading, store)


def prepare(survey: Survey, device: str, world: World = ALONE) -> Generator[latents.Progress, None, Data]:
    """Encode what is missing, then return the Data; the value of this generator."""
    store = survey.latents
    missing = store.missing(survey.clips)
    world.wait()  # before any is encoded: all share out the same clips
    yield from store.encode(missing[world.rank :: world.size], device=device)
    world.wait()
    return survey.data(store.patches)


def _with_references(examples: Sequence[Example], clips: Sequence[corpus.TrainingClip]) -> list[Example]:
    """Each example after the clip that the manifest names for it; one of another split is never heard."""
    known = {clip.id: (clip, example) for clip, example in zip(clips, examples, strict=True)}
    after = []
    for clip, example in zip(clips, examples, strict=True):
        named, voice = known.get(clip.reference, (None, None))
        if named and voice and named.split == clip.split and named is not clip:
            example = replace(example, reference=voice.id, reference_patches=voice.patches)
        after.append(example)
    return after


def note_files(model: Path, *, quiet: bool = False) -> None:
    """Warn of tensors of the base that are not used. Raises UserError where its files do not fit together."""
    surplus = voxcpm.check_files(model)
    if surplus and not quiet:
        log.warning("%s: %s of no layer, such as %s: not used", model, counted(len(surplus), "tensor"), surplus[0])


def _readings(clips: Sequence[corpus.TrainingClip], run: config.Run) -> dict[str, corpus.Reading]:
    """How training text is written. Raises UserError where a corpus cannot be trained on as the run asks."""
    if not corpus.of(clips, "train"):
        raise UserError(f"{run.corpus} has no clips in the training split: look at [split] in its recipe")
    if run.train.validate_every:
        corpus.check_validation(clips)
    return corpus.readings(clips)


def _check_lengths(examples: Iterable[Example], settings: dict[str, Any]) -> None:
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
    return seed_of(run.train.seed, epoch, example.id, example.repeat)


def validation_seed(draw: int, example: Example) -> int:
    """Of a held-out clip's draws: not of the run's seed, since runs are compared with each other."""
    return seed_of("validation", draw, example.id)
