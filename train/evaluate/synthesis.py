"""Sentences spoken for evaluation: seeds that all conditions share, nothing tried again, and what was cut off is said.

VoxCPM tries a sentence again, up to three times, where it ran away; a comparison must not hide that (retries are off,
and
the share of bad cases is a result). The seed of a take comes from (seed, sentence, take): every condition starts from
the same noise, so differences between them are the adapter's.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from curate.errors import UserError
from train.evaluate import folder as places
from train.evaluate.conditions import Condition
from train.evaluate.folder import Sentence
from train.export.say import write_wav
from train.model import speaking
from train.model.inputs import seed_of


@dataclass(frozen=True)
class Speaking:
    """How sentences are spoken."""

    seed: int = 0
    takes: int = 2
    timesteps: int = 10  # VoxCPM's own defaults, core.py
    guidance: float = 2.0


def seed(settings: Speaking, sentence: str, take: int) -> int:
    """The seed of a take, the same for every condition."""
    return seed_of("evaluation", settings.seed, sentence, take)


def speak(
    model: Any, condition: Condition, sentences: Sequence[Sentence], settings: Speaking, into: Path,
    wanted: Callable[[str, int], bool],
) -> Iterator[dict[str, Any]]:  # fmt: skip
    """Speak every sentence and take that is `wanted`, write it, then yield its record."""
    with speaking.ready_to_speak(model):
        for sentence in sentences:
            for take in range(1, settings.takes + 1):
                if wanted(sentence.id, take):
                    yield _speak(model, condition, sentence, take, settings, into)


def _speak(
    model: Any, condition: Condition, sentence: Sentence, take: int, settings: Speaking, into: Path
) -> dict[str, Any]:
    text, number = condition.text(sentence), seed(settings, sentence.id, take)
    try:
        samples, rate = speaking.speak(
            model, text, seed=number, timesteps=settings.timesteps, guidance=settings.guidance
        )
    except UserError as problem:
        raise UserError(f"sentence {sentence.id} cannot be spoken: {problem}") from None
    if not np.isfinite(samples).all():
        raise UserError(f"{condition.name} speaks no sound but NaN ({sentence.id}): its weights are damaged")
    write_wav((samples, rate), places.wav(into, condition.name, sentence.id, take))
    cut = speaking.patches_of(model, len(samples)) >= speaking.most_patches(model, text)
    return {"sentence": sentence.id, "take": take, "seed": number, "given": text, "cut_off": cut}


def copy_recordings(sentences: Sequence[Sentence], into: Path) -> Iterator[dict[str, Any]]:
    """The natural condition: each recording as 16-bit mono WAV at its own rate."""
    from curate import audio
    from curate.errors import Unreadable

    for sentence in sentences:
        if sentence.recording is None:
            continue
        try:
            sound = audio.read(sentence.recording)
        except Unreadable as problem:
            raise UserError(f"{sentence.recording} cannot be read ({problem}): mend or remove it") from problem
        write_wav(sound, places.wav(into, places.NATURAL, sentence.id))
        yield {"sentence": sentence.id, "take": 1, "seed": None, "given": sentence.text, "cut_off": False}
