"""Every committed preset is a run file but for what is a person's own, and is named on the page."""

import re
from pathlib import Path

import pytest

from curate.errors import UserError
from train import config

ROOT = Path(__file__).resolve().parents[2]
PRESETS = sorted(ROOT.glob("manifests/train/*.toml"))
CARDS = {  # preset -> positions at once, checkpointing, quantization of the base
    "6gb": (512, False, "nf4"),
    "8gb-nf4": (1024, False, "nf4"),
    "8gb": (3072, True, "none"),
    "12gb": (1024, False, "none"),
    "16gb": (2048, False, "none"),
    "24gb": (4096, False, "none"),
    "80gb": (4096, False, "none"),
}
MINE = {"model": "openbmb/VoxCPM2", "into": Path("run")}


def loaded(preset, *settings):
    return config.gather(Path("corpus"), MINE, settings, preset)


def test_there_is_one_for_each_card_and_they_are_all_on_the_page():
    names = {path.stem for path in PRESETS}
    assert names >= {f"card-{card}" for card in CARDS} | {"study", "new-language"}
    page = (ROOT / "manifests" / "README.md").read_text(encoding="utf-8")
    assert set(re.findall(r"\(train/(.+?)\.toml\)", page)) == names


@pytest.mark.parametrize("preset", PRESETS, ids=lambda path: path.stem)
def test_a_preset_is_loaded_and_options_win_over_it(preset, tmp_path):
    run = loaded(preset)
    assert run.corpus == Path("corpus").absolute()
    assert loaded(preset, "train.seed=7", "adapter.rank=16").train.seed == 7
    assert config.gather(Path("corpus"), MINE | {"adapter.rank": 16}, [], preset).adapter.rank == 16
    config.save(run, tmp_path / "run.toml")
    assert config.load(tmp_path / "run.toml") == run
    assert run != config.gather(Path("corpus"), MINE, []) or preset.stem in ("study", "card-24gb")
    line = next(line for line in preset.read_text(encoding="utf-8").splitlines() if line.startswith("# train lora"))
    assert f"--preset {preset.relative_to(ROOT)}" in line


@pytest.mark.parametrize("card", CARDS)
def test_cards_differ_in_what_is_computed_at_once_and_how_the_base_is_kept_and_not_in_what_is_learned(card):
    run = loaded(ROOT / "manifests" / "train" / f"card-{card}.toml")
    assert (run.batch.micro_batch_tokens, run.train.checkpointing, run.train.quantization) == CARDS[card]
    usual = config.gather(Path("corpus"), MINE, [])
    same = (
        {"micro_batch_tokens": None},
        {name: getattr(usual.train, name) for name in ("checkpointing", "quantization")},
    )
    alike = {"batch": run.batch.model_copy(update=same[0]), "train": run.train.model_copy(update=same[1])}
    assert run.model_copy(update=alike) == usual


@pytest.mark.parametrize("card", CARDS)
def test_a_card_is_set_to_what_the_page_of_counts_says(card):
    page = (ROOT / "docs" / "benchmarks.md").read_text(encoding="utf-8")
    size, kept = card.partition("gb")[0], {"none": "", "nf4": ", base in 4 bits"}[CARDS[card][2]]
    pattern = rf"^\| {size} GB \(([\w ]+)\){kept} \| ([\d,]+) \| (\w+) \| ([\d.]+) \| ([\d.]+) \|"
    (row,) = re.findall(pattern, page, flags=re.MULTILINE)
    name, tokens, checkpointing, memory, hours = row
    assert (int(tokens.replace(",", "")), checkpointing == "true") == CARDS[card][:2]
    preset = (ROOT / "manifests" / "train" / f"card-{card}.toml").read_text(encoding="utf-8")
    assert f"{memory} GB at the heaviest piece" in preset
    assert f"{hours} h or more on an {name}" in preset


def test_a_preset_that_is_none_is_one_line(tmp_path):
    with pytest.raises(UserError, match=r"cannot read the run file .*absent\.toml"):
        loaded(tmp_path / "absent.toml")
    (tmp_path / "odd.toml").write_text("[adapter]\nrnak = 3\n")
    with pytest.raises(UserError, match=r"unknown key 'adapter\.rnak'"):
        loaded(tmp_path / "odd.toml")
    with pytest.raises(UserError, match="is a run file, so --preset has nothing to add"):
        config.gather(tmp_path / "run.toml", MINE, [], tmp_path / "odd.toml")
