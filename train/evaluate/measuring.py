"""What is measured of each spoken sentence, a record each: prosody, voice, predicted quality, faults, what was heard.

Everything here reads the WAVs on disk and asks models that need no GPU; a record is kept under the fingerprint of
whatever answered, so that a second command asks only about what is new.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from curate import audio
from curate.errors import Unreadable, UserError
from curate.measures import pace
from curate.models.campplus import Campplus, Embedding
from curate.models.recogniser import Recogniser
from curate.models.silero import Samples, Silero
from curate.text import normalise
from train.evaluate import faults, folder, likeness, prosody, quality, speaker
from train.evaluate.folder import NATURAL, Answers, Sentence, digest

RATE = 16_000
VERSION = 1  # raise it when a record of the sound changes

Key = tuple[str, int]  # sentence, take


@dataclass
class Meter:
    """Asks the models; they load at the first question and are shared by all conditions."""

    quality: bool = True
    _silero: Silero = field(default_factory=Silero)
    _campplus: Campplus = field(default_factory=Campplus)
    _rate: Callable[[Samples], dict[str, float | None]] | None = None
    _phones: dict[tuple[str, str], int] = field(default_factory=dict)

    @property
    def fingerprint(self) -> str:
        """What decides the records of sounds."""
        rated = quality.extractor()[1] if self.quality else "none"
        return digest([VERSION, faults.VERSION, self._silero.fingerprint, self._campplus.fingerprint, rated])

    def phones(self, sentence: Sentence) -> int:
        """Sounds in a sentence, as it is pronounced."""
        key = (sentence.text, sentence.language)
        if key not in self._phones:
            self._phones[key] = pace.phones(normalise(sentence.text, sentence.language, "pronounced"))
        return self._phones[key]

    def sound(self, path: Path, sentence: Sentence) -> dict[str, Any]:
        """The record of one WAV: prosody, the share of clipped samples, the voice as 192 numbers, predicted quality."""
        own, sound = read(path)
        heard = prosody.listen(self._silero, sound)
        voice = speaker.embed(self._campplus, sound, heard.speech)
        return {
            **prosody.measure(heard, self.phones(sentence)),
            "clipped": round(faults.clipped_share(own), 6),
            "voice": None if voice is None else [round(float(each), 5) for each in voice],
            **(self._quality(sound) if self.quality else {}),
        }

    def _quality(self, sound: Samples) -> dict[str, float | None]:
        if self._rate is None:
            self._rate = quality.extractor()[0]
        return self._rate(sound)

    def embedding(self, path: Path) -> Embedding | None:
        """The voice in a recording of the corpus."""
        _, sound = read(path)
        return speaker.embed(self._campplus, sound, prosody.listen(self._silero, sound).speech)

    def spoken(self, path: Path, sentence: Sentence, record: Mapping[str, Any], written: str | None) -> faults.Spoken:
        """A sentence with all that the detectors of faults look at."""
        _, sound = read(path)
        heard = prosody.listen(self._silero, sound)
        return faults.Spoken(
            sentence.id, sentence.text, sentence.language, self.phones(sentence), heard, record, record["clipped"],
            bool(record["cut_off"]), written, likeness.features(likeness.join(sound, heard.speech)),
        )  # fmt: skip


def read(path: Path) -> tuple[Samples, Samples]:
    """A sound's samples, and the same at 16 kHz."""
    try:
        samples, rate = audio.read(path)
    except Unreadable as problem:
        raise UserError(f"{path} cannot be read ({problem}): remove it, and it is made again") from problem
    return samples, np.asarray(audio.resample(samples, rate, RATE), dtype=np.float32)


def sounds(
    into: Path, condition: str, spoken: Sequence[Mapping[str, Any]], sentences: Mapping[str, Sentence], meter: Meter
) -> Iterator[tuple[int, int]]:
    """Measure the WAVs of a condition that were not yet; yields how far it has come."""
    noted = Answers(folder.answers(into, condition, f"sound-{meter.fingerprint}"), _key)
    missing = [each for each in spoken if _key(each) not in noted.found]
    for done, each in enumerate(missing, start=1):
        path = folder.wav(into, condition, each["sentence"], each["take"])
        record = meter.sound(path, sentences[each["sentence"]])
        noted.add([{"sentence": each["sentence"], "take": each["take"], **record}])
        yield done, len(missing)


def hearings(
    into: Path, condition: str, spoken: Sequence[Mapping[str, Any]], sentences: Mapping[str, Sentence],
    recognisers: Mapping[str, Recogniser],
) -> Iterator[tuple[int, int]]:  # fmt: skip
    """Transcribe the WAVs of a condition that were not yet, by the recogniser of each language."""
    for language, recogniser in recognisers.items():
        noted = Answers(heard_path(into, condition, language, recogniser), _key)
        own = [each for each in spoken if sentences[each["sentence"]].language == language]
        missing = [each for each in own if _key(each) not in noted.found]
        for done, each in enumerate(missing, start=1):
            _, sound = read(folder.wav(into, condition, each["sentence"], each["take"]))
            heard = recogniser.transcribe([sound], language)[0]
            noted.add([{"sentence": each["sentence"], "take": each["take"], "heard": heard}])
            yield done, len(missing)


def heard_path(into: Path, condition: str, language: str, recogniser: Recogniser) -> Path:
    """Where what one recogniser wrote is kept."""
    return folder.answers(into, condition, f"heard-{language}-{digest(recogniser.fingerprint)}")


def voices(clips: Mapping[tuple[str, str], Sequence[tuple[str, Path]]], meter: Meter, into: Path) -> speaker.Voices:
    """The speakers of a corpus: (language, speaker) -> clips with their files; kept beside the natural recordings."""
    noted = Answers(folder.answers(into, NATURAL, f"voices-{meter.fingerprint}"), lambda line: str(line["clip"]))
    for own in clips.values():
        for clip, path in own:
            if clip not in noted.found:
                found = meter.embedding(path)
                voice = None if found is None else [round(float(each), 5) for each in found]
                noted.add([{"clip": clip, "voice": voice}])
    known = {
        key: {clip: np.asarray(noted.found[clip]["voice"]) for clip, _ in own if noted.found[clip]["voice"]}
        for key, own in clips.items()
    }
    return speaker.Voices(known)


def _key(line: Mapping[str, Any]) -> Key:
    return str(line["sentence"]), int(line["take"])
