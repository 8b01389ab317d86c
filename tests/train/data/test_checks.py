"""What is doubted of the data before training: named, clip by clip, and never where it is sound."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest

from train import config
from train.data import checks, corpus
from train.data.checks import Measured
from train.data.corpus import Reading, TrainingClip
from train.data.dataset import Data
from train.data.sampler import Example


def given(**changes):
    """Data of two languages, 30 clips to train on and 25 held out in each, all of them sound."""
    clips, splits = {}, {"train": [], "validation": []}
    for language, name in (("km", "Khmer"), ("ko", "Korean")):
        for number in range(55):
            split = "train" if number < 30 else "validation"
            key = f"{language}{number:02d}"
            clips[key] = TrainingClip(
                key, split, language, "a", f"({name})text", 70.0 + number % 7, Path(f"{key}.flac"), "text"
            )
            text = (1, 2, 3, *[4 + number] * (300 + 5 * (number % 9)))
            splits[split].append(Example(key, language, text, 440))
    reading = {"km": Reading("(Khmer)", "spoken"), "ko": Reading("(Korean)", "spoken")}
    store = SimpleNamespace(path=lambda clip: clip.path)
    return replace(Data(**splits, reading=reading, clips=clips, latents=store), **changes)


def about(data, measured=None, *settings):
    run = config.build({"corpus": "c", "into": "i", "model": "m"}, list(settings))
    return checks.warnings(run, data, measured or {})


def changed(data, name, *, clip=None, example=None):
    """The same data with one clip or example changed."""
    clips = data.clips | ({name: replace(data.clips[name], **clip)} if clip else {})
    train = [replace(each, **example) if example and each.id == name else each for each in data.train]
    return replace(data, clips=clips, train=train)


def test_sound_data_are_not_doubted():
    assert about(given(), {"km00": Measured(0.4, 0.4, 16000), "ko00": Measured()}) == []


@pytest.mark.parametrize(
    ("data", "measured", "settings", "says"),
    [
        (
            changed(replace(given(), reading={"km": Reading("", "spoken")}), "km03", clip={"text": "text"}),
            {},
            [],
            "km: no language tag before the text of 1 clip (km03)",
        ),
        (given(), {"km03": Measured(0.0, 0.6, 16000)}, [], "over 0.5 s of silence at the end, which teaches the model"),
        (given(), {"km03": Measured(0.6, 0.0, 16000)}, [], "over 0.5 s of silence at the start: 1 clip (km03)"),
        (given(), {"km03": Measured(rate=8000)}, [], "sampled below 16000 Hz, so dull: 1 clip (km03)"),
        (given(), {"km03": Measured(silent=True)}, [], "nothing to be heard, every sample is zero or no number: 1"),
        (changed(given(), "km03", example={"patches": 4000}), {}, [], "longer than batch.tokens = 4096"),
        (changed(given(), "km03", example={"patches": 1}), {}, [], "shorter than 2 patches: 1 clip (km03)"),
        (changed(given(), "km03", example={"text": (1, 2, 3, 4)}), {}, [], "km: text tokens per second far from"),
        (changed(given(), "km03", clip={"seconds": 9.0}), {}, [], "km: text tokens per second far from"),
        (
            changed(given(), "km03", clip={"path": Path("km04.flac")}),
            {},
            [],
            "the same audio more than once: 1 group (km03=km04)",
        ),
        (changed(given(), "km03", clip={"path": Path("km50.flac")}), {}, [], "held out, but trained on too"),
        (
            replace(given(), train=given().train[:20] + given().train[30:]),
            {},
            [],
            "km: 24.3 minutes to train on, under 30",
        ),
        (
            changed(given(), "km03", clip={"text": "(Khmer) \u200b။"}),
            {},
            [],
            "km: nothing is said in the text, beside its",
        ),
        (changed(given(), "km03", clip={"text": " "}), {}, [], "beside its tag, of 1 clip (km03)"),
        (
            replace(given(), train=given().train[30:]),
            {},
            [],
            "km: held out, but not trained on: 25 clips (km30, km31, km32, km33, km34 and 20 more)",
        ),
        (replace(given(), validation=given().validation[8:]), {}, [], "km: 17 clips held out, under 20"),
        (
            replace(given(), reading={"km": Reading("(", "spoken"), "ko": Reading("(", "pronounced")}),
            {},
            [],
            "pronounced and spoken text are mixed: km spoken, ko pronounced",
        ),
    ],
)
def test_what_teaches_wrong_is_named(data, measured, settings, says):
    assert any(says in line for line in about(data, measured, *settings)), about(data, measured, *settings)


def test_a_clip_without_pronunciation_in_a_pronounced_language_is_named():
    data = given(reading={language: Reading("(x)", "pronounced") for language in ("km", "ko")})
    clips = {name: replace(clip, pronounced=None if name == "ko01" else "text") for name, clip in data.clips.items()}
    assert about(replace(data, clips=clips)) == ["ko: trained on pronounced text, but on spoken text in 1 clip (ko01)"]


def test_the_same_audio_twice_among_the_held_out_is_not_called_trained_on():
    lines = about(changed(given(), "km50", clip={"path": Path("km51.flac")}))
    assert lines == ["the same audio more than once: 1 group (km50=km51)"]


def test_five_are_named_and_the_rest_counted():
    (line,) = about(given(), {f"km{number:02d}": Measured(tail=1.0) for number in range(9)})
    assert line.endswith("9 clips (km00, km01, km02, km03, km04 and 4 more)")


def test_silence_is_taken_from_the_manifest_where_it_was_measured(tmp_path):
    speech = [[{"start": 1000, "end": 5000}, {"start": 9000, "end": 10000}], [], None]
    columns = {"id": ["a", "b", "c"], "rate": [8000] * 3, "cut_start": [600] * 3, "cut_end": [18000] * 3}
    needed = {"split": "train", "language": "km", "speaker": "s", "training_text": "x", "seconds": 2.0}
    frame = pl.DataFrame(columns | {"speech": speech}).with_columns(
        *(pl.lit(value).alias(name) for name, value in needed.items()), pl.lit(None, pl.String).alias("drop")
    )
    frame.write_parquet(tmp_path / "manifest.parquet")
    (tmp_path / "clips").mkdir()
    for name in "abc":
        (tmp_path / "clips" / f"{name}.flac").touch()
    assert checks.in_manifest(corpus.read(tmp_path)) == {
        "a": Measured(0.05, 1.0, 8000),
        "b": Measured(rate=8000),
        "c": Measured(rate=8000),
    }


@pytest.mark.parametrize(("head", "tail"), [(0.0, 0.0), (0.7, 0.0), (0.0, 0.6), (0.2, 1.5)])
@pytest.mark.parametrize("noise", [1e-5, 2e-3])
def test_silence_is_heard_in_the_samples(head, tail, noise):
    rate, drawn = 16000, np.random.default_rng(0)
    time = np.arange(rate * 3) / rate
    voice = 0.3 * np.sin(2 * np.pi * 180 * time) * (0.55 + 0.45 * np.sin(2 * np.pi * 4 * time))
    sound = np.concatenate([np.zeros(int(head * rate)), voice, np.zeros(int(tail * rate))])
    found = checks.silences((sound + noise * drawn.normal(size=len(sound))).astype(np.float32), rate)
    assert found == pytest.approx((head, tail), abs=0.15)  # the voice fades slowly


@pytest.mark.parametrize("samples", [np.zeros(0), np.zeros(100), np.zeros(48000)])
def test_audio_without_sound_is_no_error(samples):
    assert checks.silences(samples.astype(np.float32), 16000) == (0.0, 0.0)


@pytest.mark.parametrize("sample", [0.0, np.nan, np.inf])
def test_a_clip_of_digital_silence_is_heard_in_the_samples(tmp_path, sample):
    import soundfile

    path = tmp_path / "a.wav"
    soundfile.write(path, np.full(8000, sample, np.float32), 16000, subtype="FLOAT")
    clip = TrainingClip("a", "train", "km", "s", "text", 0.5, path)
    assert checks.listened([clip], lambda done, total: None) == {"a": Measured(rate=16000, silent=True)}


def test_silence_after_real_speech_is_found():
    root = Path(__file__).resolve().parents[3].parent / "shared" / "audio"
    found = sorted(root.rglob("*.flac"))[:12] + sorted(root.rglob("*.wav"))[:12]
    if not found:
        pytest.skip("the real test speech is not here")
    from curate import audio

    for path in found:
        samples, rate = audio.read(path)
        quiet = np.zeros(int(0.8 * rate), np.float32)
        before, after = checks.silences(samples, rate), checks.silences(np.concatenate([samples, quiet]), rate)
        assert after[1] == pytest.approx(before[1] + 0.8, abs=0.3), path.name
