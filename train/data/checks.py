"""Checks of what a run is to learn from: clips that would teach it wrong, by name; none is left out for them."""

import math
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from statistics import median

import numpy as np
import numpy.typing as npt

from curate.errors import Unreadable
from train import config
from train.data import corpus
from train.data.corpus import TrainingClip
from train.data.dataset import Data
from train.data.sampler import Example, over_budget
from train.messages import counted

NAMED = 5  # clips in a message
SILENCE = 0.5  # seconds at either end; trailing silence teaches VoxCPM2 not to stop (its issues 195, 124)
SHORTEST = 2  # patches; of one alone the model learns only to stop
HOURS = 0.5  # of a language; our choice
HELD_OUT = 20  # clips of a language; with fewer the interval is wider than what ranks differ by; our choice
RATE = 16_000  # what VoxCPM2 hears; below it there is less than it expects
FAR, FEWEST, NARROWEST = 5.0, 20, 0.1  # robust z, clips it takes to tell, least spread of the logarithm of pace
FRAME = 0.01  # seconds
LASTING = 6  # frames; a click is shorter
BRACKETS = ("(", "[", "{", "<")


@dataclass(frozen=True)
class Measured:
    """What is known of a clip's audio; None: not measured."""

    head: float | None = None  # seconds of silence before the first speech
    tail: float | None = None  # and after the last
    rate: int | None = None  # Hz
    silent: bool = False  # every sample is zero


def warnings(run: config.Run, data: Data, measured: Mapping[str, Measured] | None = None) -> list[str]:
    """One line for each thing that looks wrong, with the clips' names; no audio is decoded.

    `measured` is what the manifest says of the audio unless more is known, such as from `listened`.
    """
    known = in_manifest(data.clips.values()) if measured is None else measured
    examples = [*data.train, *data.validation]
    lines = (
        *_texts(data, examples),
        *_audio(known, examples),
        *_lengths(run, examples),
        *_pace(data, examples),
        *_twice(data),
        *_amounts(run, data),
    )
    return list(lines)


def in_manifest(clips: Iterable[TrainingClip]) -> dict[str, Measured]:
    """What the manifest says of its clips' silence and rate; one without such columns says nothing."""
    return {clip.id: Measured(clip.head, clip.tail, clip.rate) for clip in clips}


def listened(clips: Sequence[TrainingClip], tick: Callable[[int, int], None]) -> dict[str, Measured]:
    """The same by decoding the clips; one that cannot be read is left to the encoder, which names it."""
    measured = {}
    with ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as workers:
        for done, (clip, each) in enumerate(zip(clips, workers.map(_listen, clips), strict=True), start=1):
            measured[clip.id] = each
            tick(done, len(clips))
    return measured


def silences(samples: npt.NDArray[np.float32], rate: int) -> tuple[float, float]:
    """Seconds before the first and after the last sound, by the energy of frames of 10 ms against the loud ones.

    Sound is what rises 10 dB over the clip's own floor, but 30 to 15 dB below its loud frames, for 60 ms at least. On
    53 clips of real speech it finds 36 of the 38 long ends that silero-vad finds, and 3 that it does not.
    """
    size = max(1, round(FRAME * rate))
    frames = samples[: len(samples) // size * size].reshape(-1, size)
    if len(frames) < LASTING:
        return 0.0, 0.0
    level = 10 * np.log10((frames.astype(np.float64) ** 2).mean(axis=1) + 1e-10)
    loud = float(np.percentile(level, 95))
    floor = float(np.percentile(level[level > loud - 60], 5))  # digital silence is no floor
    over = level > np.clip(floor + 10, loud - 30, loud - 15)
    lasting = np.flatnonzero(np.convolve(over, np.ones(LASTING), "valid") > LASTING - 0.5)
    if not len(lasting):
        return 0.0, 0.0
    first, last = int(lasting[0]), int(lasting[-1]) + LASTING
    return first * size / rate, (len(samples) - last * size) / rate


def _listen(clip: TrainingClip) -> Measured:
    from curate import audio

    try:
        samples, rate = audio.read(clip.path)
    except (Unreadable, OSError):
        return Measured()
    if not samples.any():  # NaN and infinity were read as zero
        return Measured(rate=rate, silent=True)
    return Measured(*silences(samples, rate), rate)


def _texts(data: Data, examples: Sequence[Example]) -> Iterator[str]:
    clips = [data.clips[each.id] for each in examples]
    for language, reading in sorted(data.reading.items()):
        own = [clip for clip in clips if clip.language == language]
        untagged = [clip.id for clip in own if not clip.text.lstrip().startswith(BRACKETS)]
        if not reading.tag.strip() and untagged:
            yield f"{language}: no language tag before the text of {_named(untagged)}: see [tag] in the recipe"
        if blank := [clip.id for clip in own if not any(map(str.isalnum, clip.text.removeprefix(reading.tag)))]:
            yield f"{language}: nothing is said in the text, beside its tag, of {_named(blank)}"
        rest = [clip.id for clip in own if clip.pronounced is None]
        if reading.form == "pronounced" and rest:
            yield f"{language}: trained on pronounced text, but on spoken text in {_named(rest)}"
    if len(forms := {reading.form for reading in data.reading.values()}) > 1:
        forms_of = ", ".join(f"{language} {each.form}" for language, each in sorted(data.reading.items()))
        mixed = f"{' and '.join(sorted(forms))} text are mixed: {forms_of}"
        yield f"{mixed}; sentences to be spoken must be written likewise"


def _audio(known: Mapping[str, Measured], examples: Sequence[Example]) -> Iterator[str]:
    measured = [(each.id, known.get(each.id, Measured())) for each in examples]
    tails = [name for name, each in measured if (each.tail or 0) > SILENCE]
    heads = [name for name, each in measured if (each.head or 0) > SILENCE]
    low = [name for name, each in measured if (each.rate or RATE) < RATE]
    silent = [name for name, each in measured if each.silent]
    if silent:
        yield f"nothing to be heard, every sample is zero or no number: {_named(silent)}"
    if tails:
        yield f"over {SILENCE} s of silence at the end, which teaches the model not to stop: {_named(tails)}"
    if heads:
        yield f"over {SILENCE} s of silence at the start: {_named(heads)}"
    if low:
        yield f"sampled below {RATE} Hz, so dull: {_named(low)}"


def _lengths(run: config.Run, examples: Sequence[Example]) -> Iterator[str]:
    long = [each.id for each in over_budget(examples, run.batch.tokens)]
    short = [each.id for each in examples if each.patches < SHORTEST]
    if long:
        yield f"longer than batch.tokens = {run.batch.tokens}, so a batch each: {_named(long)}"
    if short:
        yield f"shorter than {SHORTEST} patches: {_named(short)}"


def _pace(data: Data, examples: Sequence[Example]) -> Iterator[str]:
    for language in sorted({each.language for each in examples}):
        own = [each for each in examples if each.language == language]
        tag = corpus.shared_start([each.text for each in own])  # the language's tag says nothing of pace
        paces = [
            (each.id, math.log((len(each.text) - tag + 1) / seconds))
            for each in own
            if (seconds := data.clips[each.id].seconds) > 0
        ]
        if len(paces) < FEWEST:
            continue
        usual = median(pace for _, pace in paces)
        spread = max(NARROWEST, 1.4826 * median(abs(pace - usual) for _, pace in paces))  # a normal's deviation
        far = [name for name, pace in paces if abs(pace - usual) > FAR * spread]
        if far:
            yield (
                f"{language}: text tokens per second far from the usual {math.exp(usual):.1f}, so perhaps another's "
                f"transcript: {_named(far)}"
            )


def _twice(data: Data) -> Iterator[str]:
    splits: dict[str, list[Example]] = {}
    for each in (*data.train, *data.validation):
        splits.setdefault(data.latents.path(data.clips[each.id]).name, []).append(each)
    trained = {each.id for each in data.train}
    groups = [[each.id for each in group] for group in splits.values() if len(group) > 1]
    leaked = [name for group in groups if trained & set(group) for name in group if name not in trained]
    if leaked:
        yield f"held out, but trained on too, for the audio is the same: {_named(leaked)}"
    if groups:
        yield f"the same audio more than once: {_named(['='.join(group) for group in groups], 'group')}"


def _amounts(run: config.Run, data: Data) -> Iterator[str]:
    for language in corpus.languages(list(data.clips.values())):
        hours = data.seconds([each for each in data.train if each.language == language]) / 3600
        held = [each.id for each in data.validation if each.language == language]
        if not hours:
            yield f"{language}: held out, but not trained on: {_named(held)}"
            continue
        if hours < HOURS:
            yield f"{language}: {60 * hours:.1f} minutes to train on, under {60 * HOURS:.0f}"
        if run.train.validate_every and len(held) < HELD_OUT:
            yield f"{language}: {counted(len(held), 'clip')} held out, under {HELD_OUT}: too few to compare runs"


def _named(names: Sequence[str], kind: str = "clip") -> str:
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return f"{counted(len(names), kind)} ({', '.join(names[:NAMED])}{more})"
