"""The losses of each clip in a step: summed up by language, and named where the step was refused."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

NAMED = 5  # clips in a message


@dataclass(frozen=True)
class ClipLosses:
    """The losses of one clip in a batch: sums over its patches."""

    id: str
    language: str
    patches: int
    diff: float
    stop: float


def by_language(clips: Sequence[ClipLosses]) -> dict[str, float]:
    """The loss of each language: over all patches of its clips."""
    languages = {}
    for language in sorted({clip.language for clip in clips}):
        own = [clip for clip in clips if clip.language == language]
        lost = math.fsum(clip.diff + clip.stop for clip in own)
        languages[language] = lost / sum(clip.patches for clip in own)
    return languages


def refusal(step: int, loss: float, norm: float, usual: float, clips: Sequence[ClipLosses]) -> str:
    """Why a step was refused, and on which clips."""
    if not math.isfinite(loss + norm):
        bad = [clip for clip in clips if not math.isfinite(clip.diff + clip.stop)] or list(clips)
        return f"the loss is {loss} at step {step}, on {_named(bad)}: look at them, or lower the rate"
    worst = sorted(clips, key=lambda clip: -(clip.diff + clip.stop) / clip.patches)
    return (
        f"the loss explodes at step {step}: {loss:.3g}, where {usual:.3g} was usual; most on "
        f"{_named(worst[:NAMED])}: look at them, lower the rate, or raise train.explodes_at"
    )


def _named(clips: Sequence[ClipLosses]) -> str:
    names = ", ".join(clip.id for clip in clips[:NAMED])
    return f"the clips {names}" + (f" and {len(clips) - NAMED} more" if len(clips) > NAMED else "")
