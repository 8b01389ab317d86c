"""Examples to batches: seeded, resumable, under a token budget, every batch with both languages in proportion."""

import hashlib
import math
import random
from collections.abc import Sequence
from dataclasses import dataclass

import torch

AUDIO_START, AUDIO_END = 101, 102  # fixed in VoxCPM2's code
WINDOW = 16  # batches' worth of clips that are ordered by length together: more pads less and shuffles less


@dataclass(frozen=True)
class Example:
    """One clip, ready to be batched; its latents stay on disk."""

    id: str
    language: str
    text: tuple[int, ...]
    patches: int

    @property
    def length(self) -> int:
        """Positions of its sequence: text, 101, patches, 102."""
        return len(self.text) + self.patches + 2


@dataclass(frozen=True)
class Batch:
    """Sequences `text, 101, audio patches, 102`, padded on the right to the longest.

    tokens, text_mask, audio_mask, labels: (rows, positions); patches: (rows, positions, patch, latent).
    """

    tokens: torch.Tensor
    text_mask: torch.Tensor
    patches: torch.Tensor
    audio_mask: torch.Tensor
    labels: torch.Tensor  # 1 at the last audio patch

    @property
    def targets(self) -> int:
        """Audio patches that the loss is taken over."""
        return int(self.audio_mask.sum())


def seed_of(*parts: object) -> int:
    """A seed that depends on all parts, such as the run's seed and the step: draws need no stored state."""
    digest = hashlib.sha256("/".join(str(part) for part in parts).encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1  # torch takes 63 bits


def plan(examples: Sequence[Example], *, tokens: int, seed: int, epoch: int) -> list[list[int]]:
    """One epoch: every example once, as positions in `examples`; a pure function of its arguments.

    A batch holds at most `tokens` positions, padding included; a longer example is a batch by itself. Inside a window
    each language is ordered by length and the languages are merged by rank: long goes with long, and a batch has the
    languages in the proportion of their clips, however differently their text tokenises.
    """
    draw = random.Random(seed_of(seed, "plan", epoch))
    windows = max(1, math.ceil(sum(each.length for each in examples) / (tokens * WINDOW)))
    shuffled = {language: draw.sample(members, len(members)) for language, members in _by_language(examples).items()}
    batches = []
    for window in range(windows):
        parts = [_part(members, window, windows) for members in shuffled.values()]
        batches += _cut(_merge(parts, examples), examples, tokens)
    draw.shuffle(batches)
    return batches


def in_order(examples: Sequence[Example], *, tokens: int) -> list[list[int]]:
    """Every example once in a fixed order by length and id: for validation."""
    order = sorted(range(len(examples)), key=lambda i: (examples[i].length, examples[i].id))
    return _cut(order, examples, tokens)


def over_budget(examples: Sequence[Example], tokens: int) -> list[Example]:
    """Examples that fill more than a batch by themselves; they are trained on all the same, one at a time."""
    return [example for example in examples if example.length > tokens]


def collate(texts: Sequence[Sequence[int]], patches: Sequence[torch.Tensor]) -> Batch:
    """A batch from token ids and latents (patches, patch, latent), row by row, in the official layout."""
    longest = max(len(text) + len(audio) + 2 for text, audio in zip(texts, patches, strict=True))
    rows = (len(texts), longest)
    tokens, labels = torch.zeros(rows, dtype=torch.long), torch.zeros(rows, dtype=torch.long)
    text_mask, audio_mask = torch.zeros(rows), torch.zeros(rows)
    values = torch.zeros((*rows, *patches[0].shape[1:]))
    for row, (text, audio) in enumerate(zip(texts, patches, strict=True)):
        first, last = len(text) + 1, len(text) + len(audio)  # positions of the first and the last patch
        tokens[row, :first] = torch.tensor([*text, AUDIO_START])
        tokens[row, last + 1] = AUDIO_END
        text_mask[row, :first] = 1
        text_mask[row, last + 1] = 1
        audio_mask[row, first : last + 1] = 1
        values[row, first : last + 1] = audio
        labels[row, last] = 1
    return Batch(tokens, text_mask, values, audio_mask, labels)


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
    longest = 0
    for position in order:
        length = examples[position].length
        longest = max(longest, length)
        if batches and longest * (len(batches[-1]) + 1) <= tokens:
            batches[-1].append(position)
        else:
            batches.append([position])
            longest = length
    return batches
