"""Segmenting: the rows of a file cover it once; what is speech becomes clips; what came with text stays whole."""

from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curate import manifest
from curate.steps.segment import segment

HZ = 16000  # of listeners' spans
SETTINGS: dict[str, Any] = {"max_seconds": 30.0, "margin": 0.2, "max_pause": 0.6, "trim_clips": True}


def recording(
    speech: list[tuple[float, float]] | None,
    *,
    seconds: float = 60.0,
    rate: int = 16000,
    turns: list[tuple[float, float, int]] | None = None,
    events: list[tuple[float, float, str]] | None = None,
    text: str | None = None,
) -> pl.DataFrame:
    """One recording; spans in seconds."""
    row = {
        "id": "0" * 16, "source": "s", "path": "a.wav", "rate": rate, "frames": round(seconds * rate), "text": text,
        "seconds": seconds,
        "file_speech": None if speech is None else [_span(a, b) for a, b in speech],
        "file_turns": None if turns is None else [_span(a, b) | {"speaker": n} for a, b, n in turns],
        "file_events": None if events is None else [_span(a, b) | {"label": n} for a, b, n in events],
    }  # fmt: skip
    return manifest.conform(pl.DataFrame([row], schema_overrides={c.name: c.dtype for c in manifest.COLUMNS.values()}))


def _span(start: float, end: float) -> dict[str, Any]:
    return {"start": round(start * HZ), "end": round(end * HZ)}


def told(frame: pl.DataFrame, column: str, found: list[tuple[float, float]]) -> pl.DataFrame:
    """With what else was heard in the file, in seconds."""
    return frame.with_columns(pl.Series(column, [[_span(a, b) for a, b in found]], dtype=manifest.SPANS))


def cut(frame: pl.DataFrame, **changed: Any) -> pl.DataFrame:
    return segment(frame, **{**SETTINGS, **changed})


def spans(frame: pl.DataFrame) -> list[tuple[int, int]]:
    """What each row accounts for."""
    return frame.select(pl.coalesce("start", pl.lit(0)), pl.coalesce("end", "frames")).rows()


def spoken(frame: pl.DataFrame) -> list[tuple[float, float]]:
    """Start and end in seconds of the rows with speech."""
    rows = frame.filter(pl.col("speech_seconds") > 0)
    return [(a / r, b / r) for a, b, r in rows.select("cut_start", "cut_end", "rate").rows()]


@st.composite
def heard(draw: st.DrawFn) -> tuple[pl.DataFrame, dict[str, Any]]:
    """A recording with any speech, turns and events, and any settings."""
    rate = draw(st.sampled_from([8000, 11025, 16000, 22050, 44100, 48000]))
    seconds = draw(st.floats(0.01, 20))
    edges = st.lists(st.floats(0, 21), max_size=12, unique_by=lambda x: round(x * HZ))
    marks = sorted(draw(edges))
    speech = list(zip(marks[::2], marks[1::2], strict=False))
    turn = st.tuples(st.floats(0, 20), st.floats(0, 5), st.integers(0, 2))
    turns = draw(st.none() | st.lists(turn, max_size=8).map(lambda ts: sorted((a, a + b, n) for a, b, n in ts)))
    frame = recording(speech, seconds=max(seconds, 2 / rate), rate=rate, turns=turns, events=[(0, 1, "music")])
    for column in ("file_dips", "file_sounds"):
        found = sorted(draw(edges))
        frame = told(frame, column, list(zip(found[::2], found[1::2], strict=False)))
    margin = draw(st.floats(0, 1))
    longest = draw(st.floats(2.1, 12))
    return frame, {"margin": margin, "max_seconds": longest, "max_pause": draw(st.floats(0, 2))}


@settings(max_examples=250, deadline=None)
@given(heard())
def test_any_recording_is_covered_once_and_its_speech_is_in_clips(case: tuple[pl.DataFrame, dict[str, Any]]) -> None:
    frame, changed = case
    rate, frames = frame["rate"][0], frame["frames"][0]
    rows = cut(frame, **changed)
    found = spans(rows)
    assert all(start < end for start, end in found)
    assert [end for _, end in found[:-1]] == [start for start, _ in found[1:]]
    assert (found[0][0], found[-1][1]) == (0, frames)
    assert rows["id"].n_unique() == rows.height
    inside = [
        (min(round(s["start"] * rate / HZ), frames), min(round(s["end"] * rate / HZ), frames))
        for s in frame["file_speech"][0]
    ]
    assert rows["speech_seconds"].sum() == pytest.approx(sum(b - a for a, b in inside) / rate, abs=1e-6)
    for row in rows.rows(named=True):
        assert all(row["cut_start"] <= s["start"] < s["end"] <= row["cut_end"] for s in row["speech"])
        assert row["seconds"] == pytest.approx((row["cut_end"] - row["cut_start"]) / rate)
        if len(row["speech"]) > 1 and not frame["file_turns"].to_list()[0]:
            # what was joined; a single stretch of speech may be longer, and is then `too_long`
            assert row["cut_end"] - row["cut_start"] <= changed["max_seconds"] * rate


@pytest.mark.parametrize("rate", [8000, 16000, 44100, 48000])
def test_a_clip_keeps_its_margin_and_a_long_pause_parts_two(rate: int) -> None:
    rows = cut(recording([(1, 2), (2.5, 3), (10, 12)], rate=rate, seconds=20))
    assert spoken(rows) == [pytest.approx((0.8, 3.2), abs=1e-3), pytest.approx((9.8, 12.2), abs=1e-3)]
    assert [row["speech_seconds"] for row in rows.rows(named=True)] == pytest.approx([0, 1.5, 0, 2, 0], abs=1e-3)


def test_neighbours_share_a_short_gap_in_its_middle() -> None:
    rows = cut(recording([(1, 2), (2.3, 4)], seconds=5), max_pause=0.1)
    assert spoken(rows) == [pytest.approx((0.8, 2.15)), pytest.approx((2.15, 4.2))]


def test_speech_to_the_very_edges_and_past_the_end_stays_inside() -> None:
    rows = cut(recording([(0, 3), (8, 10.5)], seconds=10))
    assert spoken(rows) == [pytest.approx((0, 3.2)), pytest.approx((7.8, 10))]
    assert spans(cut(recording([(0, 10)], seconds=10))) == [(0, 160000)]


def test_clips_are_joined_up_to_the_longest_and_no_further() -> None:
    rows = cut(recording([(i, i + 0.9) for i in range(1, 50)]), max_seconds=10.0)
    lengths = [b - a for a, b in spoken(rows)]
    assert max(lengths) <= 10
    assert len(lengths) == pytest.approx(49 / 9, abs=1)


def test_a_change_of_speaker_parts_a_clip() -> None:
    """At a quiet moment near where diarization has it, so that no word is cut, and counted from there."""
    turns = [(1.0, 4.0, 0), (4.0, 8.0, 1), (8.0, 9.0, 1)]
    dips = [(3.0, 3.1), (3.7, 3.8), (4.6, 4.7), (5.0, 5.1)]
    rows = cut(told(recording([(1, 9)], turns=turns), "file_dips", dips))
    assert spoken(rows) == [pytest.approx((0.8, 3.75)), pytest.approx((3.75, 9.2))]
    assert spoken(cut(told(recording([(1, 9)]), "file_dips", dips))) == [pytest.approx((0.8, 9.2))]
    said = rows.filter(pl.col("speech_seconds") > 0)
    assert said.select("voices", "second_voice").rows() == [(1, 0.0), (1, 0.0)]


def test_a_change_of_speaker_without_a_quiet_moment_stays_in_its_clip_and_is_counted() -> None:
    frame = told(recording([(1, 9)], turns=[(1, 4, 0), (4, 9, 1)]), "file_dips", [(2.0, 2.1), (7.0, 7.1)])
    row = cut(frame).filter(pl.col("speech_seconds") > 0).row(0, named=True)
    assert (row["cut_start"] / HZ, row["cut_end"] / HZ) == (0.8, 9.2)
    assert (row["voices"], row["second_voice"]) == (2, pytest.approx(3 / 8))


def test_a_change_in_a_pause_between_two_stretches_cuts_neither() -> None:
    frame = recording([(1, 3.9), (4.2, 9)], turns=[(1, 4.3, 0), (4.3, 9, 1)])
    assert spoken(cut(frame)) == [pytest.approx((0.8, 4.05)), pytest.approx((4.05, 9.2))]


def test_talk_over_somebody_is_no_change_to_who_speaks_next() -> None:
    frame = recording([(1, 9)], turns=[(1, 6, 0), (2, 3, 1), (6.2, 9, 2)])
    frame = told(frame, "file_dips", [(2.0, 2.1), (4.5, 4.7), (6.05, 6.15)])
    assert spoken(cut(frame)) == [pytest.approx((0.8, 6.1)), pytest.approx((6.1, 9.2))]


def test_no_clip_ends_inside_a_sound() -> None:
    """A last word of 0.2 s after a pause is no speech to the detector; a cough too long for a word stays outside."""
    heard = recording([(1, 4), (10, 14)], seconds=20)
    assert spoken(cut(heard)) == [pytest.approx((0.8, 4.2)), pytest.approx((9.8, 14.2))]
    frame = told(heard, "file_sounds", [(4.15, 4.35), (9.1, 9.85), (14.15, 15.0)])
    assert spoken(cut(frame)) == [pytest.approx((0.8, 4.55)), pytest.approx((9.9, 14.1))]
    assert spoken(cut(frame, max_seconds=3.5))[0] == pytest.approx((0.8, 4.1))  # it would be too long with the word


def test_a_clip_with_text_keeps_a_short_last_word() -> None:
    frame = told(recording([(1, 4)], seconds=10, text="가"), "file_sounds", [(4.15, 4.35)])
    row = cut(frame).row(0, named=True)
    assert (row["cut_start"] / HZ, row["cut_end"] / HZ) == (0.8, 4.55)


def test_someone_talking_over_another_parts_nothing_and_is_counted() -> None:
    row = cut(recording([(1, 9)], turns=[(1, 9, 0), (3, 5, 1)])).filter(pl.col("speech_seconds") > 0).row(0, named=True)
    assert row["voices"] == 2
    assert row["second_voice"] == pytest.approx(2 / 10)


def test_turns_that_begin_together_make_no_empty_clip() -> None:
    rows = cut(recording([(1, 9)], turns=[(1, 4, 0), (3, 6, 1), (3, 9, 0)]))
    assert all(start < end for start, end in spans(rows))


def test_without_speech_the_recording_stays_one_row() -> None:
    rows = cut(
        recording([], seconds=3, events=[(0, 1.5, "music"), (1, 2, "singing"), (2, 2.3, "noise"), (2, 3, "voice")])
    )
    row = rows.row(0, named=True)
    assert (rows.height, row["start"], row["end"], row["cut_start"], row["cut_end"]) == (1, None, None, 0, 48000)
    assert (row["id"], row["speech_seconds"], row["speech"]) == ("0" * 16, 0.0, [])
    assert row["noise"] == pytest.approx(0.1)
    assert row["voices"] is None


def test_what_was_not_heard_is_left_alone() -> None:
    frame = recording(None)
    assert cut(frame).equals(frame)


def test_a_clip_with_text_is_never_parted_however_long_its_pauses() -> None:
    speech, turns = [(2.0, 5.0), (30.0, 40.0), (50.0, 58.0)], [(2.0, 5.0, 0), (30.0, 58.0, 1)]
    row = cut(recording(speech, text="세 마디", turns=turns)).row(0, named=True)
    assert (row["start"], row["end"], row["id"]) == (None, None, "0" * 16)
    assert (row["cut_start"], row["cut_end"]) == (round(1.8 * HZ), round(58.2 * HZ))
    assert row["seconds"] == pytest.approx(56.4)
    whole = cut(recording(speech, text="세 마디"), trim_clips=False).row(0, named=True)
    assert (whole["cut_start"], whole["cut_end"]) == (0, 60 * HZ)
    silent = cut(recording([], text="말")).row(0, named=True)
    assert (silent["cut_start"], silent["cut_end"], silent["speech_seconds"]) == (0, 60 * HZ, 0.0)


def test_clips_have_ids_of_their_place_and_other_margins_make_others() -> None:
    rows = cut(recording([(1, 2)], seconds=4))
    assert rows["id"].to_list() == [manifest.clip_id("s", "a.wav", a, b) for a, b in spans(rows)]
    assert not set(rows["id"]) & set(cut(recording([(1, 2)], seconds=4), margin=0.1)["id"])


def test_the_same_recording_twice_has_ids_of_its_own() -> None:
    twice = pl.concat([recording([(1, 2)], seconds=4)] * 2)
    rows = cut(twice)
    assert rows["id"].n_unique() == rows.height == 6
    assert rows["id"][3] == f"{rows['id'][0]}-2"


def test_speech_without_a_long_pause_is_cut_at_its_best_pauses() -> None:
    """70 s in one go: of its pauses the longest are taken, however the clips would fill up best."""
    pauses = [(10.0, 10.2), (25.0, 25.4), (29.0, 29.16), (48.0, 48.3), (55.0, 55.2)]
    found = spoken(cut(told(recording([(0, 70)], seconds=70), "file_pauses", pauses)))
    assert found == [(0, 25.2), (25.2, 48.15), (48.15, 70)]


def test_a_gap_as_short_as_a_stop_does_not_end_a_clip_where_there_is_a_pause() -> None:
    """The gap of 0.1 s at 28 s would fill the clip best; the pause of 0.5 s at 20 s is no closure inside a word."""
    speech = [(0.0, 19.9), (20.4, 28.0), (28.1, 45.0)]
    assert spoken(cut(recording(speech, seconds=45))) == [(0, 20.1), (20.2, 45)]


def test_speech_without_any_pause_stays_whole() -> None:
    assert spoken(cut(recording([(0, 50)], seconds=50))) == [(0, 50)]


def test_a_pause_that_would_leave_a_crumb_is_taken_last() -> None:
    frame = recording([(0, 35)], seconds=35)
    assert spoken(cut(told(frame, "file_pauses", [(1.0, 1.5), (20.0, 20.2)]))) == [(0, 20.1), (20.1, 35)]
    assert spoken(cut(told(frame, "file_pauses", [(6.0, 6.2)]))) == [(0, 6.1), (6.1, 35)]


# ---- rows that account for a span of a long recording


def within(frame: pl.DataFrame, start: float, end: float) -> pl.DataFrame:
    """The row of start..end seconds of the recording, with the id that ingest gives it."""
    first, last = (round(each * frame["rate"][0]) for each in (start, end))
    return frame.with_columns(
        pl.lit(first, pl.Int64).alias("start"), pl.lit(last, pl.Int64).alias("end"),
        pl.lit(manifest.clip_id("s", "a.wav", first, last)).alias("id"),
    )  # fmt: skip


def test_a_span_with_text_is_trimmed_inside_itself_and_keeps_its_id() -> None:
    frame = within(recording([(1, 4), (10.5, 11), (11.5, 14), (16, 20)], text="가"), 10, 15)
    row = cut(frame).row(0, named=True)
    assert cut(frame).height == 1
    assert (row["start"], row["end"], row["id"]) == (160000, 240000, frame["id"].item())
    assert (row["cut_start"] / HZ, row["cut_end"] / HZ) == pytest.approx((10.3, 14.2))
    assert row["speech_seconds"] == pytest.approx(3.0)
    silent = cut(within(recording([(1, 4)], text="가"), 10, 15)).row(0, named=True)
    assert (silent["cut_start"], silent["cut_end"], silent["speech_seconds"]) == (160000, 240000, 0)


def test_speech_that_goes_on_past_a_span_is_cut_at_its_edges() -> None:
    row = cut(within(recording([(8, 20)], text="가"), 10, 15)).row(0, named=True)
    assert (row["cut_start"], row["cut_end"], row["speech_seconds"]) == (160000, 240000, 5)


@settings(max_examples=100, deadline=None)
@given(heard(), st.floats(0, 1), st.floats(0, 1))
def test_the_rows_of_any_span_without_text_cover_it_once(
    case: tuple[pl.DataFrame, dict[str, Any]], one: float, other: float
) -> None:
    frame, changed = case
    length = frame["frames"][0]
    first, last = sorted((round(one * (length - 1)), round(other * (length - 1))))
    frame = frame.with_columns(pl.lit(first, pl.Int64).alias("start"), pl.lit(last + 1, pl.Int64).alias("end"))
    found = spans(cut(frame, **changed))
    assert all(start < end for start, end in found)
    assert [end for _, end in found[:-1]] == [start for start, _ in found[1:]]
    assert (found[0][0], found[-1][1]) == (first, last + 1)


def test_several_spans_of_one_recording_are_several_clips() -> None:
    frame = recording([(1, 4), (6, 9)], text="가")
    rows = cut(pl.concat([within(frame, 0, 5), within(frame, 5, 10)]))
    assert spans(rows) == [(0, 80000), (80000, 160000)]
    assert rows["id"].n_unique() == 2
