"""A plan is written and hashed before a rating exists, from what is there, and says what is missing."""

import dataclasses
import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import train.cli
from curate.errors import UserError
from train.listen import design, duration, planning, sources, texts
from train.listen import plan as planned

RUN = CliRunner()


def test_the_hash_is_that_of_the_file(tmp_path: Path, make_plan: Callable) -> None:
    plan = make_plan(tmp_path)
    content = (tmp_path / "plan.json").read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    assert planned.digest(plan) == digest
    assert (tmp_path / "plan.sha256").read_text() == f"{digest}  plan.json\n"
    assert content == planned.canonical(planned.read(tmp_path))
    assert list(json.loads(content)) == sorted(json.loads(content))


def test_the_same_choices_and_salt_make_the_same_bytes_and_no_salt_others(tmp_path: Path, make_plan: Callable) -> None:
    one, again = (make_plan(tmp_path / name) for name in ("one", "two"))
    assert planned.canonical(one).replace(b"/one/", b"/two/") == planned.canonical(again)
    assert make_plan(tmp_path / "three", salt=None).salt != make_plan(tmp_path / "four", salt=None).salt


def test_a_plan_is_written_once(tmp_path: Path, make_plan: Callable) -> None:
    make_plan(tmp_path)
    with pytest.raises(UserError, match="written once"):
        make_plan(tmp_path)


def test_an_edited_plan_is_refused(tmp_path: Path, make_plan: Callable) -> None:
    make_plan(tmp_path)
    path = tmp_path / "plan.json"
    path.write_text(path.read_text().replace('"alpha":0.05', '"alpha":0.10'))
    with pytest.raises(UserError, match="was changed after it was hashed"):
        planned.read(tmp_path)
    (tmp_path / "plan.sha256").unlink()
    with pytest.raises(UserError, match="not as `train listen plan` wrote it"):
        planned.read(tmp_path)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda plan: plan["analysis"].update(baseline="r9"), "condition r9"),
        (lambda plan: plan["analysis"].update(contrasts=["zero-shot"]), "compared with itself"),
        (lambda plan: plan["analysis"].update(alpha=0.7), "alpha"),
        (lambda plan: plan["scale"].update(values=[1, 2, 3]), "scale of mos"),
        (lambda plan: plan["scale"]["labels"].update(km=["a"]), "labels"),
        (
            lambda plan: plan["groups"]["km"]["traps"].append({"value": 9, "text": "", "stimulus": "x"}),
            "not on the scale",
        ),
        (lambda plan: plan["groups"]["km"]["sentences"].append({"id": "../x", "text": ""}), "sentences"),
        (lambda plan: plan.update(surprise=1), "surprise"),
        (lambda plan: plan.update(format=2), "format"),
    ],
)
def test_a_plan_that_contradicts_itself_is_told_in_one_line(
    tmp_path: Path, make_plan: Callable, change: Callable, words: str
) -> None:
    make_plan(tmp_path)
    content = json.loads((tmp_path / "plan.json").read_text())
    change(content)
    (tmp_path / "plan.json").write_text(json.dumps(content))
    with pytest.raises(UserError, match=words) as error:
        planned.read(tmp_path)
    assert "\n" not in str(error.value)


def test_what_was_decided_is_in_it(tmp_path: Path, make_plan: Callable) -> None:
    plan = make_plan(
        tmp_path, margin=0.2, family="all", exclusions=planning.exclusions(["trap_misses=1", "outlier_z=none"])
    )
    assert plan.conditions == ("r64", "r8", "zero-shot")
    assert plan.analysis.contrasts == ("r64", "r8")
    assert plan.anchors.model_dump() == {"natural": "natural", "low": "low-anchor", "each": 1}
    assert (plan.analysis.margin, plan.analysis.family) == (0.2, "all")
    assert (plan.analysis.exclusions.trap_misses, plan.analysis.exclusions.outlier_z) == (1, None)
    for language, group in plan.groups.items():
        assert len(group.sentences) == 6  # the most that closes a square of three, one being for training
        assert {trap.text for trap in group.traps} == {texts.trap_texts("mos", language)[value] for value in (2, 4)}
        assert {(gold.low, gold.high) for gold in group.gold} == {(1, 2), (4, 5)}
        assert not {s.id for s in group.sentences} & {item.sentence for item in group.training}
    assert set(plan.question) == set(plan.scale.labels) == {"km", "ko", "en"}
    assert all(not Path(file.path).is_absolute() for file in plan.stimuli.values())


def test_ours_in_three_languages_have_a_label_for_each_value() -> None:
    for method, values in planned.SCALES.items():
        for language in texts.PAGE_LANGUAGES:
            assert len(texts.LABELS[method][language]) == len(values)
            assert texts.QUESTIONS[method][language]
            assert texts.INSTRUCTIONS[method][language]
        for language in ("km", "ko"):
            assert set(texts.trap_texts(method, language)) <= set(values)


def test_the_folder_of_an_evaluation_or_a_sweep_is_a_source(tmp_path: Path, stimuli: Path) -> None:
    place = tmp_path / "sweep" / "evaluation"
    copy(stimuli, place / "audio")
    (place / "audio" / "sentences.tsv").rename(place / "sentences.tsv")
    (place / "audio" / "r8" / "take-2").mkdir()
    (place / "audio" / ".cache").mkdir()
    known = sources.read(stimuli).files.keys()
    assert sources.read(place).files.keys() == sources.read(tmp_path / "sweep").files.keys() == known


def call(*words: object) -> str:
    """What the command says where it refuses: one line."""
    ran = RUN.invoke(train.cli.app, ["listen", "plan", *map(str, words)])
    assert isinstance(ran.exception, UserError), ran.output
    assert "\n" not in str(ran.exception)
    return str(ran.exception)


def test_traps_without_audio_are_told_with_the_text_to_record(stimuli: Path, tmp_path: Path) -> None:
    said = call(stimuli, "--into", tmp_path / "plan", "--baseline", "r8", "--listeners", "2")
    assert "km/2.wav is not there" in said
    assert texts.trap_texts("mos", "km")[2] in said
    assert "--traps 0" in said
    assert not (tmp_path / "plan").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--baseline", "r9"], "condition r9 has no stimuli; there are natural, r64, r8, zero-shot"),
        (["--baseline", "r8", "--conditions", "r8,r9"], "condition r9 has no stimuli"),
        (["--baseline", "r8", "--conditions", "r8"], "nothing to compare"),
        (["--baseline", "r8", "--conditions", "r64,zero-shot"], "none of the conditions"),
        (["--baseline", "r8", "--contrasts", "natural"], "condition natural of the analysis"),
        (["--baseline", "r8", "--conditions", "r8,natural", "--natural", "natural"], "is a condition already"),
        (["--baseline", "r8", "--count", "7"], "too few"),
        (["--baseline", "r8", "--languages", "en"], "no sentence of language en"),
        (["--baseline", "r8", "--exclude", "mood=1"], "the rules are native"),
        (["--baseline", "r8", "--exclude", "trap_misses=-1"], "trap_misses"),
        (["--baseline", "r8", "--loudness", "0"], "loudness"),
        (["--baseline", "r8", "--salt", "abc"], "salt"),
        (["--baseline", "r8", "--listeners", "10001"], "listeners"),
        (["--baseline", "r8", "--alpha", "0.9"], "alpha"),
        (["--baseline", "r8", "--margin", "-1"], "margin"),
        (["--baseline", "r8", "--gold-file", "none.tsv"], "none.tsv"),
        (["--baseline", "r8", "--texts", "none.toml"], "none.toml"),
    ],
)
def test_what_cannot_be_planned_is_told(stimuli: Path, tmp_path: Path, words: list[str], said: str) -> None:
    assert said in call(stimuli, "--into", tmp_path / "p", "--listeners", "2", "--traps", "0", *words)


@pytest.mark.parametrize("listeners", ["0", "-3", "many", "en=3", "ko=4", "3,"])
def test_listeners_are_counted_for_each_language(stimuli: Path, tmp_path: Path, listeners: str) -> None:
    assert "listeners" in call(
        stimuli, "--into", tmp_path, "--baseline", "r8", "--traps", "0", f"--listeners={listeners}"
    )


def copy(stimuli: Path, place: Path) -> Path:
    """A folder of links to the stimuli, to take some away."""
    for path in stimuli.glob("*/*.wav"):
        (place / path.parent.name).mkdir(parents=True, exist_ok=True)
        (place / path.parent.name / path.name).symlink_to(path)
    (place / "sentences.tsv").write_bytes((stimuli / "sentences.tsv").read_bytes())
    return place


def test_a_condition_without_some_stimuli_is_named(stimuli: Path, tmp_path: Path) -> None:
    folder = copy(stimuli, tmp_path / "s")
    (folder / "r64" / "ko3.wav").unlink()
    said = call(
        folder, "--into", tmp_path / "p", "--baseline", "r8", "--listeners", "2", "--traps", "0", "--training", "0"
    )
    assert "condition r64 has no stimuli for 1 of 6 sentences of ko, such as r64/ko3" in said
    (folder / "natural" / "ko3.wav").unlink()
    words = ("--conditions", "r8,zero-shot", "--baseline", "r8", "--listeners", "2", "--traps", "0", "--training", "0")
    assert call(folder, "--into", tmp_path / "p", *words).endswith("or say --natural none")
    (folder / "empty").mkdir()
    said = call(folder, "--into", tmp_path / "p", "--baseline", "empty", "--listeners", "2", "--traps", "0")
    assert "condition empty has no stimuli" in said


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("id\tlanguage\ttext\n", "no sentence"),
        ("id\tlanguage\n", "no column text"),
        ("", "no column id"),
        ("id\tlanguage\ttext\na\tkm\tx\na\tkm\ty\n", "line 3: sentence a stands there twice"),
        ("id\tlanguage\ttext\na\tfr\tx\n", "language 'fr' is none of km, ko"),
        ("id\tlanguage\ttext\n../a\tkm\tx\n", "cannot be a file's name"),
        ("id\tlanguage\ttext\na\tkm\n", "line 2 has not as many fields"),
        ("id\tlanguage\ttext\na\tkm\tx\ty\n", "line 2 has not as many fields"),
    ],
)
def test_a_table_of_sentences_that_is_none_is_told(stimuli: Path, tmp_path: Path, table: str, said: str) -> None:
    (tmp_path / "t.tsv").write_text(table)
    words = ("--sentences", tmp_path / "t.tsv", "--into", tmp_path / "p", "--baseline", "r8", "--listeners", "2")
    assert said in call(stimuli, *words)


def test_own_gold_items_and_texts_are_taken(stimuli: Path, trap_audio: Path, tmp_path: Path) -> None:
    (tmp_path / "gold.tsv").write_text(f"language\taudio\tlow\thigh\nkm\t{stimuli / 'r8/km1.wav'}\t2\t3\n")
    (tmp_path / "texts.toml").write_text('question.en = "How clear is it?"\n')
    words = ["--into", tmp_path / "p", "--baseline", "r8", "--listeners", "km=3,ko=6", "--trap-audio", trap_audio]
    words += ["--gold-file", tmp_path / "gold.tsv", "--texts", tmp_path / "texts.toml", "--json"]
    ran = RUN.invoke(train.cli.app, ["listen", "plan", str(stimuli), *map(str, words)], catch_exceptions=False)
    printed = json.loads(ran.stdout)
    plan = planned.read(tmp_path / "p")
    assert printed["sha256"] == planned.digest(plan)
    assert plan.question["en"] == "How clear is it?"
    assert [gold.stimulus for gold in plan.groups["km"].gold if gold.id == "own gold 1"] == ["own-gold/km-1"]
    assert (plan.groups["km"].listeners, plan.groups["ko"].listeners) == (3, 6)


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("km\tr8/km1.wav\t3\t2", "lower bound comes first"),
        ("km\tr8/km1.wav\t0\t2", "expects 0, which is not on the scale"),
        ("km\tr8/km1.wav\tlow\t2", "line 2: low and high are whole numbers"),
        ("km\tr8/none.wav\t1\t2", "line 2: there is no"),
        ("en\tr8/km1.wav\t1\t2", "line 2: language 'en'"),
        ("km\tr8/km1.wav\t1", "line 2 has not as many fields"),
    ],
)
def test_a_gold_item_that_is_none_is_told(stimuli: Path, tmp_path: Path, row: str, said: str) -> None:
    folder = copy(stimuli, tmp_path / "s")
    (folder / "gold.tsv").write_text(f"language\taudio\tlow\thigh\n{row}\n")
    words = ("--baseline", "r8", "--listeners", "2", "--traps", "0", "--gold-file", folder / "gold.tsv")
    assert said in call(folder, "--into", tmp_path / "p", *words)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('questions.en = "x"', "--texts has no questions"),
        ('question = "x"', "question is a table"),
        ('labels.en = ["a", "b"]', "5 values and in en 2 labels"),
        ("labels.en = 3", "labels.en"),
        ("question.en = 3", "question"),
        ("= no toml", "cannot be read as TOML"),
    ],
)
def test_texts_that_do_not_fit_are_told(stimuli: Path, tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "t.toml").write_text(text)
    words = ("--baseline", "r8", "--listeners", "2", "--traps", "0", "--texts", tmp_path / "t.toml")
    assert said in call(stimuli, "--into", tmp_path / "p", *words)


def test_a_voice_speaks_the_traps_where_one_is_given(
    stimuli: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from train.export import say

    spoken = []

    def speak(adapter: Path, language: str, text: str) -> say.Speech:  # a model would take minutes
        spoken.append((str(adapter), language, text))
        return np.sin(np.arange(8000, dtype=np.float32) / 10), 16_000

    monkeypatch.setattr(say, "say", speak)
    words = ["--into", tmp_path / "p", "--baseline", "r8", "--listeners", 3, "--speak-traps", "work/r64"]
    ran = RUN.invoke(train.cli.app, ["listen", "plan", str(stimuli), *map(str, words)], catch_exceptions=False)
    assert ran.exit_code == 0
    plan = planned.read(tmp_path / "p")
    for language, group in plan.groups.items():
        assert [trap.value for trap in group.traps] == [1, 2, 3, 4, 5]
        assert [text for _, of, text in spoken if of == language] == [trap.text for trap in group.traps]
    assert (tmp_path / "p" / "traps" / "km" / "2.wav").is_file()


def test_a_square_that_does_not_close_and_a_long_session_are_noted(tmp_path: Path, make_plan: Callable) -> None:
    notes = duration.facts(make_plan(tmp_path), tmp_path)["notes"]
    assert any("does not close: make listeners (2)" in note for note in notes)
    assert duration.facts(make_plan(tmp_path / "3", listeners={"": 3}), tmp_path / "3")["notes"] == []


def test_every_stimulus_is_looked_at_before_the_plan_is_hashed(tmp_path: Path, stimuli: Path, trap_audio: Path) -> None:
    """Also those that the first listener does not hear: a hashed plan that cannot be built is of no use."""
    shutil.copytree(stimuli, tmp_path / "stimuli")
    choices = planning.Choices(baseline="zero-shot", listeners={"": 3}, training=1, anchors=1, salt="0f" * 16)
    plan = planning.make(tmp_path / "stimuli", tmp_path / "p", choices, trap_audio=trap_audio)
    heard = {name for trial in design.schedule(plan, "km", 1) for name in trial.stimuli}
    unheard = min(name for name in plan.stimuli if name.startswith("zero-shot/") and name not in heard)
    place = planned.place(tmp_path / "p", plan.stimuli[unheard])
    for content in (b"", b"RIFF", place.read_bytes()[:-100]):
        place.write_bytes(content)
        with pytest.raises(UserError, match=f"{place} cannot be read as audio"):
            duration.facts(plan, tmp_path / "p")


def test_a_sound_that_stands_under_two_names_is_noted(tmp_path: Path, make_plan: Callable) -> None:
    plan = make_plan(tmp_path)
    stimuli = dict(plan.stimuli)
    stimuli["r8/km1"] = stimuli["zero-shot/km1"] = next(iter(stimuli.values()))
    assert duration.facts(plan.model_copy(update={"stimuli": stimuli}), tmp_path)["notes"][-1] == (
        "the same sound under two names: r8/km1 and zero-shot/km1: was one copied over the other?"
    )


def test_a_sweep_with_a_rank_half_trained_and_a_folder_without_sounds_are_told(tmp_path: Path) -> None:
    place = tmp_path / "sweep"
    evaluation = place / "evaluation"
    (evaluation / "audio").mkdir(parents=True)
    (evaluation / "sentences.tsv").write_text("id\tlanguage\ttext\n" + "".join(f"{i}\tkm\tx\n" for i in range(7)))
    for name in ("zero-shot", "r8", "r16"):
        (evaluation / "audio" / name).mkdir()
        (evaluation / "answers" / name).mkdir(parents=True)
        (evaluation / "answers" / name / "condition.json").write_text("{}")
        for i in range(7):
            (evaluation / "audio" / name / f"{i}.wav").write_bytes(b"sound")
    (place / "about.json").write_text('{"ranks": [8, 16, 32]}')
    choices = planning.Choices(
        baseline="zero-shot", listeners={"": 4}, traps=0, training=1, anchors=0, gold=0, repeats=0
    )

    def refused(**changes: object) -> str:
        with pytest.raises(UserError) as told:
            planning.make(place, tmp_path / "test", dataclasses.replace(choices, **changes))
        assert "\n" not in str(told.value)
        return str(told.value)

    (evaluation / "evaluation.json").write_text('{"conditions": {"zero-shot": {}, "r8": {}}}')
    assert refused().startswith("r16 is not trained and evaluated to its end")
    assert refused(conditions=("zero-shot", "r32")).startswith("r32 is not trained")
    assert planning.make(place, tmp_path / "a", dataclasses.replace(choices, conditions=("zero-shot", "r8"))).conditions
    (place / "about.json").write_text('{"ranks": [8, 16]}')
    (evaluation / "evaluation.json").write_text('{"conditions": {"zero-shot": {}, "r8": {}, "r16": {}}}')
    for path in (evaluation / "audio" / "r16").iterdir():
        path.rename(path.with_suffix(".mp3"))
    assert refused().startswith("condition r16 has no stimuli: make them")
    (evaluation / "evaluation.json").write_text("{")
    assert "is damaged" in refused()
