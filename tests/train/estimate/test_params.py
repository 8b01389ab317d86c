import json

import pytest

from curate.errors import UserError
from train import cli
from train.config import MODULES
from train.estimate import params

PUBLISHED = {8: 4_521_984, 16: 9_043_968, 32: 18_087_936, 64: 36_175_872, 128: 72_351_744}
SHARES = ("0.19 %", "0.38 %", "0.76 %", "1.52 %", "3.03 %")


def test_published_sizes_and_shares_are_counted_on_the_real_configuration(capsys):
    cli.params()
    printed = capsys.readouterr().out
    for (rank, parameters), share in zip(PUBLISHED.items(), SHARES, strict=True):
        row = next(line for line in printed.splitlines() if line.startswith(f"rank {rank:>4} "))
        assert f"{parameters:,}" in row
        assert row.endswith(share)


def test_json_has_the_promised_form(capsys):
    cli.params(ranks="8,64", as_json=True)
    assert json.loads(capsys.readouterr().out) == {
        "total": 2384218498,
        "ranks": [
            {"rank": 8, "parameters": 4521984, "percent": 0.1897},
            {"rank": 64, "parameters": 36175872, "percent": 1.5173},
        ],
    }


def test_scopes_add_up():
    of = {scope: params.table([8], scope=scope)["ranks"][0]["parameters"] for scope in ("lm", "dit", "both")}
    assert of["lm"] + of["dit"] == of["both"] == PUBLISHED[8]


def test_other_modules_and_the_projections_are_counted(tiny, capsys):
    """The real projections hold 1024 x 2048, 2048 x 1024 twice and 4096 x 2048; rank r adds r x (in + out)."""
    bare, more = (params.table([8], projections=each)["ranks"][0]["parameters"] for each in (False, True))
    assert more - bare == 8 * (3 * (1024 + 2048) + 4096 + 2048)
    halves = (MODULES[:4], MODULES[4:])
    of = [params.table([4], modules=names, model=str(tiny))["ranks"][0]["parameters"] for names in halves]
    assert sum(of) == params.table([4], modules=MODULES, model=str(tiny))["ranks"][0]["parameters"]
    cli.params(ranks="4", modules="q_proj", projections=True, model=str(tiny), as_json=True)
    told = json.loads(capsys.readouterr().out)["ranks"][0]["parameters"]
    assert told == params.table([4], modules=["q_proj"], projections=True, model=str(tiny))["ranks"][0]["parameters"]


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"scope": "all"}, "--scope: input should be 'lm', 'dit' or 'both'"),
        ({"modules": ["in_proj"]}, "--modules: "),
        ({"ranks": [8, 10**20]}, "--ranks: input should be less than or equal to 1024"),
    ],
)
def test_a_scope_module_or_rank_that_there_is_not_is_one_line_with_the_choices(settings, says):
    with pytest.raises(UserError, match=says) as problem:
        params.table(**{"ranks": [8]} | settings)
    assert "\n" not in str(problem.value)


def test_another_configuration_gives_other_counts(tiny):
    assert params.table([8], model=str(tiny))["ranks"][0]["parameters"] == 19456


@pytest.mark.parametrize("ranks", ["8,x", "0", "", "-4"])
def test_ranks_that_are_none_are_refused(ranks):
    with pytest.raises(UserError, match="positive whole numbers"):
        params.parse(ranks)
