import dataclasses
import json
import re

import polars as pl
import pytest
import soundfile
import torch
import yaml

from curate import files
from curate import text as writing
from curate.errors import UserError
from train import checkpoint, cli, config, metrics
from train.adapter import lora
from train.config import Adapter
from train.export import adapter as exporting
from train.export import card, facts, merge
from train.model import voxcpm
from train.model.base import read_config

LICENCES = {"slr42": "CC-BY-SA-4.0", "studio": "own | ours"}
VALIDATIONS = {0: (1.5, 1.25), 3: (1.0, 1.125), 6: (1.25, 0.875)}  # step -> loss of km, ko


def adapter_for(base, adapter: Adapter) -> lora.Saved:
    model = voxcpm.on_meta(read_config(base))
    lora.attach(model, adapter)
    weights = {name: torch.zeros(value.shape) for name, value in lora.parameters(model).items()}
    tags, forms = {"km": "(Khmer)", "ko": "<Korean> "}, {"km": "spoken", "ko": "pronounced"}
    return lora.Saved(weights, adapter, str(base), tags, None, forms)


def write_manifest(folder) -> None:
    row = {"drop": None, "training_text": "x", "attribution": "A"}
    rows = [
        row | {"language": language, "split": split, "source": source, "licence": LICENCES[source], "seconds": seconds}
        for language, source in (("km", "slr42"), ("ko", "studio"))
        for split, seconds in (("train", 1800.0), ("train", 900.0), ("validation", 360.0))
    ]
    rows += [rows[0] | {"drop": "noisy", "training_text": None}, rows[0] | {"training_text": None}]
    folder.mkdir()
    pl.DataFrame(rows, infer_schema_length=None).write_parquet(folder / "manifest.parquet")


@pytest.fixture
def run(tiny, tmp_path):
    """A finished run as it lies on disk, with two checkpoints."""
    folder = tmp_path / "run"
    write_manifest(tmp_path / "corpus")
    folder.mkdir()
    table = {"corpus": str(tmp_path / "corpus"), "into": str(folder), "model": str(tiny)}
    config.save(config.build(table, ["adapter.rank=4"]), folder / "run.toml")
    for step, losses in VALIDATIONS.items():
        languages = {
            language: {"loss": loss, "diff": loss - 0.25, "stop": 0.25, "patches": 9.0, "change": 0.1}
            for language, loss in zip(("km", "ko"), losses, strict=True)
        }
        metrics.append(folder, {"step": step, "loss": 9.0, "languages": {"km": 0.001}})  # a step, not a validation
        metrics.append(folder, {"step": step, "languages": languages})
        if step:
            with files.replacing_folder(checkpoint.path_of(folder, step), lora.FILES) as place:
                lora.write(adapter_for(tiny, Adapter(rank=4)), place, lora.EXACT)
                for name in (checkpoint.OPTIMIZER, checkpoint.STATE):
                    (place / name).write_text("{}")
                checkpoint.write_checksums(place)
    with (folder / metrics.FILE).open("a") as file:
        file.write('{"step": 7, "lang')  # killed here
    return folder


def front_matter(text: str) -> dict:
    return yaml.safe_load(text.split("---\n")[1])


def code(text: str) -> str:
    return re.search(r"```python\n(.*?)```", text, re.DOTALL)[1]


def test_the_card_says_what_the_run_and_its_corpus_wrote_down(run):
    text = (exporting.export(run, "voxcpm") / card.CARD).read_text(encoding="utf-8")
    assert "| km | train | slr42 | CC-BY-SA-4.0 | A | 2 | 0.750 |" in text
    assert "| ko | validation | studio | own \\| ours | A | 1 | 0.100 |" in text
    assert (
        "| km | 1.5000 (1.2500 + 0.2500) | 1.0000 (0.7500 + 0.2500), step 3 | 1.2500 (1.0000 + 0.2500), step 6 |"
        in text
    )
    assert re.search(r"\| ko \| 1.2500 .*\| 0.8750 .*step 6 \| 0.8750 .*step 6 \| 0.8750 .*step 6 \|", text)
    assert (
        "rank 4, alpha 4, scale 1, on q_proj, k_proj, v_proj, o_proj of base LM, residual LM and DiT, 6 steps" in text
    )
    assert '| ko | `"<Korean> "` | pronounced | `"<Korean> 안녕하세요"` |' in text
    assert "\n## Held-out loss\n" in text


def test_an_earlier_checkpoint_can_be_exported_and_is_the_one_described(run):
    text = (exporting.export(run, "peft", step=3) / card.CARD).read_text(encoding="utf-8")
    assert "3 steps" in text
    assert re.search(r"\| km \|.*\| 1.0000 \(0.7500 \+ 0.2500\), step 3 \|\n", text)
    with pytest.raises(UserError, match="keeps no checkpoint of step 5; there are 3, 6"):
        exporting.export(run, "peft", step=5)
    with pytest.raises(UserError, match="is no run"):
        exporting.export(run / "export" / "peft", "voxcpm", step=3)
    with (checkpoint.path_of(run, 3) / lora.PEFT_FILES[0]).open("ab") as file:
        file.write(b"x")
    with pytest.raises(UserError, match=r"0000003 is damaged \(adapter_model.safetensors\)"):
        exporting.export(run, "peft", step=3)


def test_the_adapter_that_is_exported_and_those_of_other_trainers_are_not_replaced(run, tmp_path):
    place = exporting.export(run, "voxcpm", tmp_path / "a")
    before = {path.name: path.read_bytes() for path in place.iterdir()}
    (tmp_path / "link").symlink_to(place)
    for same in (place, tmp_path / "link"):
        with pytest.raises(UserError, match="holds what would be lost, the adapter that is to be exported: choose"):
            exporting.export(place, "peft", same)
    assert {path.name: path.read_bytes() for path in place.iterdir()} == before
    for name in (lora.NOTES, card.CARD):
        (place / name).unlink()  # as the official script leaves one
    with pytest.raises(UserError, match="holds what would be lost"):
        exporting.export(run, "voxcpm", place)


@pytest.mark.parametrize("form", lora.FORMATS)
def test_a_disk_that_fills_up_while_exporting_is_one_line_and_leaves_nothing(run, tmp_path, full_disk, form):
    says = r"a cannot be written \(File too large\): choose another --into"
    with full_disk(10_000), pytest.raises(UserError, match=says):
        exporting.export(run, form, tmp_path / "a")
    assert not list(tmp_path.glob("*a*"))


def test_what_was_not_written_down_is_not_claimed(run, tiny):
    (run.parent / "corpus" / "manifest.parquet").unlink()
    (run / metrics.FILE).unlink()
    assert facts.gather(run, 6) == {"step": 6, "data": [], "losses": {}}
    text = (exporting.export(run, "voxcpm") / card.CARD).read_text(encoding="utf-8")
    assert "not known here: the corpus was not there" in text
    assert "Not measured" in text
    assert "revision not written down" in text


@pytest.mark.parametrize("broken", ["torn", "text for seconds"])
def test_a_broken_manifest_stops_no_export(run, caplog, broken):
    path = run.parent / "corpus" / "manifest.parquet"
    if broken == "torn":
        path.write_bytes(b"torn")
    else:
        pl.read_parquet(path).with_columns(pl.lit("long").alias("seconds")).write_parquet(path)
    assert facts.gather(run, 6)["data"] == []
    assert "the model card says nothing of data" in caplog.text


def test_a_manifest_without_licences_says_so(run):
    path = run.parent / "corpus" / "manifest.parquet"
    pl.read_parquet(path).drop("licence", "attribution", "source").write_parquet(path)
    text = (exporting.export(run, "voxcpm") / card.CARD).read_text(encoding="utf-8")
    assert "| km | train | not written down | not written down | not written down | 2 | 0.750 |" in text


def test_facts_go_with_the_adapter_into_another_format_and_into_a_merged_checkpoint(run, tmp_path):
    exporting.export(run, "voxcpm", tmp_path / "a")
    exporting.export(tmp_path / "a", "peft", tmp_path / "b")
    merge.merge(tmp_path / "b", tmp_path / "m")
    for folder in ("a", "b", "m"):
        assert "| km | train | slr42 | CC-BY-SA-4.0 | A | 2 | 0.750 |" in (tmp_path / folder / card.CARD).read_text()


@pytest.mark.parametrize(
    ("form", "library", "relation"),
    [("voxcpm", "voxcpm", "adapter"), ("peft", "peft", "adapter"), (lora.MERGED, "voxcpm", "finetune")],
)
def test_the_front_matter_is_what_the_hub_reads_and_leaves_the_licence_to_a_person(tiny, form, library, relation):
    saved = dataclasses.replace(adapter_for(tiny, Adapter(rank=4)), base="openbmb/VoxCPM2", revision="c0ffee")
    text = card.text(saved, form)
    assert front_matter(text) == {
        "base_model": "openbmb/VoxCPM2",
        "base_model_relation": relation,
        "language": ["km", "ko"],
        "library_name": library,
        "pipeline_tag": "text-to-speech",
        "tags": ["text-to-speech", "voxcpm"] + ["lora"] * (form != lora.MERGED),
    }
    assert "# license: yours to choose" in text
    assert "**not chosen yet**" in text
    assert "revision `c0ffee`" in text
    if form != lora.MERGED:
        assert 'base = snapshot_download("openbmb/VoxCPM2", revision="c0ffee")' in code(text)
    compile(code(text), "card", "exec")


@pytest.mark.parametrize("form", [*lora.FORMATS, lora.MERGED])
def test_the_code_on_the_card_runs_and_no_path_of_this_machine_is_on_it(tiny, tmp_path, monkeypatch, form):
    lora.save(adapter_for(tiny, Adapter(rank=4, alpha=2.5)), tmp_path / "source", "voxcpm")
    place = tmp_path / ("merged" if form == lora.MERGED else "adapter")
    if form == lora.MERGED:
        merge.merge(tmp_path / "source", place)
    else:
        exporting.export(tmp_path / "source", form, place)
    text = (place / card.CARD).read_text(encoding="utf-8")
    assert str(tiny.parent) not in text
    (tmp_path / tiny.name).symlink_to(tiny)
    monkeypatch.chdir(tmp_path)
    torch.manual_seed(0)
    with voxcpm.quiet():
        exec(compile(code(text), "card", "exec"), {})
    assert soundfile.info("out.wav").samplerate == 48000


@pytest.mark.parametrize(("language", "form"), [("km", "spoken"), ("ko", "spoken"), ("ko", "pronounced")])
def test_the_examples_are_written_the_same_in_every_form(language, form):
    assert writing.normalise(card.EXAMPLES[language], language, form) == card.EXAMPLES[language]


def test_a_card_that_a_person_has_edited_is_never_replaced(run):
    place = exporting.export(run, "voxcpm") / card.CARD
    exporting.export(run, "voxcpm")  # untouched: replaced
    place.write_text(place.read_text().replace("**not chosen yet**", "CC-BY-SA-4.0"))
    with pytest.raises(UserError, match=r"holds what would be lost, such as README.md"):
        exporting.export(run, "voxcpm")
    assert "CC-BY-SA-4.0" in place.read_text()


def test_the_commands_say_limits_on_standard_error_and_the_result_on_standard_output(run, tmp_path, capsys):
    cli.export(run, "voxcpm", tmp_path / "a", as_json=True)
    told = capsys.readouterr()
    assert json.loads(told.out) == {"format": "voxcpm", "adapter": str(tmp_path / "a")}
    assert "note: GGUF runtimes read no adapter: `train merge` for those" in told.err
    cli.merge(run, tmp_path / "m", as_json=True)
    told = capsys.readouterr()
    assert json.loads(told.out)["changed"] == 24
    assert "note: rounding to the base's precision lost" in told.err
