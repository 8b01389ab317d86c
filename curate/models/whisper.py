"""Whisper, through faster-whisper (MIT) on CTranslate2 (MIT): which language, what was said, and when each word was."""

import functools
import hashlib
import math
import threading
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from curate.audio import LISTENING_RATE
from curate.errors import UserError
from curate.models import bundled, compute, whisper_files, whisper_rest

ADAPTER = 1  # raise it when an answer changes for the same model and packages: it enters the fingerprint
WINDOW = 30 * LISTENING_RATE  # Whisper hears 30 s at once
SAMPLES_PER_STEP = 320  # one position of the encoder's output, 20 ms
INT8, FLOAT16 = "int8", "float16"  # on the CPU, on a GPU

BEAM = 5  # Whisper's and faster-whisper's own default
MAX_COMPRESSION = 2.4  # Whisper's own sign of a text that repeats itself: bytes of the text over bytes of its zlib form
NO_REPEAT = 3  # the second try after a repeating text: no three tokens twice
TOKENS_PER_SECOND = (
    50  # Khmer costs Whisper about 3 tokens a character and reaches 15 characters/s; a runaway stops here
)
ENCODED_KEPT = 32  # clips; 3 MB each with whisper-base
MAX_TOKENS = 440  # the decoder's 448 positions less its prompt
LEAST_CONFIDENCE = math.exp(-1)  # of a rest: Whisper's own bound; of what it writes under music most is below 0.3
CROPPED_AFTER = 25  # encoder positions

Samples = NDArray[np.float32]


@dataclass(frozen=True)
class Heard:
    """What Whisper heard in one clip; `confidence` is exp(mean log probability of its tokens), 0 for no text."""

    text: str
    confidence: float


@dataclass(frozen=True)
class Word:
    """One word of the given text at its place in the clip: samples, half-open; mean probability of its tokens."""

    word: str
    start: int
    end: int
    probability: float


@dataclass(frozen=True)
class Aligned:
    """A given text laid over its clip: its whitespace-separated words in order, and their mean probability."""

    words: tuple[Word, ...]
    score: float


class Whisper:
    """Hears 16 kHz mono clips; answers one per clip, in order, each from its clip alone.

    `model`: "bundled" (whisper-base, offline), a folder with a CTranslate2 Whisper, or `owner/name@commit` on the hub,
    where the 40-digit commit is required because a branch or a tag can move. The weights load at the first question,
    so that a corpus whose answers are all cached never loads them. Temperature is 0 throughout: nothing is sampled.
    """

    def __init__(self, model: str = "bundled", threads: int = 1, *, device: str = "cpu") -> None:
        self._name, self._threads, self._device = model, threads, device
        self._gpu = compute.index(device)
        self._hub = None if model == "bundled" or Path(model).expanduser().is_dir() else whisper_files.hub_id(model)

    @functools.cached_property
    def fingerprint(self) -> str:
        """What decides the answers: weights, package versions, settings and this adapter's version."""
        packages = [f"{package}-{version(package)}" for package in ("faster-whisper", "ctranslate2")]
        settings = [*self._where(), f"beam-{BEAM}", f"compression-{MAX_COMPRESSION}"]
        return " ".join([f"whisper-{ADAPTER}", self._weights(), *packages, *settings])

    @property
    def hearing(self) -> str:
        """What decides what `transcribe` answers."""
        return f"{self.fingerprint} rest-{whisper_rest.VERSION}"

    def languages(self, clips: Sequence[Samples]) -> list[dict[str, float]]:
        """The probability of every language Whisper knows, from the first 30 s; {} for a clip that cannot be heard.

        Give it speech only: silence and single words make it guess (`curate.measures.agreement.speech_only`).
        """
        return [self._languages(clip) for clip in map(ready, clips)]

    def transcribe(self, clips: Sequence[Samples], language: str) -> list[Heard]:
        """What was said; longer clips are heard in windows of 30 s. No text is ("", 0.0).

        A text that repeats itself is heard once more with repeats forbidden, which is deterministic where Whisper's
        own remedy, sampling at a higher temperature, is not. Where it stops although somebody goes on, the rest is
        heard as a clip of its own.
        """
        sounds = [ready(clip) for clip in clips]
        answers = self._recognised(sounds, language)
        going_on = {row: (sound, answers[row]) for row, sound in enumerate(sounds) if len(sound) <= WINDOW}
        while rests := self._rests(going_on, language):
            heard_on = self._recognised(list(rests.values()), language)
            going_on = {
                row: (rest, more)
                for (row, rest), more in zip(rests.items(), heard_on, strict=True)
                if more.confidence >= LEAST_CONFIDENCE
            }
            for row, (_, more) in going_on.items():
                answers[row] = joined(answers[row], more)
        return answers

    def align(self, clips: Sequence[Samples], texts: Sequence[str], language: str) -> list[Aligned | None]:
        """Where each word of the given text was said; None without sound or text, or with more than Whisper takes."""
        sounds = [ready(clip) for clip in clips]
        words = [text.split() for text in texts]
        tokens = [self._word_tokens(each, language) for each in words]
        paths = self._paths(sounds, [[token for word in each for token in word] for each in tokens], language)
        return [
            place(own, split, path.alignments, path.text_token_probs, len(sound)) if path else None
            for sound, own, split, path in zip(sounds, words, tokens, paths, strict=True)
        ]

    def _languages(self, clip: Samples) -> dict[str, float]:
        if not len(clip):
            return {}
        probabilities = self._model.model.detect_language(self._encode(clip))[0]
        return {token.strip("<|>"): float(probability) for token, probability in probabilities}

    def _rests(self, going_on: Mapping[int, tuple[Samples, Heard]], language: str) -> dict[int, Samples]:
        """What is left of sounds, by row, behind the texts that were heard in them, where that is speech."""
        asked = {row: each for row, each in going_on.items() if whisper_rest.may_go_on(each[0], each[1].text)}
        if not asked:
            return {}
        tokenizer = self._tokenizer(language)
        tokens = [tokenizer.encode(f" {text.text}") for _, text in asked.values()]
        paths = self._paths([sound for sound, _ in asked.values()], tokens, language, cropped=True)
        rests = {}
        for (row, (sound, _)), written, path in zip(asked.items(), tokens, paths, strict=True):
            letters = [at for at, token in enumerate(written) if _is_letter(tokenizer.decode([token]))]
            if path and letters:
                first = min(step for token, step in path.alignments if token == letters[-1])
                rests[row] = whisper_rest.rest(sound, first * SAMPLES_PER_STEP)
        return {row: rest for row, rest in rests.items() if len(rest)}

    def _recognised(self, sounds: Sequence[Samples], language: str) -> list[Heard]:
        """What was said, as far as Whisper writes at once."""
        return [self._transcribe(sound, language) for sound in sounds]

    def _transcribe(self, clip: Samples, language: str) -> Heard:
        if not len(clip):
            return Heard("", 0.0)
        first = self._decode(clip, language, no_repeat=0)
        if compression(first.text) <= MAX_COMPRESSION:
            return first
        return self._decode(clip, language, no_repeat=NO_REPEAT)

    def _decode(self, clip: Samples, language: str, *, no_repeat: int) -> Heard:
        segments, _ = self._model.transcribe(
            clip,
            language=self._known(language),
            beam_size=BEAM,
            temperature=0.0,
            no_repeat_ngram_size=no_repeat,
            no_speech_threshold=None,  # the clip was cut by a voice detector; Whisper's own guess drops real speech
            condition_on_previous_text=False,
            without_timestamps=len(clip) <= WINDOW,  # in one window timestamps can only lose words
            max_new_tokens=min(MAX_TOKENS, 16 + TOKENS_PER_SECOND * math.ceil(len(clip) / LISTENING_RATE)),
        )
        return heard((segment.text, len(segment.tokens), segment.avg_logprob) for segment in segments)

    def _paths(
        self, sounds: Sequence[Samples], tokens: Sequence[list[int]], language: str, *, cropped: bool = False
    ) -> list[Any]:
        """CTranslate2's alignment of each sound with its tokens; None without either, or with more than Whisper takes.

        `cropped`: half a second after the sound the window ends, which takes half the time and may move a probability.
        """
        return [
            self._path(sound, own, language, cropped) if can_align(sound, own) else None
            for sound, own in zip(sounds, tokens, strict=True)
        ]

    def _path(self, sound: Samples, tokens: list[int], language: str, cropped: bool) -> Any:
        encoded = self._encode(sound)
        if cropped:
            encoded = _first_steps(encoded, len(sound) // SAMPLES_PER_STEP + CROPPED_AFTER)
        prompt = self._tokenizer(language).sot_sequence
        return self._model.model.align(encoded, prompt, [tokens], frames(sound))[0]

    def _word_tokens(self, words: list[str], language: str) -> list[list[int]]:
        """Tokens word by word, so that the words come back one for one (Whisper's splitter would part punctuation)."""
        tokenizer = self._tokenizer(language)
        return [tokenizer.encode(f" {word}") for word in words]

    def _encode(self, clip: Samples) -> Any:
        from faster_whisper.audio import pad_or_trim

        features = self._model.feature_extractor(clip[:WINDOW])
        # without the last frame, as `transcribe` has it, so that both ask the encoder the same
        return self._model.encode(pad_or_trim(features[:, :-1]))

    def _tokenizer(self, language: str) -> Any:
        from faster_whisper.tokenizer import Tokenizer

        model = self._model
        return Tokenizer(
            model.hf_tokenizer, model.model.is_multilingual, task="transcribe", language=self._known(language)
        )

    def _known(self, language: str) -> str:
        if language not in self._model.supported_languages:
            raise UserError(f"Whisper does not know the language {language!r}; use a code such as km or ko")
        return language

    @functools.cached_property
    def _model(self) -> Any:
        from faster_whisper import WhisperModel  # slow to import
        from tqdm import tqdm

        tqdm.set_lock(threading.RLock())  # its own is a semaphore, which a worker that is killed leaves behind
        compute.require(self._device)
        device, kind = self._where()
        where = {"device": device, "device_index": self._gpu or 0, "compute_type": kind}
        model = WhisperModel(str(self._folder()), cpu_threads=self._threads, **where)
        # the encoder is half the work, and recognition and alignment of one clip ask it the same
        model.encode = _remembering(model.encode)
        return model

    def _where(self) -> tuple[str, str]:
        """The kind of device, and what it computes in."""
        return ("cpu", INT8) if self._gpu is None else ("cuda", FLOAT16)

    def _folder(self) -> Path:
        if self._hub:
            return whisper_files.download(*self._hub)
        return bundled.whisper_base() if self._name == "bundled" else Path(self._name).expanduser()

    def _weights(self) -> str:
        if self._hub:
            return "@".join(self._hub)
        hashes = bundled.WHISPER_BASE if self._name == "bundled" else whisper_files.file_hashes(self._folder())
        return hashlib.sha256(repr(sorted(hashes.items())).encode()).hexdigest()


def _remembering(encode: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """The encoder, giving its recent outputs again when asked about the same window of sound."""
    outputs: dict[bytes, Any] = {}

    def remembered(features: Any) -> Any:
        key = hashlib.sha256(np.ascontiguousarray(features).tobytes()).digest()
        if key not in outputs:
            if len(outputs) >= ENCODED_KEPT:
                outputs.pop(next(iter(outputs)))
            outputs[key] = encode(features)
        return outputs[key]

    return remembered


def _first_steps(encoded: Any, steps: int) -> Any:
    """The beginning of an encoder's output (1, steps, width)."""
    import ctranslate2

    return ctranslate2.StorageView.from_array(np.ascontiguousarray(np.array(encoded)[:, :steps]))


def _is_letter(piece: str) -> bool:
    """Whether a token writes a letter or digit, or a part of one."""
    return any(each.isalnum() or each == "\ufffd" for each in piece)


def frames(sound: Samples) -> int:
    """The frames that hold sound, 10 ms each, as CTranslate2 wants them."""
    return math.ceil(len(sound) / 160)


def can_align(sound: Samples, tokens: list[int]) -> bool:
    """Whether Whisper can align so much."""
    return 0 < len(sound) <= WINDOW and 0 < len(tokens) <= MAX_TOKENS


def heard(segments: Iterable[tuple[str, int, float]]) -> Heard:
    """What several segments say together, each a text, its number of tokens and their mean log probability."""
    spoken = [segment for segment in segments if segment[0].strip()]
    tokens = sum(count for _, count, _ in spoken)
    log_probability = sum(mean * count for _, count, mean in spoken) / max(tokens, 1)
    text = " ".join(each.replace("\ufffd", "").strip() for each, _, _ in spoken).strip()  # half a character
    return Heard(text, min(1.0, math.exp(log_probability)) if text else 0.0)


def joined(text: Heard, rest: Heard) -> Heard:
    """A text and what was said after it; the confidence is the geometric mean over their characters."""
    sizes = np.array([len(text.text), len(rest.text)])
    logarithms = np.log([text.confidence, rest.confidence])
    return Heard(f"{text.text} {rest.text}", float(np.exp(sizes @ logarithms / sizes.sum())))


def ready(clip: Samples) -> Samples:
    """The clip within [-1, 1], contiguous; empty where it holds NaN, or no sound at all."""
    samples = np.ascontiguousarray(clip, dtype=np.float32)
    peak = float(np.max(np.abs(samples), initial=0.0))  # NaN for a clip with NaN
    if not 0 < peak < math.inf:
        return samples[:0]
    return samples / np.float32(peak) if peak > 1 else samples


def compression(text: str) -> float:
    """Bytes of a text over bytes of its zlib form."""
    data = text.encode()
    return len(data) / len(zlib.compress(data))


def place(
    words: list[str], tokens: list[list[int]], path: list[tuple[int, int]], probabilities: list[float], length: int
) -> Aligned:
    """Words with their samples, from CTranslate2's path of (token, encoder step): a token starts at its first step."""
    first_step: dict[int, int] = {}
    for token, step in path:
        first_step.setdefault(token, step)
    placed, begin = [], 0
    for word, word_tokens in zip(words, tokens, strict=True):
        end = begin + len(word_tokens)
        start_sample, end_sample = (min(first_step[at] * SAMPLES_PER_STEP, length) for at in (begin, end))
        placed.append(Word(word, start_sample, end_sample, float(np.mean(probabilities[begin:end]))))
        begin = end
    return Aligned(tuple(placed), float(np.mean([word.probability for word in placed])))
