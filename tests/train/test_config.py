import re
from pathlib import Path

import pytest

from curate.errors import UserError
from train import config

ALL = {"corpus": "c", "into": "r", "model": "m"}


def test_a_run_file_is_read_back_as_it_was_written(tmp_path):
    run = config.build(
        dict(ALL),
        ["adapter.rank=8", "adapter.scope=lm", 'model="a/ខ \\" b"', "train.steps=5", 'samples.km=["ក \\"ខ\\""]'],
    )
    config.save(run, tmp_path / "run.toml")
    assert config.load(tmp_path / "run.toml") == run


def test_paths_in_a_run_file_are_relative_to_it(tmp_path):
    (tmp_path / "model").mkdir()
    (tmp_path / "run.toml").write_text('corpus = "c"\ninto = "out/r"\nmodel = "model"\n')
    run = config.load(tmp_path / "run.toml")
    assert (run.corpus, run.into, run.model) == (tmp_path / "c", tmp_path / "out/r", str(tmp_path / "model"))
    assert run.latents_folder == tmp_path / "c" / "latents"


def test_options_win_over_the_file_and_settings_over_both(tmp_path):
    (tmp_path / "run.toml").write_text(
        'corpus = "c"\ninto = "r"\nmodel = "m"\n[adapter]\nrank = 8\n[train]\nseed = 3\n'
    )
    options = {"adapter.rank": 16, "revision": None, "into": tmp_path / "elsewhere"}
    run = config.gather(tmp_path / "run.toml", options, ["adapter.rank=32"])
    assert (run.adapter.rank, run.train.seed, run.into) == (32, 3, tmp_path / "elsewhere")
    assert config.gather(tmp_path / "run.toml", options, []).adapter.rank == 16


def test_docs_run_md_names_every_key_and_its_defaults_make_the_default_run():
    """As a person copies them: the value of the table, given for its key."""
    documented, part = {}, ""
    for line in (Path(__file__).resolve().parents[2] / "docs" / "run.md").read_text(encoding="utf-8").splitlines():
        if section := re.fullmatch(r"## `\[(\w+)\]`", line):
            part = f"{section[1]}."
        if row := re.match(r"\| `(\w+)` \| `?(.*?)`? \|", line):
            documented[part + row[1]] = row[2]
    assert documented.keys() == set(keys(config.Run))
    assert {key for key, value in documented.items() if value == "required"} == ALL.keys()
    defaults = [f"{key}={value}" for key, value in documented.items() if value not in ("required", "unset")]
    assert config.build(dict(ALL), defaults) == config.build(dict(ALL))


def keys(part):
    """The dotted keys of a table of settings."""
    for name, field in part.model_fields.items():
        inner = hasattr(field.annotation, "model_fields")
        yield from (f"{name}.{key}" for key in keys(field.annotation)) if inner else (name,)


@pytest.mark.parametrize("rank", [8, 64])
def test_without_an_alpha_the_scale_is_1_whatever_the_rank(rank):
    assert config.build(dict(ALL), [f"adapter.rank={rank}"]).adapter.scale == 1.0


@pytest.mark.parametrize(
    ("setting", "says"),
    [
        ("adapter.rnak=8", "unknown key 'adapter.rnak'; there are rank, alpha, rslora, dropout, scope"),
        ("modle=x", "unknown key 'modle'; there are corpus, into, model"),
        ("adapter.scope=all", "adapter.scope = 'all': input should be 'lm', 'dit' or 'both'"),
        ("adapter.rank=0", "adapter.rank = 0: input should be greater than or equal to 1"),
        ("adapter.alpha=0", "adapter.alpha = 0: "),
        ("adapter.alpha=inf", "adapter.alpha = inf: input should be a finite number"),
        (
            "adapter.rank=99999999999999999999",
            "rank = 99999999999999999999: input should be less than or equal to 1024",
        ),
        ("optimizer.learning_rate=inf", "optimizer.learning_rate = inf: input should be a finite number"),
        ("optimizer.learning_rate=nan", "optimizer.learning_rate = nan: input should be a finite number"),
        ("optimizer.weight_decay=inf", "optimizer.weight_decay = inf: input should be a finite number"),
        ("optimizer.clip=inf", "optimizer.clip = inf: input should be a finite number"),
        ('samples={fr=["bonjour"]}', "samples = {'fr': ['bonjour']}: 'fr' is no language here; there are km, ko"),
        ('samples={"a b"=["x"]}', "samples = {'a b': ['x']}: 'a b' is no language here"),
        ('samples={km=["ok", " "]}', "a sentence of km is blank"),
        ('samples.ko=["\u200b"]', "a sentence of ko is blank"),
        ("adapter.modules=[]", "name at least one of modules, or set projections"),
        (
            "adapter.modules=['in_proj']",
            "adapter.modules.0 = 'in_proj': input should be 'q_proj', 'k_proj'",
        ),
        ("rank", "--set rank: write it as key=value or table.key=value"),
        ("model.name=x", "model = {'name': 'x'}: input should be a valid string"),
        ("adapter.modules=q_proj", "adapter.modules = 'q_proj': should be a list, such as ['q_proj', 'v_proj']"),
        ("adapter=8", "adapter = 8: should be a table of settings"),
        ("samples=5", "samples = 5: should be a table of settings"),
        ("train.epochs=100000000", "train.epochs = 100000000: input should be less than or equal to 1000"),
        ("model=", "model = '': is empty: name a folder or a hub id"),
        ('into=""', "into = '': is empty"),
        ('corpus=""', "corpus = '': is empty"),
        ('latents=""', "latents = '': is empty"),
    ],
)
def test_a_mistake_is_one_line_naming_key_and_choices(setting, says):
    with pytest.raises(UserError) as problem:
        config.build(dict(ALL), [setting])
    assert says in str(problem.value)
    assert "\n" not in str(problem.value)


def test_a_mistake_in_the_file_is_told_from_one_in_an_option(tmp_path):
    (tmp_path / "run.toml").write_text('corpus = "c"\ninto = "r"\nmodel = "m"\n[adapter]\nrank = 0\n')
    with pytest.raises(UserError, match=r"adapter\.rank = 0 in the run file: input should be"):
        config.load(tmp_path / "run.toml", ["adapter.scope=lm"])
    with pytest.raises(UserError, match=r"adapter\.rank = -1: input should be"):
        config.gather(tmp_path / "run.toml", {"adapter.rank": -1}, [])


@pytest.mark.parametrize(
    ("settings", "scale"),
    [(["alpha=2.5"], 2.5 / 16), (["alpha=8", "rslora=true"], 2.0), (["rslora=true"], 4.0), (["alpha=32"], 2.0)],
)
def test_the_scale_of_an_adapter_and_its_modules_are_read_back_from_the_run_file(tmp_path, settings, scale):
    more = ["adapter.rank=16", "adapter.modules=['up_proj', 'q_proj', 'q_proj']", "adapter.projections=true"]
    run = config.build(dict(ALL), [*more, *(f"adapter.{each}" for each in settings)])
    config.save(run, tmp_path / "run.toml")
    assert config.load(tmp_path / "run.toml") == run
    assert run.adapter.scale == scale
    assert run.adapter.modules == ("q_proj", "up_proj")


@pytest.mark.parametrize(("text", "says"), [("= 3", "not valid TOML"), ('corpus = "c"', "into is missing")])
def test_a_broken_run_file_is_one_line(tmp_path, text, says):
    (tmp_path / "run.toml").write_text(text)
    with pytest.raises(UserError, match=says):
        config.load(tmp_path / "run.toml")
    with pytest.raises(UserError, match="cannot read the run file"):
        config.load(tmp_path / "absent.toml")


@pytest.mark.parametrize(("text", "key"), [("", "corpus"), ('corpus = "c"', "into"), ('corpus="c"\ninto="i"', "model")])
def test_what_the_run_file_of_a_run_lacks_is_named(tmp_path, text, key):
    (tmp_path / "run.toml").write_text(text)
    with pytest.raises(UserError, match=rf"run\.toml lacks {key}: write it there, or begin another run$"):
        config.read(tmp_path)
