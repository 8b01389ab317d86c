import json

import pytest

from curate.errors import UserError
from train import cli, params

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


def test_another_configuration_gives_other_counts(tiny):
    assert params.table([8], model=str(tiny))["ranks"][0]["parameters"] == 19456


@pytest.mark.parametrize("ranks", ["8,x", "0", "", "-4"])
def test_ranks_that_are_none_are_refused(ranks):
    with pytest.raises(UserError, match="positive whole numbers"):
        params.parse(ranks)
