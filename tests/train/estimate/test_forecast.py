import json
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest
import torch

from train import cli, config, finetune, metrics, show
from train.adapter import lora
from train.adapter.lora import Vector
from train.data import checks, corpus
from train.data.checks import Measured
from train.data.corpus import Reading, TrainingClip
from train.data.dataset import Data
from train.data.sampler import Example
from train.estimate import cost, forecast
from train.model import base, losses, voxcpm

SHORT = ["adapter.rank=4", "batch.tokens=300", "train.device=cpu", "train.epochs=3", "train.validate_every=2"]


def quiet(what, done, total):
    pass


def asked(source, model, into, *settings):
    return config.build({"corpus": str(source), "model": str(model), "into": str(into)}, [*SHORT, *settings])


def files(*folders):
    return {path: path.stat().st_mtime_ns for folder in folders for path in Path(folder).rglob("*")}


def test_it_says_what_the_run_then_does(corpus, tiny, tmp_path):
    run = asked(corpus, tiny, tmp_path / "run", "train.save_every=2", "batch.reference=0.5")
    told = forecast.forecast(run, tick=quiet)
    finetune.start(run)
    list(finetune.train(run.into))
    lines = metrics.read(run.into)
    steps = [line for line in lines if "loss" in line]
    assert told["steps"]["all"] == len(steps)
    assert sum(told["steps"]["of_each_epoch"]) == len(steps)
    assert told["steps"]["validations"] == len(lines) - len(steps)
    assert told["positions"]["text"] + told["positions"]["audio"] == sum(step["positions"] for step in steps)
    assert told["to_encode"] == {"clips": 0, "hours": 0, "seconds": 0}
    parameters = told["memory"][0]["adapter"] // cost.STATE_BYTES
    (one, *_) = sorted((run.into / "checkpoints").iterdir())
    size = sum(path.stat().st_size for path in one.iterdir())
    assert size == pytest.approx(
        parameters * forecast.CHECKPOINT_BYTES, abs=30_000
    )  # names and settings beside weights


def test_nothing_is_written_and_patches_are_estimated_where_nothing_is_encoded(make_corpus, tiny, corpus, tmp_path):
    fresh = make_corpus()
    before = files(tmp_path, tiny)
    told = forecast.forecast(asked(fresh, tiny, tmp_path / "run"), tick=quiet)
    assert files(tmp_path, tiny) == before
    assert told["to_encode"]["clips"] == 10
    assert told["to_encode"]["seconds"] > 0
    assert told["time"]["measured"] > 0
    encoded = forecast.forecast(asked(corpus, tiny, tmp_path / "run"), tick=quiet)
    assert told["positions"] == encoded["positions"]
    assert told["languages"] == encoded["languages"]
    # another test may have left encodings in double precision there
    written = [path for path in (corpus / "latents").rglob("*.safetensors") if "float64" not in path.parent.name]
    sizes = told["disk"]["latents"], sum(path.stat().st_size for path in written)
    assert sizes[0] == pytest.approx(sizes[1], rel=0.3)  # headers, which weigh in clips of a second


def test_a_run_of_very_many_steps_is_told_from_the_first_of_them(corpus, tiny, tmp_path, monkeypatch):
    settings = ("train.steps=1000000000", "train.validate_every=0")
    monkeypatch.setattr(forecast, "PLANNED", 3_000)
    told = forecast.forecast(asked(corpus, tiny, tmp_path / "run", *settings), tick=quiet)
    monkeypatch.setattr(forecast, "PLANNED", 1_000)
    less = forecast.forecast(asked(corpus, tiny, tmp_path / "run", *settings), tick=quiet)
    assert told["steps"]["all"] == less["steps"]["all"] == 10**9
    for name in ("text", "audio", "of_a_step"):
        assert told["positions"][name] == pytest.approx(less["positions"][name], rel=1e-3)
    assert told["time"]["flops"] > 1e6 * told["positions"]["audio"]


def test_the_model_is_loaded_only_to_measure_and_without_that_there_is_a_floor(corpus, tiny, tmp_path, monkeypatch):
    def load(*_, **__):
        raise AssertionError("the model is loaded")

    monkeypatch.setattr(voxcpm, "load", load)
    monkeypatch.setattr(forecast, "CPU_STEP", 0)
    told = forecast.forecast(asked(corpus, tiny, tmp_path / "run"), tick=quiet)
    assert told["time"]["measured"] is None
    assert told["time"]["floor_h200"] == told["time"]["flops"] / 790e12
    lines = "\n".join(show.forecast_lines(told)).splitlines()
    assert any("not measured" in line for line in lines)
    assert any("a floor, not an estimate" in line for line in lines)
    assert [line for line in lines if len(line) > 80] == []


def test_a_validation_split_that_is_missing_is_said_before_anything_is_spent(make_corpus, tiny, tmp_path):
    with pytest.raises(Exception, match="no validation clips for km or ko"):
        forecast.forecast(asked(make_corpus(each=4), tiny, tmp_path / "run"), tick=quiet)


def test_the_command_prints_it_and_makes_no_folder(corpus, tiny, tmp_path, monkeypatch, capsys):
    words = ["lora", corpus, "--model", tiny, "--rank", 4, "--into", tmp_path / "run", "--dry-run", "--json"]
    monkeypatch.setattr(sys, "argv", ["train", *map(str, words), "--set=train.device=cpu"])
    with pytest.raises(SystemExit) as left:
        cli.main()
    assert not left.value.code
    assert json.loads(capsys.readouterr().out)["rank"] == 4
    assert not (tmp_path / "run").exists()


def example(text, patches, name="a", language="km"):
    return Example(name, language, (5,) * text, patches)


def test_the_published_configuration_costs_what_was_counted_for_it():
    meter = cost.CostModel(base.real_config(), config.Adapter(rank=64), torch.bfloat16)
    assert meter.base_bytes == pytest.approx(4.16e9, rel=0.01)  # shared/voxcpm2: bf16 without VAE and encoder
    assert meter.parameters == 36_175_872
    piece = meter.of([example(260, 50)] * 16)
    assert piece.step == pytest.approx(43.4e12, rel=0.03)  # the count for 16 clips of 8 s and 260 tokens
    rates = meter.rates(100, 50)
    assert rates.text == pytest.approx(6.9e9, rel=0.06)
    assert rates.patch == pytest.approx(16.0e9, rel=0.03)


@pytest.mark.parametrize("lengths", [[(12, 8)] * 4, [(30, 5), (8, 20), (60, 12)]])
def test_bytes_kept_are_those_that_autograd_keeps(tiny, lengths):
    settings, adapter = base.read_config(tiny), config.Adapter(rank=4)
    examples = [example(*each) for each in lengths]
    meter = cost.CostModel(settings, adapter, torch.float32)
    model = voxcpm.load(tiny, device="cpu", training=True).train()
    lora.attach(model, adapter)
    vector = Vector(model, adapter)
    batch, draws = meter.batch(examples)
    weights = {value.untyped_storage().data_ptr() for value in (*model.parameters(), *model.buffers())}
    weights.add(vector.parameter.untyped_storage().data_ptr())
    kept: dict[int, torch.UntypedStorage] = {}

    def keep(value):
        kept[value.untyped_storage().data_ptr()] = value.untyped_storage()
        return value

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda value: value):
        found = losses.losses(model, batch, draws, vector.adapter(torch.float32))
    real = sum(storage.nbytes() for place, storage in kept.items() if place not in weights)
    assert found.diff.requires_grad
    assert meter.of(examples).kept == pytest.approx(real, rel=0.15)


def test_checkpointing_takes_less_memory_and_more_work(tiny):
    meter = cost.CostModel(base.read_config(tiny), config.Adapter(rank=4), torch.float32)
    plain, checkpointed = meter.peaks([example(60, 20)] * 4)
    assert checkpointed < 0.6 * plain
    rates = meter.rates(30, 10)
    assert rates.step(10, 10, checkpointing=True) / rates.step(10, 10, checkpointing=False) == pytest.approx(
        1.5, abs=0.1
    )


# what is doubted


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
