"""Whose voice it is: CAM++ embeddings, against the voices of the corpus.

An adapter on several speakers, asked without a reference, may speak as any of them: so similarity is the cosine with
the nearest speaker of the corpus in that language, whose voice is the mean of up to CLIPS recordings of the held-out
clips. The natural recordings are given the same question, each without itself: that is as near as a voice can be. The
embeddings are signed, as 3D-Speaker publishes the network, so that cosines compare with those of others.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from curate.models.campplus import Campplus, Embedding
from curate.models.silero import Samples

CLIPS = 20  # of a speaker
# Under 2 s of speech the equal error rate doubles (docs/measures/voices.md), so there is no answer.
LEAST_SECONDS = 2.0
RATE = 16_000


class Voices:
    """The speakers of a corpus, by language."""

    def __init__(self, embeddings: Mapping[tuple[str, str], Mapping[str, Embedding]]) -> None:
        """(language, speaker) -> clip -> embedding."""
        self._own = {key: dict(clips) for key, clips in embeddings.items() if clips}

    def nearest(self, language: str, embedding: Embedding, *, without: str = "") -> tuple[str, float] | None:
        """The speaker of that language that a voice is nearest to, and the cosine; `without` leaves a clip out.

        None where there is no voice to compare with, or the clip left out is all that there is of its speaker.
        """
        found = []
        if without and any(of == language and clips.keys() == {without} for (of, _), clips in self._own.items()):
            return None
        for (of, speaker), clips in sorted(self._own.items()):
            own = [each for clip, each in clips.items() if clip != without]
            if of == language and own:
                middle = np.mean(own, axis=0)
                cosine = float(middle @ embedding / (np.linalg.norm(middle) * np.linalg.norm(embedding)))
                found.append((speaker, cosine))
        return max(found, key=lambda each: each[1], default=None)


def embed(model: Campplus, sound: Samples, speech: Sequence[tuple[int, int]]) -> Embedding | None:
    """The voice of a 16 kHz sound; None with less than LEAST_SECONDS of speech."""
    from curate.measures.agreement import speech_only

    spoken = speech_only(sound, speech)
    voice = model.voices([spoken])[0] if len(spoken) >= LEAST_SECONDS * RATE else None
    return None if voice is None else voice.signed
