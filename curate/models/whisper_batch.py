"""Whisper on many clips at once, for a GPU: what `whisper.py` asks clip by clip, asked of a batch.

A clip's answer is that of the same model and the same settings; in half precision, and beside other clips, sums are
rounded otherwise, so that a close call may fall the other way. That is why the device is in the fingerprint.
"""

import hashlib
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from curate.audio import LISTENING_RATE
from curate.models.whisper import (
    BEAM,
    MAX_COMPRESSION,
    MAX_TOKENS,
    NO_REPEAT,
    TOKENS_PER_SECOND,
    WINDOW,
    Heard,
    Samples,
    Whisper,
    can_align,
    compression,
    frames,
    heard,
    ready,
)

BATCHES_KEPT = 4  # of encoder outputs: language, recognition and alignment ask the same clips one after the other


class BatchedWhisper(Whisper):
    """As `Whisper`, `batch` clips at a time. Clips of more than 30 s are recognised one by one."""

    def __init__(self, model: str = "bundled", *, device: str, batch: int, threads: int = 1) -> None:
        super().__init__(model, threads, device=device)
        self._batch = batch
        self._kept: dict[bytes, NDArray[Any]] = {}

    def languages(self, clips: Sequence[Samples]) -> list[dict[str, float]]:
        """As `Whisper.languages`."""
        sounds = [ready(clip) for clip in clips]
        answers: list[dict[str, float]] = [{} for _ in sounds]
        for rows in self._rows(position for position, sound in enumerate(sounds) if len(sound)):
            found = self._model.model.detect_language(self._stacked([sounds[row] for row in rows]))
            for row, probabilities in zip(rows, found, strict=True):
                answers[row] = {token.strip("<|>"): float(probability) for token, probability in probabilities}
        return answers

    def _recognised(self, sounds: Sequence[Samples], language: str) -> list[Heard]:
        answers = [Heard("", 0.0) if len(sound) <= WINDOW else self._transcribe(sound, language) for sound in sounds]
        for rows in self._rows(position for position, sound in enumerate(sounds) if 0 < len(sound) <= WINDOW):
            answered = self._decoded([sounds[row] for row in rows], language)
            repeats = [row for row, each in zip(rows, answered, strict=True) if _repeats(each)]
            again = self._decoded([sounds[row] for row in repeats], language, no_repeat=NO_REPEAT) if repeats else []
            for row, each in [*zip(rows, answered, strict=True), *zip(repeats, again, strict=True)]:
                answers[row] = each
        return answers

    def _paths(
        self, sounds: Sequence[Samples], tokens: Sequence[list[int]], language: str, *, cropped: bool = False
    ) -> list[Any]:
        """As `Whisper._paths`, never cropped: a batch has one length."""
        paths: list[Any] = [None] * len(sounds)
        can_be = (row for row, sound in enumerate(sounds) if can_align(sound, tokens[row]))
        for rows in self._rows(can_be):
            found = self._model.model.align(
                self._stacked([sounds[row] for row in rows]),
                self._tokenizer(language).sot_sequence,
                [tokens[row] for row in rows],
                [frames(sounds[row]) for row in rows],
            )
            for row, each in zip(rows, found, strict=True):
                paths[row] = each
        return paths

    def _rows(self, rows: Any) -> list[list[int]]:
        every = list(rows)
        return [every[begin : begin + self._batch] for begin in range(0, len(every), self._batch)]

    def _decoded(self, sounds: Sequence[Samples], language: str, *, no_repeat: int = 0) -> list[Heard]:
        """Texts of clips within one window; settings as `Whisper._decode` gives them to faster-whisper."""
        from faster_whisper.transcribe import get_suppressed_tokens

        tokenizer = self._tokenizer(language)
        prompt = self._model.get_prompt(tokenizer, [], without_timestamps=True)
        longest = max(map(len, sounds))
        new_tokens = min(MAX_TOKENS, 16 + TOKENS_PER_SECOND * math.ceil(longest / LISTENING_RATE))
        found = self._model.model.generate(
            self._stacked(sounds),
            [prompt] * len(sounds),
            beam_size=BEAM,
            patience=1,
            length_penalty=1,
            repetition_penalty=1,
            no_repeat_ngram_size=no_repeat,
            max_length=len(prompt) + new_tokens,
            return_scores=True,
            suppress_blank=True,
            suppress_tokens=get_suppressed_tokens(tokenizer, [-1]),
        )
        answers = []
        for each in found:
            tokens = each.sequences_ids[0]
            # the score is the mean over the tokens; faster-whisper counts the end as one more
            mean = each.scores[0] * len(tokens) / (len(tokens) + 1)
            answers.append(heard([(tokenizer.decode(tokens), len(tokens), mean)]))
        return answers

    def _stacked(self, sounds: Sequence[Samples]) -> Any:
        """The encoder's outputs of several clips as one batch (clips, 1500, width); those not kept are made at once."""
        import ctranslate2

        keys = [hashlib.sha256(sound[:WINDOW].tobytes()).digest() for sound in sounds]
        if missing := {key: sound for key, sound in zip(keys, sounds, strict=True) if key not in self._kept}:
            made = self._model.model.encode(self._features(list(missing.values())), to_cpu=True)
            if len(self._kept) > (BATCHES_KEPT - 1) * self._batch:
                self._kept = {key: self._kept[key] for key in keys if key in self._kept}
            self._kept |= zip(missing, np.array(made), strict=True)
        return ctranslate2.StorageView.from_array(np.stack([self._kept[key] for key in keys]))

    def _features(self, sounds: Sequence[Samples]) -> Any:
        """Mel features of several clips as one batch (clips, mels, 3000)."""
        import ctranslate2
        from faster_whisper.audio import pad_or_trim

        features = [pad_or_trim(self._model.feature_extractor(sound[:WINDOW])[:, :-1]) for sound in sounds]
        return ctranslate2.StorageView.from_array(np.ascontiguousarray(np.stack(features)))


def _repeats(text: Heard) -> bool:
    return compression(text.text) > MAX_COMPRESSION
