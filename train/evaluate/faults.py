"""What users of fine-tuned speech complain of, found in the sound, and in what a recogniser heard where there is one.

    early_stop     it ends before its text does
    omission       words of the text were not said
    repetition     something is said twice that the text has once
    runaway        it goes on after the text, or far longer than the text takes
    ignored_text   what is said is another text, or the same for different texts
    clipping       samples were cut off at a ceiling
    silence        no speech, or a long stretch without it

Without a recogniser, how long a sentence should take is known from people (phones a second, of the natural
recordings), so
only what is far off is found: about a third of the sentence missing, or more than half as much again. With one, words
are looked at (`word_faults`). Tuned on Zeroth 0019, 0253 and 0294 and one Khmer sentence, each with the fault
made in
it; judged on other files (docs/evaluation.md has the figures, tests/train/evaluate/test_faults.py makes them again).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

import numpy as np

from curate.measures import clipping
from curate.measures.spectra import finite
from curate.models.silero import Samples
from train.evaluate import cer, likeness, word_faults
from train.evaluate.likeness import Features
from train.evaluate.prosody import RATE, Heard

NAMES = ("early_stop", "omission", "repetition", "runaway", "ignored_text", "clipping", "silence")
VERSION = 2  # raise it when an answer changes

PACE = {"km": 11.6, "ko": 13.6}  # phones a second of speech: read sentences of the files tuned on
SHORT, SHORT_ABRUPT, LONG = 0.62, 0.86, 1.6  # of the seconds that a text takes; people stay within 0.8 to 1.3
ABRUPT_FRAME, ABRUPT = 0.03, 12.0  # seconds at the very end; dB under the speech: speech that ends has faded further
CLIPPED = 0.002  # share of samples; as `filter.clipped` of a recipe
EDGE, GAP = 1.6, 1.6  # seconds without speech; Zeroth's readers are silent for up to 1.4 at their ends
NOISE = 15.0  # dB under the speech: what is louder after it is no quiet room
# Likeness of two stretches of these seconds in one sentence. Clean speech stays under 0.69, 0.64 and 0.55; what is said
# again 7 % slower or 6 % faster and at another level reaches 0.69, 0.68 and 0.67.
REPEATS = ((0.6, 0.78), (0.8, 0.69), (1.0, 0.66))
# Phones, half a second of them, that stand twice in the text itself: there a repetition is what was asked for.
REPEATED_TEXT = 7.0
SAME, ALIKE = 0.6, 1.25  # sameness of two sounds: other sentences stay under 0.45; longest ratio of their lengths
OTHER_TEXT = 0.5  # character errors between two texts that are not the same text


@dataclass(frozen=True)
class Spoken:
    """One sentence as it was spoken, with all that is looked at."""

    sentence: str
    text: str  # in spoken form
    language: str
    phones: int
    heard: Heard
    measured: Mapping[str, float | None]  # of prosody
    clipped: float  # share of samples
    cut_off: bool = False  # stopped by the limit of its length
    written: str | None = None  # by a recogniser that can be trusted here
    features: Features = field(default_factory=lambda: np.zeros((0, likeness.CEPSTRA)))


def clipped_share(samples: Any) -> float:
    """The share of a sound's samples that were cut off at a ceiling."""
    sound = finite(samples)
    peak = float(np.abs(sound).max(initial=0.0))
    return clipping.share(sound / np.float32(peak), RATE, 1 / (32768 * peak)) if peak > 0 else 0.0


def find(spoken: Spoken, pace: float | None = None) -> dict[str, str]:
    """The faults of one sentence with what shows them, in the order of NAMES. `pace`: phones a second of people."""
    found: dict[str, str] = {}
    if spoken.clipped > CLIPPED:
        found["clipping"] = f"{100 * spoken.clipped:.2f} % of the samples at a ceiling"
    if noisy := _noise_after(spoken):
        found["runaway"] = noisy
    elif silent := _silence(spoken.measured):
        found["silence"] = silent
    if spoken.cut_off:
        found["runaway"] = "stopped by the limit of its length"
    if spoken.measured["speech_seconds"]:
        found |= _by_length(spoken, pace or PACE[spoken.language]) if spoken.written is None else {}
        found |= _by_length_alone(spoken, pace or PACE[spoken.language])
        found |= _repetition(spoken)
        if spoken.written is not None:
            found |= word_faults.find(spoken.text, spoken.written, spoken.language)
    return {name: found[name] for name in NAMES if name in found}


def ignored(spoken: Sequence[Spoken]) -> dict[str, str]:
    """Sentences of one condition that sound like another one with another text: sentence -> which, and how alike."""
    found: dict[str, str] = {}
    for one, other in combinations(spoken, 2):
        if one.language != other.language or one.sentence == other.sentence or not _alike_in_length(one, other):
            continue
        if cer.errors(one.text, other.text, one.language).rate < OTHER_TEXT:
            continue
        alike = likeness.sameness(one.features, other.features)
        if alike >= SAME:
            found.setdefault(one.sentence, f"sounds like {other.sentence}, whose text is another ({alike:.2f})")
            found.setdefault(other.sentence, f"sounds like {one.sentence}, whose text is another ({alike:.2f})")
    return found


def _alike_in_length(one: Spoken, other: Spoken) -> bool:
    short, long = sorted((len(one.features), len(other.features)))
    return short > 0 and long <= ALIKE * short


def _silence(measured: Mapping[str, float | None]) -> str | None:
    if not measured["speech_seconds"]:
        return "no speech in it"
    for name, limit, where in (("head", EDGE, "before"), ("tail", EDGE, "after"), ("gap", GAP, "inside")):
        if (seconds := measured[name] or 0.0) > limit:
            return f"{seconds:.1f} s without speech {where} what is said"
    return None


def _noise_after(spoken: Spoken) -> str | None:
    """Noise or a hum, nearly as loud as the speech, for as long after it as silence may not last."""
    tail, speech = spoken.measured["tail"] or 0.0, spoken.heard.speech
    if tail <= EDGE or not speech:
        return None
    after, said = spoken.heard.sound[speech[-1][1] :], likeness.join(spoken.heard.sound, speech)
    loud = _power(after[len(after) // 10 :]) > _power(said) * 10 ** (-NOISE / 10)  # the voice fades first
    return f"{tail:.1f} s of noise after what is said" if loud else None


def _power(part: Samples) -> float:
    return float(np.mean(part.astype(np.float64) ** 2))


def _by_length(spoken: Spoken, pace: float) -> dict[str, str]:
    """Too short for its text: where it breaks off in the middle of speech it stopped early, else both are possible."""
    if not spoken.phones:
        return {}
    expected = spoken.phones / pace
    ratio = (spoken.measured["speech_seconds"] or 0.0) / expected
    says = f"{ratio:.0%} of the time that its text takes"
    if _is_abrupt(spoken.heard):
        return {"early_stop": f"{says}, and breaks off"} if ratio < SHORT_ABRUPT else {}
    return {"early_stop": says, "omission": says} if ratio < SHORT else {}


def _by_length_alone(spoken: Spoken, pace: float) -> dict[str, str]:
    ratio = (spoken.measured["speech_seconds"] or 0.0) * pace / spoken.phones if spoken.phones else 0.0
    return {"runaway": f"{ratio:.0%} of the time that its text takes"} if ratio > LONG else {}


def _is_abrupt(heard: Heard) -> bool:
    """Whether the sound ends as loud as speech is."""
    size = round(ABRUPT_FRAME * RATE)
    speech = likeness.join(heard.sound, heard.speech)
    if len(heard.sound) < size or not len(speech):
        return False
    return _power(heard.sound[-size:]) > _power(speech) * 10 ** (-ABRUPT / 10)


def _repetition(spoken: Spoken) -> dict[str, str]:
    letters = cer.prepared(spoken.text, spoken.language)
    if _longest_repeat(letters) * spoken.phones >= REPEATED_TEXT * len(letters):
        return {}
    for seconds, limit in REPEATS:
        alike = likeness.repeats(spoken.features, seconds)
        if alike >= limit:
            return {"repetition": f"{seconds:g} s are said twice ({alike:.2f} alike)"}
    return {}


def _longest_repeat(text: str) -> int:
    """Letters of the longest piece that stands in a text twice."""
    longest = 0
    for start in range(len(text)):
        while text.find(text[start : start + longest + 1], start + longest + 1) >= 0 and start + longest < len(text):
            longest += 1
    return longest
