"""`train evaluate` on the tiny model: what it leaves, what it compares, how it goes on, and what it refuses."""

import dataclasses
import hashlib
import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from curate.errors import Busy, UserError
from tests.train.evaluate.conftest import everything
from train import validation
from train.adapter import lora
from train.data.latents import Progress
from train.evaluate import folder
from train.evaluate.evaluation import evaluate
from train.export.adapter import adapter_of

NAMES = ["natural", "zero-shot", "zero-shot-plain", "r2", "r4"]


def lines(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def contents(place: Path) -> dict[str, str]:
    """Every file below a folder but locks, by hash."""
    files = [path for path in sorted(place.rglob("*")) if path.is_file() and path.name != ".lock"]
    return {str(path.relative_to(place)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_it_leaves_what_its_layout_says(evaluated):
    records, sentences = lines(evaluated / "results.jsonl"), (evaluated / "sentences.tsv").read_text(encoding="utf-8")
    rows = [line.split("\t") for line in sentences.splitlines()]
    assert rows[0] == ["id", "language", "text"]
    assert sorted(row[1] for row in rows[1:]) == ["km", "km", "ko", "ko"]
    assert all("(" not in row[2] for row in rows[1:])  # the tag is no text
    for name in NAMES:
        own = [each for each in records if each["condition"] == name]
        assert len(own) == (4 if name == "natural" else 8)
        for each in own:
            assert each["audio"] == str(folder.wav(Path(), name, each["sentence"], each["take"]))
            assert soundfile.info(evaluated / each["audio"]).channels == 1
    assert {path.name for path in (evaluated / "audio").iterdir()} == set(NAMES)
    assert len(list((evaluated / "audio" / "r2").glob("*.wav"))) == 4
    assert len(list((evaluated / "audio" / "r2" / "take-2").glob("*.wav"))) == 4


def test_seeds_are_shared_by_all_conditions_and_differ_by_sentence_and_take(evaluated):
    records = [each for each in lines(evaluated / "results.jsonl") if each["condition"] != "natural"]
    seeds: dict[tuple, set] = {}
    for each in records:
        seeds.setdefault((each["sentence"], each["take"]), set()).add(each["seed"])
    assert all(len(own) == 1 for own in seeds.values())
    assert len({next(iter(own)) for own in seeds.values()}) == len(seeds) == 8


def test_each_condition_is_given_its_own_text(evaluated):
    given = {(each["condition"], each["language"]): each["given"] for each in lines(evaluated / "results.jsonl")}
    assert given["zero-shot", "ko"] == given["r4", "ko"] == "(Korean)나는 오늘 학교에 갔다"
    assert given["zero-shot-plain", "ko"] == given["natural", "ko"] == "나는 오늘 학교에 갔다"


def test_its_losses_are_those_of_the_runs_own_validation(evaluated, adapters):
    lost = lines(evaluated / "losses.jsonl")
    for name, run in adapters.items():
        for condition, step in ((name, 4), ("zero-shot", 0)):
            own = {each["id"]: each for each in lost if each["condition"] == condition}
            theirs = validation.read(run, step)
            assert own.keys() == {clip.id for clip in theirs}
            for clip in theirs:
                assert own[clip.id]["diff"] == pytest.approx(clip.diff, rel=1e-6)
                assert own[clip.id]["stop"] == pytest.approx(clip.stop, rel=1e-6)
    numbers = json.loads((evaluated / "evaluation.json").read_text(encoding="utf-8"))["results"]
    (last,) = [each for each in validation.written(adapters["r4"]) if each.step == 4]
    for language in ("km", "ko"):
        loss = numbers["r4"][language]["loss"]
        assert loss["loss"] == pytest.approx(last.languages[language]["loss"], rel=1e-5)
        assert loss["loss_change"]["mean"] == pytest.approx(last.languages[language]["change"], rel=1e-4)
        assert loss["loss_change"]["low"] < last.languages[language]["low"]  # Student's t, not the normal distribution
        assert loss["clips"] == 4
        assert numbers["zero-shot"][language]["loss"]["loss_change"] is None
    assert "loss" not in numbers["natural"]["km"]


def test_changes_are_paired_by_sentence_with_takes_averaged(evaluated):
    records = lines(evaluated / "results.jsonl")
    seconds: dict[str, dict[str, list[float]]] = {}
    for each in records:
        if each["language"] == "km":
            seconds.setdefault(each["condition"], {}).setdefault(each["sentence"], []).append(each["seconds"])
    means = {name: {key: np.mean(own) for key, own in values.items()} for name, values in seconds.items()}
    wanted = np.mean([means["r4"][key] - means["zero-shot"][key] for key in means["r4"]])
    numbers = json.loads((evaluated / "evaluation.json").read_text(encoding="utf-8"))["results"]["r4"]["km"]
    assert numbers["seconds"]["change"]["mean"] == pytest.approx(wanted, abs=1e-6)
    assert numbers["seconds"]["change"]["n"] == numbers["sentences"] == 2
    assert numbers["spoken"] == 4


def test_the_same_command_again_changes_nothing(again):
    before = contents(again.into)
    told = everything(again)
    assert not [event for event in told if isinstance(event, Progress)]
    assert contents(again.into) == before


@pytest.fixture(scope="module")
def killed_twice(settings, tmp_path_factory):
    """Of r2 alone: killed as it spoke and as it measured, each time in the middle of a line; then run to its end."""
    killed = dataclasses.replace(
        settings, into=tmp_path_factory.mktemp("killed") / "evaluation", runs=settings.runs[:1]
    )
    for at in ("r2 speaks", "measuring r2"):
        events = evaluate(killed)
        assert next(event for event in events if isinstance(event, Progress) and event.what == at and event.done == 3)
        events.close()
        last = max((killed.into / "answers").rglob("*.jsonl"), key=lambda path: path.stat().st_mtime_ns)
        last.write_bytes(last.read_bytes()[:-7])  # the last line was half written
    everything(killed)
    return killed


def test_a_kill_and_the_same_command_again_end_in_the_same_bytes(killed_twice, evaluated):
    whole = contents(killed_twice.into)
    usual = {name: value for name, value in contents(evaluated).items() if "r4" not in Path(name).parts}
    made = ("evaluation.json", "index.html", "results.jsonl", "losses.jsonl")
    assert {name: value for name, value in whole.items() if name not in made} == {
        name: value for name, value in usual.items() if name not in made
    }
    kept = [each for each in lines(evaluated / "results.jsonl") if each["condition"] != "r4"]
    assert lines(killed_twice.into / "results.jsonl") == kept


def test_a_sound_that_is_gone_is_spoken_again_to_the_same_samples(again):
    path = folder.wav(again.into, "r4", lines(again.into / "results.jsonl")[0]["sentence"])
    before = path.read_bytes()
    path.unlink()
    everything(again)
    assert path.read_bytes() == before
    assert len(lines(again.into / "results.jsonl")) == 36


def test_an_adapter_is_added_later_and_all_stay_in_the_tables(killed_twice, settings, evaluated, tmp_path):
    one = dataclasses.replace(killed_twice, into=tmp_path / "evaluation", runs=settings.runs[1:])
    shutil.copytree(killed_twice.into, one.into)
    everything(one)
    assert lines(one.into / "results.jsonl") == lines(evaluated / "results.jsonl")
    assert (one.into / "evaluation.json").read_bytes() == (evaluated / "evaluation.json").read_bytes()


def test_the_format_of_an_adapter_does_not_matter(again, adapters, tmp_path):
    from train.export import adapter

    place = adapter.export(adapters["r2"], "voxcpm", tmp_path / "exported")
    everything(dataclasses.replace(again, runs=[f"twin={place}"]))
    lost = lines(again.into / "losses.jsonl")
    by_name = {name: [each["diff"] for each in lost if each["condition"] == name] for name in ("r2", "twin")}
    assert by_name["r2"] == by_name["twin"]


def test_transcripts_of_another_recogniser_give_errors_over_those_on_people(again, tmp_path):
    records = lines(again.into / "results.jsonl")
    rows = []
    for each in records:
        heard = each["text"] if each["condition"] in ("natural", "r4") else each["text"][: len(each["text"]) // 2]
        rows.append(f"{each['condition']}/{each['sentence']}/{each['take']}\t{heard}")
    (tmp_path / "heard.tsv").write_text("\n".join(["key\theard", *rows]) + "\n", encoding="utf-8")
    (tmp_path / "versa.jsonl").write_text(
        "".join(json.dumps({"key": f"r4/{each['sentence']}", "utmos": 3.0}) + "\n" for each in records[:4]),
        encoding="utf-8",
    )
    given = dataclasses.replace(again, transcripts=tmp_path / "heard.tsv", scores=[tmp_path / "versa.jsonl"])
    everything(given)
    numbers = json.loads((again.into / "evaluation.json").read_text(encoding="utf-8"))["results"]
    assert numbers["r4"]["ko"]["cer"]["pooled"] == numbers["natural"]["ko"]["cer"]["pooled"] == 0
    assert numbers["zero-shot"]["ko"]["cer"]["pooled"] > 0.4
    assert numbers["zero-shot"]["ko"]["cer"]["over_natural"]["mean"] > 0.4
    assert numbers["r4"]["ko"]["cer"]["change"]["mean"] < -0.4
    assert numbers["r4"]["km"]["imported.utmos"]["mean"] == 3.0
    assert not [
        note for note in json.loads((again.into / "evaluation.json").read_text())["notes"] if "no transcript" in note
    ]
    everything(again)  # without them, they stay
    assert json.loads((again.into / "evaluation.json").read_text(encoding="utf-8"))["results"] == numbers


def test_a_recogniser_that_does_not_understand_people_is_said_and_its_words_are_not_read(again, tmp_path):
    rows = [f"{each['condition']}/{each['sentence']}/{each['take']}\tx" for each in lines(again.into / "results.jsonl")]
    (tmp_path / "heard.tsv").write_text("\n".join(["key\theard", *rows[:-1]]) + "\n", encoding="utf-8")
    everything(dataclasses.replace(again, transcripts=tmp_path / "heard.tsv"))
    notes = json.loads((again.into / "evaluation.json").read_text(encoding="utf-8"))["notes"]
    assert "ko: 1 of 18 that were spoken have no transcript: character errors are over the others" in notes
    notes.remove("ko: 1 of 18 that were spoken have no transcript: character errors are over the others")
    assert [note.partition(" makes")[0] for note in notes[1:]] == ["km: the recogniser", "ko: the recogniser"]
    assert all("ignored_text" not in each["faults"] for each in lines(again.into / "results.jsonl"))


def test_sentences_of_ones_own_are_spoken_under_their_own_names(settings, tmp_path):
    (tmp_path / "mine.tsv").write_text("id\tlanguage\ttext\nko-1\tko\t사과 3개\nkm-1\tkm\tសួស្តី\n", encoding="utf-8")
    own = dataclasses.replace(settings, into=tmp_path / "own", sentences=tmp_path / "mine.tsv", runs=settings.runs[:1])
    told = everything(own)
    assert any("no sentence has a recording" in str(event) for event in told)
    records = lines(own.into / "results.jsonl")
    assert {(each["sentence"], each["text"]) for each in records} == {("ko-1", "사과 세 개"), ("km-1", "សួស្តី")}
    assert (own.into / "audio" / "r2" / "take-2" / "ko-1.wav").is_file()
    assert len({each["id"] for each in lines(own.into / "losses.jsonl")}) == 8  # losses are of the split, all the same


HOSTILE = '<img src=x onerror="alert(1)">안녕'


def test_the_page_escapes_what_comes_from_outside_and_needs_no_script(settings, tmp_path):
    (tmp_path / "mine.tsv").write_text(f"id\tlanguage\ttext\nko-1\tko\t{HOSTILE}\n", encoding="utf-8")
    from train.evaluate import held_out, page

    sentences = [folder.Sentence("ko-1", "ko", HOSTILE)]
    facts = {
        "corpus": "<b>x</b>", "model": "m", "split": "test", "languages": {"ko": {"sentences": 1, "held_out_clips": 1}},
        "speech": {"takes": 1, "timesteps": 10, "guidance": 2.0}, "losses": {"draws": 4}, "notes": ["<i>note</i>"],
        "conditions": {"zero-shot": {}}, "results": {"zero-shot": {"ko": {}}}, "intervals": "t", "recognisers": {},
        "imported": [],
    }  # fmt: skip
    record = {"sentence": "ko-1", "condition": "zero-shot", "audio": "audio/zero-shot/ko-1.wav", "take": 1,
              "faults": {"silence": '"><script>'}, "heard": "<u>"}  # fmt: skip
    html = page.render(facts, [record], sentences)
    for bad in ("<img", "<b>x", "<i>note", "<script", "<u>"):
        assert bad not in html
    assert "script-src 'none'" in html
    assert held_out.from_table(tmp_path / "mine.tsv", {})[0].id == "ko-1"


# ---- what is refused


def refusal(settings):
    """The one line that says what is wrong."""
    with pytest.raises(UserError) as problem:
        everything(settings)
    (line,) = str(problem.value).splitlines()
    return line


def test_another_model_corpus_or_seed_than_the_folders_is_one_line(again, corpus, other_tiny, tmp_path):
    from train.evaluate.synthesis import Speaking

    assert re.search(
        "was begun with base model .* choose another --into",
        refusal(dataclasses.replace(again, model=str(other_tiny), runs=())),
    )
    assert re.search("was begun with held-out clips", refusal(dataclasses.replace(again, corpus=corpus)))
    assert re.search(
        "was begun with seed 0, and this is 1",
        refusal(dataclasses.replace(again, speaking=Speaking(seed=1, timesteps=2))),
    )
    assert re.search("is not empty", refusal(dataclasses.replace(again, into=tmp_path)))


def test_a_name_that_other_weights_had_is_one_line(again, adapters):
    assert re.search(
        "r2 was evaluated in .* with other weights", refusal(dataclasses.replace(again, runs=[f"r2={adapters['r4']}"]))
    )


@pytest.mark.parametrize(
    ("runs", "says"),
    [
        (["absent"], "there is no folder absent"),
        (["natural={r2}"], "natural is the name of another condition"),
        (["{r2}", "r2={r4}"], "two runs are called r2"),
        (["a b={r2}"], "cannot name files"),
        (["{corpus}"], "no adapter in"),
        ([], "no adapter says which base model"),
    ],
)
def test_runs_that_are_none_are_one_line(settings, adapters, wide_corpus, tmp_path, runs, says):
    named = [each.format(**adapters, corpus=wide_corpus) for each in runs]
    assert re.search(says, refusal(dataclasses.replace(settings, into=tmp_path / "new", runs=named)))
    assert not (tmp_path / "new").exists()


def test_an_adapter_of_another_base_model_is_one_line(settings, adapters, tmp_path):
    saved = adapter_of(adapters["r2"])
    wrong = {name: torch.zeros(value.shape[0], value.shape[1] * 2) if name.endswith("lora_A") else value
             for name, value in saved.weights.items()}  # fmt: skip
    lora.save(dataclasses.replace(saved, weights=wrong), tmp_path / "wrong", "peft")
    assert re.search(
        "of another base model",
        refusal(dataclasses.replace(settings, into=tmp_path / "new", runs=[str(tmp_path / "wrong")])),
    )


def test_a_split_without_clips_of_a_language_is_one_line(settings, tmp_path):
    assert re.search(
        "no clips of km or ko in the split test",
        refusal(dataclasses.replace(settings, into=tmp_path / "new", split="test")),
    )


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ("id\tlanguage\n1\tko\n", "has no column text"),
        ("id\tlanguage\ttext\n1\tko\t가\n1\tko\t나\n", "the id 1 in .* is there twice"),
        ("id\tlanguage\ttext\n../x\tko\t가\n", "cannot name a file"),
        ("id\tlanguage\ttext\n1\tfr\tx\n", "no language 'fr'"),
        ("id\tlanguage\ttext\n1\tko\t...\n", "no text to be said"),
        ("id\tlanguage\ttext\n1\tko\n", "not as many fields"),
        ("id\tlanguage\ttext\n", "holds no sentences"),
        ("id\tlanguage\ttext\trecording\n1\tko\t가\tabsent.wav\n", "there is no recording"),
    ],
)
def test_a_table_of_sentences_that_cannot_be_spoken_is_one_line(settings, tmp_path, rows, says):
    (tmp_path / "mine.tsv").write_text(rows, encoding="utf-8")
    assert re.search(
        says, refusal(dataclasses.replace(settings, into=tmp_path / "new", sentences=tmp_path / "mine.tsv"))
    )
    assert not (tmp_path / "new").exists()


def test_a_recogniser_that_is_none_and_transcripts_of_others_are_one_line(again, tmp_path):
    (tmp_path / "empty").mkdir()
    assert re.search("is no recogniser", refusal(dataclasses.replace(again, asr=[str(tmp_path / "empty")])))
    assert re.search("no recogniser 'no such thing'", refusal(dataclasses.replace(again, asr=["no such thing"])))
    assert re.search("no language 'fr'", refusal(dataclasses.replace(again, asr=["fr=bundled"])))
    (tmp_path / "heard.tsv").write_text("key\theard\nr4/other\tx\n")
    assert re.search(
        "is no sentence that was spoken here", refusal(dataclasses.replace(again, transcripts=tmp_path / "heard.tsv"))
    )
    assert re.search(
        "give one of them", refusal(dataclasses.replace(again, asr=["bundled"], transcripts=tmp_path / "heard.tsv"))
    )


def test_a_condition_that_another_process_is_at_is_one_line(again):
    with folder.locked(again.into, "r4"), pytest.raises(Busy, match=r"r4 of .* is being evaluated by another process"):
        everything(again)


def test_a_half_condition_is_not_in_the_tables(again):
    path = folder.answers(again.into, "r4", "spoken")
    path.write_text("".join(path.read_text(encoding="utf-8").splitlines(keepends=True)[:-1]), encoding="utf-8")
    everything(dataclasses.replace(again, runs=again.runs[:1]))
    assert {each["condition"] for each in lines(again.into / "results.jsonl")} == set(NAMES) - {"r4"}
    everything(again)
    assert len(lines(again.into / "results.jsonl")) == 36
