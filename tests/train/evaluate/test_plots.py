"""Plots and drawings are well-formed SVG that says in words what it shows."""

import xml.etree.ElementTree as xml

import pytest

from train.config import Adapter
from train.estimate import layout
from train.evaluate import plots
from train.evaluate.plots import Panel, Point
from train.model import base

SVG = "{http://www.w3.org/2000/svg}"


def test_a_figure_holds_every_point_inside_its_frame():
    points = [Point("off", 0.0), Point("8", -0.02, -0.03, -0.01), Point("64", -0.05, -0.06, -0.04)]
    svg = plots.figure([Panel("Khmer <1>", points, 0.0)], axis="loss & more", caption=["Seed 0: r8, r64."], lowest=True)
    root = xml.fromstring(svg)
    circles = root.findall(f".//{SVG}circle")
    assert len(circles) == 3
    assert [each.get("class") for each in circles] == ["dot", "dot", "best"]
    heights = [float(each.get("cy")) for each in circles]
    assert heights == sorted(heights)  # a lower loss lies lower
    assert all(plots.TOP <= y <= plots.HEIGHT - plots.BOTTOM for y in heights)
    assert "Seed 0: r8, r64." in [each.text for each in root.iter(f"{SVG}text")]
    assert "Khmer <1> off 0, 8 -0.02, 64 -0.05" in root.get("aria-label")


@pytest.mark.parametrize("points", [[], [Point("off", 1.0)], [Point("off", 1.0), Point("8", 1.0, 1.0, 1.0)]])
def test_few_or_equal_points_are_drawn_too(points):
    root = xml.fromstring(plots.figure([Panel("x", points)], axis="MOS", caption=[], lowest=False))
    drawn = [(float(each.get("cx")), float(each.get("cy"))) for each in root.findall(f".//{SVG}circle")]
    assert len(drawn) == len(set(drawn)) == len(points)
    assert all(plots.TOP <= y <= plots.HEIGHT - plots.BOTTOM for _, y in drawn)


@pytest.mark.parametrize(("low", "high"), [(0.0, 1.0), (-0.0512, 0.0003), (3.85, 4.23), (1e-6, 2e-6), (-3e4, 2e5)])
def test_ticks_hold_both_ends_between_them(low, high):
    marks = plots.ticks(low, high)
    assert marks[0] <= low < high <= marks[-1]
    assert 3 <= len(marks) <= 7


def test_the_layout_counts_what_the_table_of_sizes_counts():
    rows = layout.rows(base.real_config(), Adapter(rank=8))
    assert {(row["part"], row["layers"]) for row in rows} == {
        ("base_lm", 28), ("residual_lm", 8), ("feat_decoder.estimator", 12)
    }  # fmt: skip
    assert sum(row["parameters"] for row in rows) == 4_521_984  # 565,248 x rank
    query = next(row for row in rows if row["part"] == "feat_decoder.estimator" and row["module"] == "q_proj")
    assert (query["a"], query["b"]) == ([8, 1024], [2048, 8])
    assert all(len(line) <= 80 for line in layout.lines(rows))


@pytest.mark.parametrize("adapter", [Adapter(rank=4), Adapter(rank=4, scope="dit", modules=(), projections=True)])
def test_the_drawing_marks_what_is_adapted(adapter):
    rows = layout.rows(base.real_config(), adapter)
    root = xml.fromstring(layout.drawing(rows, base.real_config()))
    filled = [each for each in root.iter(f"{SVG}rect") if each.get("class") == "lora"]
    assert len(filled) == len({row["part"] for row in rows if row["part"]})


def test_the_command_prints_and_draws_it(tmp_path, tiny):
    from typer.testing import CliRunner

    from train.cli import app

    words = ["params", "--ranks", "4,8", "--model", str(tiny)]
    ran = CliRunner().invoke(app, [*words, "--layout", "--drawing", str(tmp_path / "a.svg")])
    assert ran.exit_code == 0
    assert "base_lm" in ran.output
    assert "A 8 x 64, B 64 x 8" in ran.output
    xml.fromstring((tmp_path / "a.svg").read_text())
    ran = CliRunner().invoke(app, [*words, "--drawing", str(tmp_path / "a.png")])
    assert "must be a file that ends in .svg" in str(ran.exception)
