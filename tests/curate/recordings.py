"""Files with something like a voice in them, in many formats, for the tests of reading them."""

from pathlib import Path

import av
import numpy as np

from curate import audio

RATE = 16_000


def voice(seconds: float = 5.0, rate: int = RATE, seed: int = 0) -> audio.Samples:
    """Noise and a tone that rise and fall: nowhere the same twice, so a shift of one sample shows."""
    rng = np.random.default_rng(seed)
    time = np.arange(round(seconds * rate)) / rate
    sound = np.sin(2 * np.pi * 180 * time) * 0.3 + rng.normal(size=len(time)) * 0.05
    return (sound * (0.6 + 0.4 * np.sin(2 * np.pi * 0.7 * time))).astype(np.float32)


def encode(path: Path, samples: audio.Samples, codec: str, *, rate: int, video: bool = False) -> Path:
    """Write through PyAV, optionally beside a picture."""
    with av.open(path, "w") as out:
        stream = out.add_stream(codec, rate=rate, layout="mono")
        if video:
            screen = out.add_stream("mpeg4", rate=5)
            screen.width, screen.height, screen.pix_fmt = 64, 64, "yuv420p"
            out.mux(screen.encode(av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), format="rgb24")))
            out.mux(screen.encode(None))
        frame = av.AudioFrame.from_ndarray(samples[None], format="flt", layout="mono")
        frame.sample_rate = rate
        size = stream.frame_size or None
        convert = av.AudioResampler(format=stream.format, layout="mono", rate=rate, frame_size=size)
        for part in [*convert.resample(frame), *convert.resample(None)]:
            out.mux(stream.encode(part))
        out.mux(stream.encode(None))
    return path
