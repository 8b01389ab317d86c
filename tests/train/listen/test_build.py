"""The folder that listeners get is level-matched and tells nothing about the conditions."""

import hashlib
import json
import os
import shutil
import wave
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyloudnorm
import pytest
import soundfile
from scipy import signal

from curate.errors import UserError
from tests.train.listen.conftest import CONDITIONS, tone
from train.listen import build, design, planning, stimuli
from train.listen import plan as planned
from train.listen.plan import Made

STANDARD = 0.1  # LU: the tolerance of EBU Tech 3341


def plan_of(site: Path) -> planned.Plan:
    return planned.read(build.private_folder(site))


def sounds(site: Path) -> dict[str, tuple[np.ndarray, int]]:
    """Each stimulus by its name in the plan."""
    plan = plan_of(site)
    names = {
        name
        for language, group in plan.groups.items()
        for number in range(1, group.listeners + 1)
        for trial in design.schedule(plan, language, number)
        for name in trial.stimuli
    }
    return {name: soundfile.read(site / "audio" / build.audio_name(plan, name)) for name in names}


def test_every_stimulus_has_one_rate_and_one_loudness_and_none_clips(built: Path) -> None:
    heard = sounds(built)
    assert len(heard) == len(list((built / "audio").iterdir()))
    assert {rate for _, rate in heard.values()} == {24_000}  # the highest of theirs
    for samples, rate in heard.values():
        inside = samples[int(0.2 * rate) : len(samples) - int(0.1 * rate)]
        loudness = pyloudnorm.Meter(rate, filter_class="DeMan").integrated_loudness(inside[: 8 * rate // 20])
        assert loudness == pytest.approx(-23, abs=STANDARD + 0.3)  # of its first block only: they are half a second
        assert np.abs(signal.resample_poly(samples, 4, 1)).max() < 10 ** (-1 / 20) + 0.01


def test_a_standard_signal_reads_what_bs_1770_says() -> None:
    # ITU-R BS.1770-4: a sine of 997 Hz at 0 dBFS in one channel reads -3.01 LKFS
    for rate in (16_000, 24_000, 44_100, 48_000):
        sine = np.sin(2 * np.pi * 997 * np.arange(3 * rate) / rate).astype(np.float32)
        level = stimuli.level(sine, rate)
        assert level is not None
        assert level.loudness == pytest.approx(-3.01, abs=STANDARD)
        assert level.peak == pytest.approx(0, abs=0.1)


def test_a_sound_shorter_than_a_block_is_measured_and_silence_is_not() -> None:
    sine = np.sin(2 * np.pi * 997 * np.arange(4800) / 48_000).astype(np.float32)
    short = stimuli.level(sine, 48_000)
    assert short is not None
    assert short.loudness == pytest.approx(-3.01, abs=0.2)
    assert stimuli.level(np.zeros(48_000, np.float32), 48_000) is None
    assert stimuli.level(np.zeros(0, np.float32), 48_000) is None


def test_where_one_stimulus_would_clip_all_are_made_quieter() -> None:
    levels = {"a": stimuli.Level(-30, -12), "peaky": stimuli.Level(-40, -2)}
    assert stimuli.target(levels, -23) == -39
    assert stimuli.target({"a": levels["a"]}, -23) == -23


def test_the_low_anchor_has_nothing_above_its_edge_and_damage_is_as_loud_as_speech() -> None:
    noise = np.random.default_rng(0).standard_normal(48_000).astype(np.float32) * 0.1
    low = stimuli.process(noise, 48_000, Made(source="n", process="low_pass", hz=3500), "low-anchor/a")
    hertz, power = signal.welch(low, 48_000, nperseg=4096)
    _, before = signal.welch(noise, 48_000, nperseg=4096)
    assert 10 * np.log10(power[hertz > 5000].mean() / before[hertz > 5000].mean()) < -40
    assert 10 * np.log10(power[hertz < 2500].mean() / before[hertz < 2500].mean()) == pytest.approx(0, abs=0.5)
    bad = Made(source="n", process="noise", hz=1500, snr_db=0)
    damaged = stimuli.process(noise, 48_000, bad, "damaged/a")
    assert np.array_equal(damaged, stimuli.process(noise, 48_000, bad, "damaged/a"))
    assert not np.array_equal(damaged, stimuli.process(noise, 48_000, bad, "damaged/b"))
    clean = stimuli.process(noise, 48_000, Made(source="n", process="low_pass", hz=1500), "x")
    assert np.mean((damaged - clean) ** 2) == pytest.approx(np.mean(clean**2), rel=0.05)


def test_names_sizes_times_and_contents_tell_no_condition(built: Path) -> None:
    plan = plan_of(built)
    secrets = {*plan.conditions, "natural", "low-anchor", "damaged", "gold", "trap", "anchor", "repeat", plan.salt}
    secrets |= {sentence.id for group in plan.groups.values() for sentence in group.sentences}
    for path in built.rglob("*"):
        if path.is_file() and path.suffix != ".wav" and path.parent.name != "page":
            text = path.read_text(encoding="utf-8")
            assert not [word for word in secrets if f'"{word}' in text or f"{word}/" in text], path.name
        assert not [word for word in secrets if word in path.name]
        assert path.stat().st_mtime == build.SAME_TIME
    for path in (built / "audio").iterdir():
        with wave.open(str(path)) as sound:
            assert path.stat().st_size == 44 + 2 * sound.getnframes()  # no chunk beside the samples
    assert not list(built.rglob("plan*"))
    assert not list(built.rglob("links*"))
    assert build.private_folder(built).stat().st_mode & 0o077 == 0


def test_files_in_the_order_of_their_names_mix_the_conditions(built: Path) -> None:
    plan = plan_of(built)
    names = [f"{condition}/km{number}" for condition in CONDITIONS for number in range(7)]
    order = sorted(names, key=lambda name: build.audio_name(plan, name))
    changes = sum(a.partition("/")[0] != b.partition("/")[0] for a, b in pairwise(order))
    assert changes > len(names) // 3  # apart by condition it would be 2


def test_a_list_is_one_listeners_and_its_order_is_not_in_it(built: Path) -> None:
    plan = plan_of(built)
    lists = {each["listener"]: each for each in build.read_lists(built)}
    assert set(lists) == {"km-001", "km-002", "ko-001", "ko-002"}
    for name, each in lists.items():
        trials = design.schedule(plan, each["language"], int(name[3:]))
        assert [item["id"] for item in each["trials"]] == sorted(trial.id for trial in trials)
        assert {key for item in each["trials"] for key in item} == {"id", "audio", "practice"}
        assert each["plan"] == planned.digest(plan)
        assert each["minutes"] >= 1
        page = (built / f"{each['token']}.html").read_text(encoding="utf-8")
        assert f"lists/{each['token']}.js" in page
        assert not [other for other in lists.values() if other is not each and other["token"] in page]


def test_a_page_asks_for_nothing_outside_the_folder(built: Path) -> None:
    for path in [*built.glob("*.html"), *(built / "page").iterdir()]:
        if path.name == "OFL.txt":
            continue
        text = path.read_text(encoding="utf-8")
        for word in ("http://", "https://", "import(", 'type="module"', "XMLHttpRequest", "WebSocket"):
            assert word not in text, (path.name, word)
        if path.suffix == ".html":
            assert text.count("<script") == text.count("<script src=")  # none inline


def test_the_same_plan_builds_the_same_bytes(tmp_path: Path, make_plan: Callable) -> None:
    make_plan(tmp_path / "plan", languages=("ko",))

    def digest(folder: Path) -> dict[str, str]:
        build.build(tmp_path / "plan", folder)
        found = sorted(path for path in folder.rglob("*") if path.is_file())
        return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in found}

    assert digest(tmp_path / "one") == digest(tmp_path / "two")


def test_a_plan_may_lie_elsewhere_than_where_one_works(
    tmp_path: Path, make_plan: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_plan(tmp_path / "plan", languages=("ko",), count=3)
    monkeypatch.chdir(tmp_path / "plan")
    assert build.build(Path("plan.json"), Path("../site"))["listeners"] == 2


def test_the_text_is_shown_where_the_plan_says_so(tmp_path: Path, make_plan: Callable) -> None:
    make_plan(tmp_path / "plan", languages=("ko",), count=3, show_text=True)
    build.build(tmp_path / "plan", tmp_path / "site")
    texts = [item["text"] for item in build.read_lists(tmp_path / "site")[0]["trials"]]
    assert texts.count("") == 1  # the trap
    assert all(text.startswith("안녕하세요") for text in texts if text)


def refused(plan: Path, into: Path) -> str:
    with pytest.raises(UserError) as error:
        build.build(plan, into)
    assert "\n" not in str(error.value)
    assert not list(into.parent.glob(".*.partial"))
    return str(error.value)


def test_what_cannot_be_built_is_told(tmp_path: Path, make_plan: Callable, built: Path) -> None:
    make_plan(tmp_path / "plan", languages=("ko",), count=3)
    assert "there is no" in refused(tmp_path / "none", tmp_path / "s")
    assert "is not empty" in refused(tmp_path / "plan", built)
    assert "is not empty" in refused(tmp_path / "plan", tmp_path / "plan")
    (tmp_path / "s-private").mkdir()
    shutil.copy(build.private_folder(built) / "plan.json", tmp_path / "s-private")
    assert "belongs to another test" in refused(tmp_path / "plan", tmp_path / "s")


def own_stimuli(tmp_path: Path) -> Path:
    for condition in ("a", "b"):
        for number in range(3):
            tone(tmp_path / "own" / condition / f"s{number}.wav", 200, 0.1)
    (tmp_path / "own" / "sentences.tsv").write_text(
        "id\tlanguage\ttext\n" + "".join(f"s{n}\tkm\tx\n" for n in range(3))
    )
    return tmp_path / "own"


def own_plan(tmp_path: Path) -> Path:
    choices = planning.Choices(baseline="a", listeners={"": 1}, traps=0, training=0, gold=0, anchors=0, repeats=0)
    planned.write(planning.make(own_stimuli(tmp_path), tmp_path / "p", choices), tmp_path / "p")
    return tmp_path / "p"


def test_a_stimulus_that_changed_or_went_or_is_silent_is_named(tmp_path: Path) -> None:
    plan = own_plan(tmp_path)
    path = tmp_path / "own" / "b" / "s1.wav"
    tone(path, 250, 0.1)
    assert "s1.wav is not the file that was planned" in refused(plan, tmp_path / "s")
    path.unlink()
    assert "s1.wav" in refused(plan, tmp_path / "s")
    soundfile.write(path, np.zeros(8000), 16_000)
    shutil.rmtree(plan)
    choices = planning.Choices(baseline="a", listeners={"": 3}, traps=0, training=0, gold=0, anchors=0, repeats=0)
    planned.write(planning.make(tmp_path / "own", plan, choices), plan)
    assert "b/s1 is silent" in refused(plan, tmp_path / "s")
    path.write_bytes(b"RIFF no audio")
    shutil.rmtree(plan)
    planned.write(planning.make(tmp_path / "own", plan, choices), plan)
    assert "s1.wav cannot be read as audio" in refused(plan, tmp_path / "s")


def test_a_built_folder_that_was_damaged_is_told(site: Path) -> None:
    path = next((site / "lists").iterdir())
    path.write_text(path.read_text(encoding="utf-8")[:200], encoding="utf-8")
    with pytest.raises(UserError, match="is not whole"):
        build.read_lists(site)
    (site / "test.json").write_text(json.dumps([1]))
    with pytest.raises(UserError, match="build the folder again"):
        build.read_test(site)
    os.unlink(site / "test.json")
    with pytest.raises(UserError, match="was not made by"):
        build.read_test(site)
