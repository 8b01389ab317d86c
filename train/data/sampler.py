"""Examples to batches: seeded, resumable, under a token budget, every batch with both languages in proportion."""

import hashlib
import math
import random
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import torch
from torch import Tensor

AUDIO_START, REFERENCE_START, REFERENCE_END = 101, 103, 104  # fixed in VoxCPM2's code; 102, the end, predicts nothing
WINDOW = 16  # batches' worth of clips that are ordered by length together: more pads less and shuffles less


@dataclass(frozen=True)
class Example:
    """One clip, ready to be batched; its latents stay on disk."""

    id: str
    language: str
    text: tuple[int, ...]
    patches: int
    speaker: str = ""
    turn: int = 0  # how often it came before in the same epoch
    reference: str = ""  # another clip of the same speaker that is heard first
    reference_patches: int = 0

    @property
    def length(self) -> int:
        """Positions that are computed: text, 101 and all patches but the last; 103, reference, 104 where there is one.

        The last patch and 102 come after everything that is predicted, and change nothing.
        """
        return len(self.text) + self.patches + (self.reference_patches + 2 if self.reference else 0)


@dataclass(frozen=True)
class Sound:
    """A clip's latents (patches, P, D) and what the local encoder made of each patch (patches, width)."""

    latents: Tensor
    encoded: Tensor


@dataclass(frozen=True)
class Batch:
    """Sequences end to end, without padding: N positions, of which some are text and some audio; R target patches."""

    text: Tensor  # ids of all text positions
    text_at: Tensor  # where among the N they stand
    encoded: Tensor  # the local encoder's outputs for all audio positions
    audio_at: Tensor  # where they stand
    positions: Tensor  # (N,) in its own sequence, from 0
    slots: Tensor | None  # (N,) in a rectangle rows x longest; None: N is that rectangle
    before: Tensor  # (R,) the position whose state predicts each target patch
    targets: Tensor  # (R, P, D)
    previous: Tensor  # (R, P, D) the patch before each; zeros before the first
    last: Tensor  # (R,) True at the last patch of a clip
    clip: Tensor  # (R,) the row that each belongs to
    rows: int
    longest: int

    def to(self, device: torch.device, dtype: torch.dtype) -> "Batch":
        """The same on a device, its floating values in that type."""
        values: dict[str, Any] = {each.name: getattr(self, each.name) for each in fields(self)}
        for name, value in values.items():
            if isinstance(value, Tensor):
                values[name] = value.to(device, dtype if value.is_floating_point() else None, non_blocking=True)
        return Batch(**values)


@dataclass(frozen=True)
class Draws:
    """What is random in the loss of R target patches."""

    time: Tensor  # (R,) standard normal; the model makes t of it
    noise: Tensor  # (R, P, D) standard normal
    guided: Tensor  # (R,) False: both conditions are zeroed, for classifier-free guidance

    def to(self, device: torch.device) -> "Draws":
        """The same on a device."""
        return Draws(*(each.to(device, non_blocking=True) for each in (self.time, self.noise, self.guided)))


def seed_of(*parts: object) -> int:
    """A seed that depends on all parts, such as the run's seed and the step: draws need no stored state."""
    digest = hashlib.sha256("/".join(str(part) for part in parts).encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1  # torch takes 63 bits


def draw(seeds: Sequence[int], sounds: Sequence[Sound], *, unguided: float) -> Draws:
    """Draws for the patches of each clip from its own seed, so that they do not depend on what it is batched with.

    unguided is the share of patches without conditions: 0.1 in training, 0 in validation.
    """
    parts = []
    for seed, sound in zip(seeds, sounds, strict=True):
        generator = torch.Generator().manual_seed(seed)
        count = sound.latents.shape[0]
        guided = torch.rand(count, generator=generator) >= unguided
        time = torch.randn(count, generator=generator)
        parts.append((time, torch.randn(sound.latents.shape, generator=generator), guided))
    times, noises, guides = zip(*parts, strict=True)
    return Draws(torch.cat(times), torch.cat(noises), torch.cat(guides))


def epoch_examples(
    examples: Sequence[Example], *, temperature: float, reference: float, seed: int, epoch: int
) -> list[Example]:
    """What an epoch consists of; a pure function of its arguments.

    At temperature 1 it is every example once. Above it, languages come in proportion to hours^(1/temperature): the one
    with most comes once, the others again and again. The share `reference` hears another clip of its speaker first.
    """
    chosen = []
    hours = {language: _hours(examples, members) for language, members in _by_language(examples).items()}
    most = max(hours.values(), default=1)
    for language, members in _by_language(examples).items():
        times = (most / hours[language]) ** (1 - 1 / temperature)  # share ~ hours^(1/temperature), the largest once
        drawn = random.Random(seed_of(seed, "turns", epoch, language))
        whole, rest = int(times), round((times - int(times)) * len(members))
        again = set(drawn.sample(members, rest))
        chosen += [(position, turn) for position in members for turn in range(whole + (position in again))]
    voices: dict[str, list[Example]] = {}
    for each in examples:
        voices.setdefault(each.speaker, []).append(each)
    return [
        _with_reference(replace(examples[position], turn=turn), voices, reference, seed, epoch)
        for position, turn in sorted(chosen)
    ]


def _hours(examples: Sequence[Example], members: Sequence[int]) -> int:
    return max(1, sum(examples[position].patches for position in members))


def _with_reference(example: Example, voices: dict[str, list[Example]], share: float, seed: int, epoch: int) -> Example:
    if not (share and example.speaker):
        return example
    drawn = random.Random(seed_of(seed, "reference", epoch, example.id, example.turn))
    if drawn.random() >= share:
        return example
    others = [each for each in voices[example.speaker] if each.id != example.id]
    if not others:
        return example
    voice = drawn.choice(others)
    return replace(example, reference=voice.id, reference_patches=voice.patches)


def plan(examples: Sequence[Example], *, tokens: int, seed: int, epoch: int) -> list[list[int]]:
    """One epoch: every example once, as positions in `examples`; a pure function of its arguments.

    A batch holds at most `tokens` positions; a longer example is a batch by itself. Inside a window
    each language is ordered by length and the languages are merged by rank: long goes with long, and a batch has the
    languages in the proportion of their clips, however differently their text tokenises.
    """
    drawn = random.Random(seed_of(seed, "plan", epoch))
    windows = max(1, math.ceil(sum(each.length for each in examples) / (tokens * WINDOW)))
    shuffled = {language: drawn.sample(members, len(members)) for language, members in _by_language(examples).items()}
    batches = []
    for window in range(windows):
        parts = [_part(members, window, windows) for members in shuffled.values()]
        batches += _cut(_merge(parts, examples), examples, tokens)
    drawn.shuffle(batches)
    return batches


def in_order(examples: Sequence[Example], *, tokens: int) -> list[list[int]]:
    """Every example once in a fixed order by length and id: for validation."""
    order = sorted(range(len(examples)), key=lambda i: (examples[i].length, examples[i].id))
    return _cut(order, examples, tokens)


def shard(batch: Sequence[int], examples: Sequence[Example], *, ranks: int, tokens: int) -> list[list[list[int]]]:
    """Split one batch over `ranks` processes, each part into pieces of at most `tokens` positions.

    Longest first to whoever has least, so that no process waits long for another; a pure function of its arguments.
    """
    order = sorted(batch, key=lambda i: (-examples[i].length, examples[i].id))
    dealt: list[list[int]] = [[] for _ in range(ranks)]
    held = [0] * ranks
    for position in order:
        least = held.index(min(held))
        dealt[least].append(position)
        held[least] += examples[position].length
    return [_cut(hand, examples, tokens) for hand in dealt]


def over_budget(examples: Sequence[Example], tokens: int) -> list[Example]:
    """Examples that fill more than a batch by themselves; they are trained on all the same, one at a time."""
    return [example for example in examples if example.length > tokens]


def collate(texts: Sequence[Sequence[int]], sounds: Sequence[Sound], references: Sequence[Sound | None] = ()) -> Batch:
    """A batch from token ids and sounds; where there is a reference voice, it is heard before the text."""
    voices = references or [None] * len(texts)
    parts = [_sequence(*each) for each in zip(texts, sounds, voices, strict=True)]
    lengths = [int(part["length"]) for part in parts]
    starts = torch.tensor([0, *lengths[:-1]]).cumsum(0)
    counts = torch.tensor(lengths)
    longest = max(lengths)
    positions = torch.cat([torch.arange(length) for length in lengths])
    row = torch.arange(len(parts)).repeat_interleave(counts)
    shifted = {
        name: torch.cat([part[name] + start for part, start in zip(parts, starts, strict=True)])
        for name in ("text_at", "audio_at", "before")
    }
    joined = {
        name: torch.cat([part[name] for part in parts]) for name in ("text", "encoded", "targets", "previous", "last")
    }
    return Batch(
        **shifted,
        **joined,
        positions=positions,
        slots=None if min(lengths) == longest else row * longest + positions,
        clip=torch.arange(len(parts)).repeat_interleave(torch.tensor([len(sound.latents) for sound in sounds])),
        rows=len(parts),
        longest=longest,
    )


def _sequence(text: Sequence[int], sound: Sound, voice: Sound | None) -> dict[str, Tensor]:
    """One sequence with its own positions: (103, reference, 104,) text, 101, all patches but the last."""
    patches = len(sound.latents)
    heard = 0 if voice is None else len(voice.latents)
    head = [] if voice is None else [0, heard + 1]
    first = 0 if voice is None else heard + 2
    start = first + len(text)  # of 101
    last = torch.zeros(patches, dtype=torch.bool)
    last[-1] = True
    return {
        "text": torch.tensor(([] if voice is None else [REFERENCE_START, REFERENCE_END]) + [*text, AUDIO_START]),
        "text_at": torch.tensor([*head, *range(first, start + 1)]),
        "encoded": torch.cat([*([] if voice is None else [voice.encoded]), sound.encoded[:-1]]),
        "audio_at": torch.cat([torch.arange(1, heard + 1), torch.arange(start + 1, start + patches)]),
        "before": torch.arange(start, start + patches),
        "targets": sound.latents,
        "previous": torch.cat((torch.zeros_like(sound.latents[:1]), sound.latents[:-1])),
        "last": last,
        "length": torch.tensor(start + patches),
    }


def _by_language(examples: Sequence[Example]) -> dict[str, list[int]]:
    languages: dict[str, list[int]] = {language: [] for language in sorted({each.language for each in examples})}
    for position, example in enumerate(examples):
        languages[example.language].append(position)
    return languages


def _part(members: list[int], window: int, windows: int) -> list[int]:
    return members[len(members) * window // windows : len(members) * (window + 1) // windows]


def _merge(parts: Sequence[list[int]], examples: Sequence[Example]) -> list[int]:
    ranked = []
    for number, part in enumerate(parts):
        by_length = sorted(part, key=lambda i: examples[i].length)
        ranked += [((rank + 0.5) / len(part), number, position) for rank, position in enumerate(by_length)]
    return [position for _, _, position in sorted(ranked)]


def _cut(order: Sequence[int], examples: Sequence[Example], tokens: int) -> list[list[int]]:
    batches: list[list[int]] = []
    filled = 0
    for position in order:
        length = examples[position].length
        if batches and filled + length <= tokens:
            batches[-1].append(position)
            filled += length
        else:
            batches.append([position])
            filled = length
    return batches
