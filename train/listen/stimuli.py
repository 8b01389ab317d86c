"""The sounds of a listening test: one rate, one loudness, nothing that tells which condition they are."""

import hashlib
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from curate import audio
from curate.audio import Samples
from curate.errors import Unreadable, UserError
from train.listen.plan import Made, Plan, place

HIGHEST_RATE = 48_000  # Hz: what phones play
CEILING = -1.0  # dBTP, EBU R 128: what lossy Bluetooth links add does not clip
OVERSAMPLING = 4  # BS.1770: true peaks are read at four times 48 kHz
GATE = 0.4  # seconds of BS.1770's blocks
LEAD, TAIL = 0.2, 0.1  # seconds of silence: Bluetooth and phones swallow the first tenth of a sound
FADE = 0.005  # seconds at both ends, against clicks


@dataclass(frozen=True)
class Level:
    """Loudness in LUFS and true peak in dBTP."""

    loudness: float
    peak: float


def load(plan: Plan, folder: Path, name: str, rate: int) -> Samples:
    """A stimulus as mono at `rate`; one of a made condition is made. Raises UserError, also where a file changed."""
    condition, _, sentence = name.partition("/")
    if condition in plan.made:
        made = plan.made[condition]
        return process(load(plan, folder, f"{made.source}/{sentence}", rate), rate, made, name)
    path = place(folder, plan.stimuli[name])
    samples, own = _read(path, plan.stimuli[name].sha256)
    return audio.resample(samples, own, rate)


def _read(path: Path, sha256: str) -> tuple[Samples, int]:
    try:
        if hashlib.sha256(path.read_bytes()).hexdigest() != sha256:
            raise UserError(f"{path} is not the file that was planned: bring it back, or make a new plan")
        return audio.read(path)
    except FileNotFoundError:
        raise UserError(f"there is no {path}, which the plan names: bring it back, or keep the plan by it") from None
    except (OSError, Unreadable) as problem:
        raise UserError(f"{path} cannot be read as audio: {problem}") from None


def common_rate(plan: Plan, folder: Path) -> int:
    """The highest rate among the stimuli, so that none is heard by its bandwidth alone; at most HIGHEST_RATE."""
    rates = set()
    for entry in plan.stimuli.values():
        path = place(folder, entry)
        try:
            rates.add(audio.probe(path).rate)
        except (OSError, Unreadable) as problem:
            raise UserError(f"{path} cannot be read as audio: {problem}") from None
    return min(HIGHEST_RATE, max(rates))


def process(samples: Samples, rate: int, made: Made, name: str) -> Samples:
    """What a made condition sounds like: low-passed, and for `noise` under white noise that its name decides."""
    from scipy import signal

    edge = min(made.hz, 0.45 * rate)
    sections = signal.butter(8, edge, fs=rate, output="sos")
    low = signal.sosfiltfilt(sections, samples.astype(np.float64))
    if made.process == "noise":
        power = float(np.mean(low**2)) / 10 ** ((made.snr_db or 0.0) / 10)
        seed = int.from_bytes(hashlib.sha256(name.encode("utf-8")).digest()[:8])
        low = low + np.random.default_rng(seed).normal(0, np.sqrt(power), len(low))
    return np.asarray(low, dtype=np.float32)


def level(samples: Samples, rate: int) -> Level | None:
    """Loudness by BS.1770-4 and true peak; None where all of it is gated, as silence is.

    With the weighting filters of libebur128 (De Man, AES e-Brief 2014), right at every rate. What is shorter than one
    block is repeated to fill it.
    """
    import pyloudnorm  # slow to import

    if not len(samples) or not np.abs(samples).max() > 0:
        return None
    block, step = math.ceil(GATE * rate), round(GATE * rate / 4)
    whole = np.tile(samples, -(-block // len(samples))) if len(samples) < block else samples
    whole = whole[: block + (len(whole) - block) // step * step]  # pyloudnorm would count a last block that is not full
    loudness = float(pyloudnorm.Meter(rate, filter_class="DeMan", block_size=GATE).integrated_loudness(whole))
    if not np.isfinite(loudness):
        return None
    top = float(np.abs(audio.resample(samples, rate, rate * OVERSAMPLING)).max())
    return Level(loudness, 20 * float(np.log10(max(top, float(np.abs(samples).max())))))


def target(levels: dict[str, Level], wanted: float) -> float:
    """The loudness that all stimuli can have: `wanted`, or less where one of them would pass the ceiling."""
    return min([wanted, *(each.loudness + CEILING - each.peak for each in levels.values())])


def finish(samples: Samples, rate: int, measured: Level, loudness: float) -> memoryview:
    """The WAV of a stimulus: at its loudness, faded in and out, with silence around. 16 bit, no metadata."""
    sound = samples * np.float32(10 ** ((loudness - measured.loudness) / 20))
    ramp = np.linspace(0, 1, min(int(FADE * rate), len(sound) // 2), dtype=np.float32)
    sound[: len(ramp)] *= ramp
    sound[len(sound) - len(ramp) :] *= ramp[::-1]
    padded = np.pad(sound, (int(LEAD * rate), int(TAIL * rate)))
    return audio.encode(np.rint(padded * 32767).astype(np.int16), rate, "WAV", "PCM_16")
