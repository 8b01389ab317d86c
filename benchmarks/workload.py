"""What the training step is measured on: three sizes of one architecture, and synthetic Khmer and Korean clips."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from train.model import base, tiny

RATE = 16_000  # the AudioVAE listens at this rate
ORDINARY = 105  # token ids below are marks
TEXT = {"km": (60, 260), "ko": (20, 60)}  # tokens of the shortest and of the longest clip
SIZES = ("tiny", "45m", "full")


@dataclass(frozen=True)
class Spoken:
    """A clip: its text as ids, and its sound."""

    id: str
    language: str
    text: tuple[int, ...]
    samples: npt.NDArray[np.float32]

    @property
    def seconds(self) -> float:
        """How long it sounds."""
        return len(self.samples) / RATE


def configuration(size: str) -> dict[str, Any]:
    """config.json of one of SIZES: the tests' model, a middle one in the same layout, the published one."""
    if size == "tiny":
        return tiny.configuration()
    return base.real_config() if size == "full" else _middle()


def _middle() -> dict[str, Any]:
    """45 million parameters in the published proportions: MLPs 3 and 4 times as wide, heads twice the DiT's width."""
    config = base.real_config()
    heads = {"num_attention_heads": 6, "num_key_value_heads": 2, "kv_channels": 64}
    sizes = {"hidden_size": 384, "intermediate_size": 1152, "num_hidden_layers": 14, "vocab_size": 8192}
    config["lm_config"] |= heads | sizes
    half = heads["kv_channels"] // 2
    config["lm_config"]["rope_scaling"] |= {"long_factor": [1.0] * half, "short_factor": [1.0] * half}
    for part in ("encoder_config", "dit_config"):
        config[part] |= {"hidden_dim": 192, "ffn_dim": 768, "num_heads": 6, "num_layers": 6, "kv_channels": 64}
    config["audio_vae_config"] |= {"encoder_dim": 16, "decoder_dim": 256, "latent_dim": 32}
    small = {"feat_dim": 32, "residual_lm_num_layers": 4, "scalar_quantization_latent_dim": 128}
    return config | small | {"max_length": 2048}


def clips(count: int, *, seconds: tuple[float, float], vocabulary: int, seed: int) -> list[Spoken]:
    """Clips of both languages in turn, their lengths spread evenly from the first to the second, in a drawn order."""
    drawn, noise = random.Random(seed), np.random.default_rng(seed)
    shares = [number / max(1, count - 1) for number in range(count)]
    drawn.shuffle(shares)
    languages = [("km", "ko")[number % 2] for number in range(count)]
    made = []
    for number, (share, language) in enumerate(zip(shares, languages, strict=True)):
        length = round(RATE * (seconds[0] + share * (seconds[1] - seconds[0])))
        fewest, most = TEXT[language]
        text = tuple(drawn.randrange(ORDINARY, vocabulary) for _ in range(round(fewest + share * (most - fewest))))
        made.append(Spoken(f"{language}{number}", language, text, _sound(length, noise)))
    return made


def _sound(length: int, noise: np.random.Generator) -> npt.NDArray[np.float32]:
    """Noise that swells and fades four times a second, as syllables do."""
    swell = 1 + np.sin(2 * np.pi * 4 * np.arange(length) / RATE)
    return (0.05 * swell * noise.normal(size=length)).astype(np.float32)


def amounts(spoken: Sequence[Spoken]) -> str:
    """What there is, for people."""
    total, tokens = sum(each.seconds for each in spoken), sum(len(each.text) for each in spoken)
    languages = ", ".join(f"{sum(each.language == name for each in spoken)} {name}" for name in TEXT)
    shortest, longest = min(each.seconds for each in spoken), max(each.seconds for each in spoken)
    return (
        f"{len(spoken)} clips ({languages}) of {shortest:.1f} to {longest:.1f} s: {total:.1f} s, {tokens} text tokens"
    )
