"""Where there is speech: as silero itself finds it, however the samples come."""

import numpy as np
import pytest

from curate.models import bundled
from curate.models.silero import WEIGHTS, Blocks, Silero, Spans
from curate.models.silero_network import Network
from tests.curate.models.sounds import KHMER, KOREAN, Samples, answers, sound


@pytest.mark.parametrize("pieces", [(), (1,), (7,), (3, 0, 5), (100,)])
@pytest.mark.parametrize("ahead", [0, 3, 10])
def test_blocks_are_the_same_however_samples_come(pieces: tuple[int, ...], ahead: int) -> None:
    samples = np.linspace(-1, 1, 57, dtype=np.float32)
    blocks = Blocks(10, ahead)
    found: list[Samples] = []
    at = turn = 0
    while pieces and at < len(samples):
        found += blocks.feed(samples[at : at + pieces[turn % len(pieces)]])
        at, turn = at + pieces[turn % len(pieces)], turn + 1
    found += blocks.feed(samples[at:])
    assert all(np.array_equal(block, samples[10 * i : 10 * i + 10 + ahead]) for i, block in enumerate(found))
    assert np.array_equal(blocks.rest(), samples[10 * len(found) :])
    assert len(found) == (57 - ahead) // 10


@pytest.mark.parametrize(
    ("probabilities", "spans"),
    [
        ([0.0, 0.6, 0.6, 0.6, 0.0, 0.0, 0.0], [(10, 40)]),
        ([0.0, 0.6, 0.4, 0.6, 0.0, 0.0, 0.0], [(10, 40)]),  # between `leave` and `enter`: goes on
        ([0.6, 0.6, 0.6, 0.0, 0.6, 0.6, 0.6], [(0, 70)]),  # a silence shorter than 20
        ([0.6, 0.6, 0.6, 0.0, 0.0, 0.0, 0.6, 0.6], [(0, 30)]),  # the second is not longer than 20
        ([0.4, 0.4, 0.4, 0.4], []),
    ],
)
def test_spans_need_a_beginning_and_last_through_short_silences(
    probabilities: list[float], spans: list[tuple[int, int]]
) -> None:
    found = Spans(10, 0.5, 0.35, silence=20, shortest=20)
    found.add(np.array(probabilities))
    assert found.finish(10 * len(probabilities)) == spans


@pytest.mark.parametrize("feeds", [1, 2, 9])
@pytest.mark.parametrize(
    ("probabilities", "spans"),
    [
        ([0.0, 0.6, 0.9, 0.0, 0.0, 0.0], [(10, 30)]),
        ([0.0, 0.6, 0.8, 0.0, 0.0, 0.0], []),  # not so sure
        ([0.0, 0.9, 0.0, 0.0, 0.0, 0.0], []),  # not longer than 10
        ([0.9, 0.9, 0.9, 0.0, 0.0, 0.0, 0.6, 0.6], [(0, 30)]),  # the second is judged by itself
        ([0.0, 0.0, 0.0, 0.0, 0.6, 0.9], [(40, 60)]),  # at the end
    ],
)
def test_a_span_too_short_is_kept_where_the_model_is_sure(
    probabilities: list[float], spans: list[tuple[int, int]], feeds: int
) -> None:
    found = Spans(10, 0.5, 0.35, silence=20, shortest=20, clear=(10, 0.9))
    for part in np.array_split(np.array(probabilities), feeds):
        found.add(part)
    assert found.finish(10 * len(probabilities)) == spans


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # torch.jit, inside silero_vad
def test_speech_is_where_silero_itself_finds_it(silero: Silero) -> None:
    import torch
    from silero_vad import get_speech_timestamps, load_silero_vad

    model = load_silero_vad()
    for name in [*KOREAN, *KHMER, "neg/noise/leopard_empty.wav"]:
        samples = np.clip(sound(name), -1, 1)
        theirs = [(span["start"], span["end"]) for span in get_speech_timestamps(torch.from_numpy(samples), model)]
        assert answers(silero.listen(), samples) == theirs, name


def test_the_network_says_what_its_file_says_through_onnxruntime(silero: Silero) -> None:
    import onnxruntime

    path = bundled.packaged("silero_vad", "data/silero_vad_16k_sequence.onnx", WEIGHTS)
    samples = sound(KOREAN[0])[: 200 * 512]
    frames = samples.reshape(-1, 512)
    frames = np.hstack([np.vstack([np.zeros((1, 64), np.float32), frames[:-1, -64:]]), frames])
    zeros = np.zeros((1, 1, 128), np.float32)
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    theirs = session.run(["speech_probs"], {"input": frames, "h": zeros, "c": zeros})[0].ravel()
    network = Network(path)
    first, memory = network.probabilities(samples[: 70 * 512], network.forget())
    rest, _ = network.probabilities(samples[70 * 512 :], memory)
    assert theirs.max() > 0.99
    assert theirs.min() < 0.01
    assert np.abs(np.concatenate([first, rest]) - theirs).max() < 1e-4


def test_listeners_of_one_model_do_not_hear_each_other(silero: Silero) -> None:
    samples = sound(KOREAN[0])
    one, other = silero.listen(), silero.listen()
    for at in range(0, len(samples), 50_000):
        one.feed(samples[at : at + 50_000])
        other.feed(samples[::-1][at : at + 50_000])
    assert one.finish() == answers(silero.listen(), samples)
