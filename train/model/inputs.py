"""What the model is given: the token layout of a sequence, sequences packed into batches, and the draws of the loss.

A sequence is `text, 101, patches`; with a reference voice `103, reference patches, 104, text, 101, patches`
(VoxCPM2's `modules/` and training packer). The last patch and 102, the end, come after everything that is predicted
and change nothing, so they are not computed.

A batch is its sequences end to end, without padding: two clips of 1 and 2 text ids and 2 and 3 patches are

    among the N   0  1    2    3  4  5    6  7    N = 8
    what          t  101  p    t  t  101  p  p    the last patch of each is left out
    positions     0  1    2    0  1  2    3  4    in its own sequence: what rotary embeddings turn by
    slots         0  1    2    5  6  7    8  9    in a rectangle of 2 x 5, whose slots 3 and 4 stay empty
    predicts         x    x          x    x  x    R = 5 patches: `before` is 1, 2, 5, 6, 7

Layers that work on each position by itself run on the N. Only attention must know where a sequence begins and ends:
for it positions are put into their slots, a row for each sequence, and taken out again (`losses`).
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import torch
from torch import Tensor

AUDIO_START, REFERENCE_START, REFERENCE_END = 101, 103, 104  # fixed in VoxCPM2's code; 102, the end, predicts nothing


@dataclass(frozen=True)
class EncodedClip:
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

    def pinned(self, dtype: torch.dtype) -> "Batch":
        """The same in memory that a GPU reads by itself, in its own precision: nobody waits for the copy.

        A copy that changes the type, too, would change it here and wait.
        """
        made = self.to(torch.device("cpu"), dtype)
        values: dict[str, Any] = {each.name: getattr(made, each.name) for each in fields(made)}
        for name, value in values.items():
            values[name] = value.pin_memory() if isinstance(value, Tensor) else value
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

    def pinned(self) -> "Draws":
        """The same in memory that a GPU reads by itself."""
        return Draws(*(each.pin_memory() for each in (self.time, self.noise, self.guided)))


def seed_of(*parts: object) -> int:
    """A seed that depends on all parts, such as the run's seed and the step: draws need no stored state."""
    digest = hashlib.sha256("/".join(str(part) for part in parts).encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1  # torch takes 63 bits


def draw(seeds: Sequence[int], sounds: Sequence[EncodedClip], *, unguided: float) -> Draws:
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


def collate(
    texts: Sequence[Sequence[int]], sounds: Sequence[EncodedClip], references: Sequence[EncodedClip | None] = ()
) -> Batch:
    """A batch from token ids and sounds; a reference voice, where there is one, stands before the text."""
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


def _sequence(text: Sequence[int], sound: EncodedClip, voice: EncodedClip | None) -> dict[str, Tensor]:
    """One sequence with its own positions: (103, reference, 104,) text, 101, all patches but the last.

    The state at 101 predicts the first patch, that at each patch the one after it.
    """
    patches = len(sound.latents)
    reference = 0 if voice is None else len(voice.latents)  # patches
    head = [] if voice is None else [0, reference + 1]
    first = 0 if voice is None else reference + 2
    start = first + len(text)  # of 101
    last = torch.zeros(patches, dtype=torch.bool)
    last[-1] = True
    return {
        "text": torch.tensor(([] if voice is None else [REFERENCE_START, REFERENCE_END]) + [*text, AUDIO_START]),
        "text_at": torch.tensor([*head, *range(first, start + 1)]),
        "encoded": torch.cat([*([] if voice is None else [voice.encoded]), sound.encoded[:-1]]),
        "audio_at": torch.cat([torch.arange(1, reference + 1), torch.arange(start + 1, start + patches)]),
        "before": torch.arange(start, start + patches),
        "targets": sound.latents,
        "previous": torch.cat((torch.zeros_like(sound.latents[:1]), sound.latents[:-1])),
        "last": last,
        "length": torch.tensor(start + patches),
    }
