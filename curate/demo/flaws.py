"""What goes wrong with recordings, done to clean ones on purpose. Every function takes and gives mono float32."""

import numpy as np
import soxr
from numpy.typing import NDArray

Audio = NDArray[np.float32]

TELEPHONE = 8_000  # Hz, the rate of a telephone line
FRAME = 0.02  # seconds
LOST = 0.03  # seconds
CUT = (0.1, 0.35)  # seconds from the edge of speech: inside its first or last word


def noisy(wave: Audio, random: np.random.Generator, *, snr: float) -> Audio:
    """White noise added, `snr` dB below the clip."""
    rms = float(np.sqrt(np.mean(wave**2)))
    return wave + hiss(len(wave), random, level=rms * 10 ** (-snr / 20))


def clipped(wave: Audio, *, gain: float) -> Audio:
    """The recording level `gain` dB too high."""
    return np.asarray(np.clip(wave * 10 ** (gain / 20), -1, 1), dtype=np.float32)


def quieter(wave: Audio, *, rate: int, gain: float, trim: float) -> Audio:
    """The same recording at another level (dB), `trim` seconds shorter at its start."""
    return wave[round(trim * rate) :] * np.float32(10 ** (gain / 20))


def telephone(wave: Audio, *, rate: int) -> Audio:
    """Nothing above 4 kHz, at the old rate."""
    return np.asarray(soxr.resample(soxr.resample(wave, rate, TELEPHONE), TELEPHONE, rate), dtype=np.float32)


def lost(wave: Audio, *, rate: int) -> Audio:
    """Three packets of 30 ms lost, at the loudest places of three words."""
    size, broken = round(LOST * rate), wave.copy()
    for third in np.array_split(np.arange(len(wave)), 3):
        power = np.convolve(wave[third] ** 2, np.ones(3 * size), "same")
        at = int(third[0]) + int(np.argmax(power)) - size // 2
        broken[max(0, at) : at + size] = 0
    return broken


def chopped_start(wave: Audio, *, rate: int) -> Audio:
    """Begins inside its first word, where it is loudest."""
    frame = round(FRAME * rate)
    loudness = np.sqrt(np.mean(wave[: len(wave) // frame * frame].reshape(-1, frame) ** 2, axis=1))
    onset = int(np.argmax(loudness > 0.1 * loudness.max()))
    first, last = (onset + round(seconds / FRAME) for seconds in CUT)
    return wave[(first + int(np.argmax(loudness[first:last]))) * frame + frame // 2 :]


def chopped_end(wave: Audio, *, rate: int) -> Audio:
    """Ends inside its last word, where it is loudest."""
    return chopped_start(wave[::-1], rate=rate)[::-1]


def hiss(samples: int, random: np.random.Generator, *, level: float) -> Audio:
    """Steady white noise of an RMS of `level`; at -70 dB, the silence of a room."""
    return (random.standard_normal(samples) * level).astype(np.float32)
