"""Pace: sounds are counted, and a clip far from its speaker's and source's usual pace stands out."""

import numpy as np
import polars as pl
import pytest

from curate.measures import pace


@pytest.mark.parametrize(
    ("pronounced", "sounds"),
    [("", 0), ("아", 1), ("가", 2), ("각", 3), ("가나 다.", 6), ("pʔoun proh", 9), ("ɓaːn", 3), ("kʰmae", 4), ("…", 0)],
)
def test_phones_are_counted(pronounced: str, sounds: int) -> None:
    assert pace.phones(pronounced) == sounds


def spoken(paces: list[float | None], *, speaker: str | None = "a", source: str = "s") -> pl.DataFrame:
    rows = {"phone_pace": paces, "speaker": [speaker] * len(paces), "source": [source] * len(paces)}
    return pl.DataFrame(
        rows, schema={"phone_pace": pl.Float64, "speaker": pl.String, "source": pl.String}
    ).with_columns(pl.lit("km").alias("language"))


def z(*frames: pl.DataFrame) -> list[float | None]:
    return pl.concat(frames).select(pace.outlying().alias("z"))["z"].to_list()


def usual(count: int, centre: float, seed: int = 0) -> list[float | None]:
    return [float(each) for each in centre * np.exp(0.12 * np.random.default_rng(seed).standard_normal(count))]


def test_texts_of_other_lengths_stand_out_and_the_others_do_not() -> None:
    found = z(spoken([*usual(60, 12.0), 12.0 * 0.5, 12.0 * 1.9]))
    usual_z, (half, twice) = found[:-2], found[-2:]
    assert max(abs(each) for each in usual_z if each is not None) < 4
    assert half is not None
    assert twice is not None
    assert half < -4 < 4 < twice


def test_a_fast_speaker_is_usual_to_herself() -> None:
    found = z(spoken(usual(40, 10.0), speaker="slow"), spoken(usual(15, 19.0, 1), speaker="fast"))
    assert max(abs(each) for each in found if each is not None) < 4


def test_few_clips_and_no_pace_have_no_usual() -> None:
    assert z(spoken([9.0] * 9)) == [None] * 9
    found = z(spoken([*usual(20, 12.0), None, 0.0]))
    assert found[-2:] == [None, None]
    assert None not in found[:-2]
    assert None not in z(spoken(usual(20, 12.0), speaker=None))  # by the source alone


def test_clips_that_are_all_alike_make_no_outlier_of_a_slightly_other_one() -> None:
    assert z(spoken([10.0] * 30 + [11.0]))[-1] == pytest.approx(np.log(1.1) / pace.LEAST_DEVIATION)
