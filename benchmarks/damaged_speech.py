"""Do the signal measures survive what happens to recordings? Real speech is damaged here on purpose and measured.

    python benchmarks/damaged_speech.py FOLDER --part judge

FOLDER holds speech in any depth (WAV, FLAC, OGG, MP3). Its files are parted by name into those that thresholds were
tuned on and those that judge them. Prints, for clipping, bandwidth and speech over background, what was found of what
was done: clipped at +6..+18 dB and then turned down, resampled, high-passed or coded; brought up from 8 kHz by five
ways; noise, babble and gates at known levels.
"""

import argparse
import hashlib
import io
import math
from collections.abc import Callable, Iterator
from pathlib import Path

import av
import numpy as np
import polars as pl
import scipy.signal
import soundfile
from numpy.typing import NDArray
from scipy.ndimage import minimum_filter1d

from curate import audio
from curate.measures import signal
from curate.models.silero import Silero

Sound = NDArray[np.float64]
SUFFIXES = {".wav", ".flac", ".ogg", ".mp3"}
PIECE = 5.0  # seconds
CLIPPED, NARROW, NOISY = 0.002, 5000.0, 15.0  # the rules' defaults


def main() -> None:
    """Damage, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="speech")
    parser.add_argument("--part", choices=("tune", "judge"), default="judge", help="which half of the files")
    options = parser.parse_args()
    pieces = list(speech(options.folder, options.part))
    print(f"{len(pieces)} pieces of {PIECE:g} s, {options.part}")
    pl.Config.set_tbl_rows(-1)
    for name, rows in (("clipping", clipping(pieces)), ("bandwidth", bandwidths(pieces)), ("snr", ratios(pieces))):
        table = pl.DataFrame(list(rows), schema=["damage", "truth", "measured", "found"], orient="row")
        print(f"\n{name}")
        print(
            table.group_by("damage", maintain_order=True).agg(
                pl.len(),
                pl.col("found").mean().round(3),
                pl.col("measured").median().round(4).alias("median"),
                (pl.col("measured") - pl.col("truth")).abs().median().round(2).alias("median error"),
            )
        )


def speech(folder: Path, part: str) -> Iterator[tuple[Sound, int]]:
    """Pieces in which somebody speaks, with their rate."""
    for path in sorted(each for each in folder.rglob("*") if each.suffix.lower() in SUFFIXES):
        odd = int(hashlib.sha256(path.name.encode()).hexdigest(), 16) % 2
        if odd != (part == "judge"):
            continue
        samples, rate = audio.read(path)
        size = round(PIECE * rate)
        for start in range(0, max(1, len(samples) - size // 2), size):
            piece = samples[start : start + size].astype(np.float64)
            if len(piece) > size // 2 and sum(b - a for a, b in spans(piece, rate)) > 0.4 * len(piece):
                yield piece - piece.mean(), rate


def spans(samples: Sound, rate: int) -> list[tuple[int, int]]:
    """Where somebody speaks, in samples."""
    listener = Silero().listen()
    listener.feed(audio.resample(samples.astype(np.float32), rate, audio.LISTENING_RATE))
    scale = rate / audio.LISTENING_RATE
    return [(round(start * scale), round(end * scale)) for start, end in listener.finish()]


# ---- clipping


def clipping(pieces: list[tuple[Sound, int]]) -> Iterator[tuple[str, float, float, bool]]:
    """Clipped and then processed; clean and limited speech, processed alike."""
    processes: dict[str, Callable[[Sound, int], tuple[Sound, int]]] = {
        "as it is": lambda x, r: (x, r),
        "turned down": lambda x, r: (x / 4, r),
        "resampled": lambda x, r: (audio.resample(x.astype(np.float32), r, 22_050), 22_050),
        "high-pass": lambda x, r: (scipy.signal.sosfilt(scipy.signal.butter(2, 80, "high", fs=r, output="sos"), x), r),
        "mp3": lambda x, r: (mp3(x, r), r),
    }
    for samples, rate in pieces:
        unit = samples / np.abs(samples).max()
        for name, process in processes.items():
            for kind, sound in (("clean", unit), ("limited", limited(unit, rate))):
                share = signal.measure(np.float32(process(sound, rate)[0]), process(sound, rate)[1], [])["clipped"]
                yield f"{kind}, {name}", 0.0, share or 0.0, (share or 0.0) > CLIPPED
            for gain in (6, 9, 12, 18):
                loud = unit * 10 ** (gain / 20)
                truth = float(np.mean(np.abs(loud) >= 1))
                if truth >= 0.01:
                    sound, at = process(np.clip(loud, -1, 1), rate)
                    share = signal.measure(np.float32(sound), at, [])["clipped"] or 0.0
                    yield f"+{gain} dB, {name}", truth, share, share > CLIPPED


def limited(unit: Sound, rate: int, drive: float = 12.0) -> Sound:
    """Through a limiter that looks 5 ms ahead and lets go within 50 ms."""
    driven = unit * 10 ** (drive / 20)
    ahead = rate // 200
    gain = minimum_filter1d(1 / np.maximum(1, np.abs(driven)), 2 * ahead + 1)
    release, now = math.exp(-1 / (0.05 * rate)), 1.0
    for at, least in enumerate(gain):
        now = gain[at] = least if least < now else release * now + (1 - release) * least
    smooth = np.minimum(np.convolve(gain, np.ones(ahead) / ahead, "same"), 1)
    return np.clip(driven * smooth, -1, 1)


def mp3(samples: Sound, rate: int) -> Sound:
    """Through an MP3 of about 64 kb/s."""
    coded = io.BytesIO()
    quiet = samples / max(1, np.abs(samples).max())
    soundfile.write(coded, quiet, rate, format="MP3", bitrate_mode="CONSTANT", compression_level=0.6)
    coded.seek(0)
    return np.asarray(soundfile.read(coded)[0], dtype=np.float64)


def aac(samples: Sound, rate: int) -> Sound:
    """Through AAC at 64 kb/s."""
    coded = io.BytesIO()
    with av.open(coded, "w", format="adts") as container:
        stream = container.add_stream("aac", rate=rate, layout="mono")
        stream.bit_rate = 64_000
        queue = av.AudioFifo()
        frame = av.AudioFrame.from_ndarray(samples.astype(np.float32)[None], format="fltp", layout="mono")
        frame.rate = rate
        queue.write(frame)
        while (part := queue.read(1024, partial=True)) is not None:
            container.mux(stream.encode(part))
        container.mux(stream.encode(None))
    coded.seek(0)
    with av.open(coded) as container:
        return np.concatenate([frame.to_ndarray()[0] for frame in container.decode(audio=0)]).astype(np.float64)


# ---- bandwidth


def bandwidths(pieces: list[tuple[Sound, int]]) -> Iterator[tuple[str, float, float, bool]]:
    """Limited to 4 kHz and brought up to 24 kHz; and full speech under noise."""
    for samples, rate in pieces:
        if rate < 16_000:
            continue
        low = audio.resample(samples.astype(np.float32), rate, 8000).astype(np.float64)
        at = np.arange(3 * len(low))
        up = {
            "resampled": audio.resample(low.astype(np.float32), 8000, 24_000).astype(np.float64),
            "interpolated": np.interp(at / 3, at[: len(low)], low),
            "repeated": np.repeat(low, 3),
            "zeros stuffed": np.where(at % 3 == 0, np.repeat(low, 3), 0.0),
        }
        up |= {f"{name}, {code.__name__}": code(up[name], 24_000) for name in ("resampled", "interpolated")
               for code in (mp3, aac)}  # fmt: skip
        up |= {f"{name}, noise -60 dB": noisy(up[name], 60) for name in ("resampled", "interpolated")}
        for name, sound in up.items():
            band = signal.measure(np.float32(sound), 24_000, spans(low, 8000) and spans(sound, 24_000))["bandwidth"]
            yield f"4 kHz, {name}", 4000.0, band or 0.0, (band or 0.0) < NARROW
        for name, sound in (("clean", samples), ("white 10 dB", noisy(samples, 10)), ("mp3", mp3(samples, rate))):
            band = signal.measure(np.float32(sound), rate, spans(sound, rate))["bandwidth"]
            yield f"full, {name}", math.nan, band or 0.0, (band or 0.0) < NARROW


def noisy(samples: Sound, snr: float) -> Sound:
    """With white noise so many dB under it."""
    noise = np.random.default_rng(0).normal(size=len(samples))
    return samples + noise * math.sqrt(np.mean(samples**2) / np.mean(noise**2) / 10 ** (snr / 10))


# ---- speech over background


def ratios(pieces: list[tuple[Sound, int]]) -> Iterator[tuple[str, float, float, bool]]:
    """White and pink noise and babble at known levels, and pauses turned down by a gate."""
    for number, (samples, rate) in enumerate(pieces):
        speaking = spans(samples, rate)
        inside = np.concatenate([samples[a:b] for a, b in speaking])
        for kind, noise in backgrounds(samples, rate, pieces, number).items():
            under = np.concatenate([noise[a:b] for a, b in speaking])
            for snr in (5, 10, 20, 30):
                mixed = samples + noise * math.sqrt(np.mean(inside**2) / np.mean(under**2) / 10 ** (snr / 10))
                yield measured(f"{kind}, {snr} dB", snr, mixed, rate)
                if snr == 10:
                    for depth in (20, 40, 60):
                        yield measured(
                            f"{kind}, {snr} dB, gate {depth} dB", snr, gated(mixed, speaking, rate, depth), rate
                        )
        yield measured("clean", math.nan, samples, rate)


def measured(damage: str, snr: float, sound: Sound, rate: int) -> tuple[str, float, float, bool]:
    """A row of the table."""
    ratio = signal.measure(np.float32(sound), rate, spans(sound, rate))["snr"]
    return damage, snr, math.nan if ratio is None else ratio, ratio is not None and ratio < NOISY


def backgrounds(samples: Sound, rate: int, pieces: list[tuple[Sound, int]], number: int) -> dict[str, Sound]:
    """White and pink noise, and six other pieces at once."""
    white = np.random.default_rng(number).normal(size=len(samples))
    spectrum = np.fft.rfft(white)
    pink = np.fft.irfft(spectrum / np.sqrt(np.maximum(np.arange(len(spectrum)), 1)), len(samples))
    others = [pieces[(number + k * 7 + 3) % len(pieces)] for k in range(6)]
    voices = [audio.resample(np.float32(other), at, rate).astype(np.float64) for other, at in others]
    loud = [np.resize(voice[np.abs(voice) > 1e-3] / voice.std(), len(samples)) for voice in voices]
    return {"white": white, "pink": pink, "babble": np.sum(loud, axis=0)}


def gated(samples: Sound, speaking: list[tuple[int, int]], rate: int, depth: float) -> Sound:
    """Turned down by so many dB where nobody speaks."""
    gain = np.full(len(samples), 10 ** (-depth / 20))
    for start, end in speaking:
        gain[max(0, start - rate // 20) : end + rate // 20] = 1
    return samples * np.convolve(gain, np.ones(rate // 100) / (rate // 100), "same")


if __name__ == "__main__":
    main()
