"""Make the clean speech of `curate demo` from the sentences of `curate/demo/speech/index.tsv`, with espeak-ng.

Run once, by hand, from the repository's root: `.venv/bin/python tests/curate/demo/make_speech.py`. The files it writes
are committed; neither the product nor its tests need espeak-ng. espeak-ng speaks Korean. It does not speak Khmer: there
each word's IPA (khmercut, khmerphonemizer) is handed to a Romanian voice, whose vowels are the nearest, as phoneme
mnemonics. That sounds like Khmer and is enough to exercise every stage; it is nobody's voice and no model for one.
"""

import io
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
import soundfile
import soxr
from numpy.typing import NDArray

Audio = NDArray[np.float32]

SPEECH = Path(__file__).resolve().parents[3] / "curate" / "demo" / "speech"
RATE = 22_050  # what espeak-ng speaks at
LEVEL = 10 ** (-23 / 20)  # RMS of a whole clip, a usual loudness of speech corpora
FLOOR = 10 ** (-68 / 20)  # RMS of a quiet room; digital silence would be unlike any recording
AROUND = (0.3, 0.45)  # seconds of room before and after
QUALITY = 0.6  # of libsndfile's Vorbis, 0 the best and 1 the smallest


@dataclass(frozen=True)
class Speaker:
    """How one voice is made: espeak's variant, pitch (0-99) and words a minute; then `scale`, which multiplies all
    frequencies as a shorter or longer vocal tract does, and `tilt`, dB an octave about 1 kHz, the microphone."""

    variant: str
    pitch: int
    speed: int
    scale: float
    tilt: float
    room: float  # seconds until an echo has fallen by 60 dB


SPEAKERS = {
    "ko-1": Speaker("f1", 45, 185, 1.00, 0.0, 0.15),
    "ko-2": Speaker("m7", 40, 180, 1.00, -1.5, 0.25),
    "ko-3": Speaker("f3", 45, 180, 1.18, 1.0, 0.10),
    "ko-4": Speaker("Lee", 45, 190, 1.18, -0.5, 0.30),
    "km-1": Speaker("m1", 45, 165, 1.18, 1.0, 0.20),
    "km-2": Speaker("m3", 45, 165, 1.00, 0.5, 0.10),
    "km-3": Speaker("klatt3", 45, 170, 1.18, -1.0, 0.25),
    "km-4": Speaker("edward", 45, 165, 0.86, -1.0, 0.15),
}

# Figures as they are said: espeak-ng would read "3개" as "삼개", and knows no Khmer figures.
SAID = {
    "ko": {
        "3개": "세 개", "1개": "한 개", "20분": "이십 분", "9시 30분": "아홉 시 삼십 분", "5일": "오 일",
        "7시": "일곱 시", "6시": "여섯 시", "4시": "네 시", "2킬로그램": "이 킬로그램", "5000원": "오천 원",
        "12만": "십이만", "2호선": "이 호선", "80번째": "여든 번째", "3번": "세 번", "2023년": "이천이십삼 년",
    },
    "km": {
        "9000": "ប្រាំបួនពាន់", "120": "មួយរយម្ភៃ", "200": "ពីររយ", "75": "ចិតសិបប្រាំ", "8": "ប្រាំបី",
        "6": "ប្រាំមួយ", "5": "ប្រាំ", "4": "បួន", "3": "បី", "2": "ពីរ",
    },
}  # fmt: skip

# IPA of khmerphonemizer -> mnemonics of espeak-ng's Romanian voice, the nearest where it lacks the sound
MNEMONICS = {
    "ɓ": "b", "ɗ": "d", "ɡ": "g", "ʔ": "?", "ɲ": "n^", "ŋ": "N", "ʋ": "v#", "ɹ": "r",
    "pʰ": "ph", "tʰ": "th", "cʰ": "ch", "kʰ": "kh",
    "a": "a", "aː": "a:", "ɑ": "a", "ɑː": "a:", "e": "e", "eː": "e:", "ĕ": "e", "ɛ": "E", "ɛː": "E:",
    "ə": "@", "əː": "@:", "ɨ": "y", "ɨː": "y", "ɪ": "i", "ɪ̯": "j", "i": "i", "iː": "i:",
    "o": "o", "oː": "o:", "ŏ": "o", "ɔ": "O", "ɔː": "O:", "u": "u", "uː": "u:", "ŭ": "u", "ʊ": "U", "ʊ̯": "w",
} | {plain: plain for plain in "pbtdckmnjwvrlshfz"}  # fmt: skip
VOWELS = "aeiouy@EOU"


def speak(text: str, language: str, speaker: Speaker) -> Audio:
    """One sentence as `speaker` says it: mono at RATE."""
    for figures, words in SAID[language].items():
        text = text.replace(figures, words)
    if language == "km":
        text = mnemonics(text)
    voice = f"{'ko' if language == 'ko' else 'ro'}+{speaker.variant}"
    speed = round(speaker.speed / speaker.scale)  # scaling will make it faster again
    command = ["espeak-ng", "-v", voice, "-p", str(speaker.pitch), "-s", str(speed), "--stdout", text]
    spoken = subprocess.run(command, check=True, capture_output=True).stdout
    wave, rate = soundfile.read(io.BytesIO(spoken), dtype="float32")
    return np.asarray(soxr.resample(wave, rate * speaker.scale, RATE), dtype=np.float32)


def mnemonics(text: str) -> str:
    """A Khmer sentence as espeak-ng's phoneme mnemonics, a space between words, `_:` for a pause."""
    from khmercut import tokenize
    from khmerphonemizer import phonemize_single

    words: list[str] = []
    for word in tokenize(text):
        letters = word.strip(" ។៕?,")
        if letters == "ៗ":
            words.append(words[-1])
        elif letters:
            words.append(_word([MNEMONICS[sound] for sound in phonemize_single(letters)]))
        elif words:
            words.append("_:")
    return f"[[{' '.join(words)}]]"


def _word(sounds: list[str]) -> str:
    """Khmer stresses the last syllable."""
    last = max((place for place, sound in enumerate(sounds) if sound[0] in VOWELS), default=None)
    # `|` ends a mnemonic: without it `n` and `^` of two sounds could be read as one
    return "|".join(f"'{sound}" if place == last else sound for place, sound in enumerate(sounds))


def record(wave: Audio, speaker: Speaker, random: np.random.Generator) -> Audio:
    """The voice in its room: silence before and after, an echo, the microphone's tilt, a faint hiss."""
    loud = np.flatnonzero(np.abs(wave) > 1e-3)
    quiet = np.pad(wave[loud[0] : loud[-1]], [round(seconds * RATE) for seconds in AROUND])
    spectrum = np.fft.rfft(np.convolve(quiet, _echo(speaker.room))[: len(quiet)])
    hertz = np.maximum(np.fft.rfftfreq(len(quiet), 1 / RATE), 60)
    heard = np.fft.irfft(spectrum * 10 ** (speaker.tilt * np.log2(hertz / 1000) / 20), len(quiet))
    heard *= LEVEL / np.sqrt(np.mean(heard**2))
    return (heard + FLOOR * random.standard_normal(len(heard))).astype(np.float32)


def _echo(seconds: float) -> Audio:
    """The response of a room, the same for every clip of a speaker."""
    length = round(seconds * RATE)
    tail = np.random.default_rng(length).standard_normal(length) * 10 ** (-3 * np.arange(length) / length) * 0.03
    return np.concatenate([[1.0], tail]).astype(np.float32)


def main() -> None:
    """Speak every sentence of the index."""
    for number, row in enumerate(
        pl.read_csv(SPEECH / "index.tsv", separator="\t", quote_char=None).iter_rows(named=True)
    ):
        speaker = SPEAKERS[row["speaker"]]
        wave = speak(row["text"], row["language"], speaker)
        wave = record(wave, speaker, np.random.default_rng(number))
        soundfile.write(SPEECH / row["file"], wave, RATE, format="OGG", subtype="VORBIS", compression_level=QUALITY)
        print(f"{row['file']}  {len(wave) / RATE:.2f} s  peak {np.abs(wave).max():.2f}", file=sys.stderr)


if __name__ == "__main__":
    main()
