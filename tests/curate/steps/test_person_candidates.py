"""Clips that may be another person's: who it may be, and that no split depends on it."""

from pathlib import Path
from typing import Any

import polars as pl

from curate import pipeline
from curate.steps import held_out, notes, person_candidates, speakers, split
from tests.curate.frames import clips
from tests.curate.steps.decided import recipe_with
from tests.curate.steps.test_speakers import sound

SHORT = {"speech_seconds": 1.0}


def candidates(rows: list[dict[str, Any]]) -> list[list[str] | None]:
    return person_candidates.fill(speakers.persons(clips(rows)))["person_candidates"].to_list()


def voices(count: int = 3) -> list[dict[str, Any]]:
    """Nameless voices of five long clips each."""
    return [
        {"voice": f"voice-00{who + 1}", "embedding": sound(who, 10 * who + i, spread=0.9)}
        for who in range(count)
        for i in range(5)
    ]


def between(one: int, other: int, share: float = 0.5) -> list[float]:
    """What lies between two persons' sounds."""
    pairs = zip(sound(one, 90, spread=0.9), sound(other, 91, spread=0.9), strict=True)
    return [a * (1 - share) + b * share for a, b in pairs]


def test_a_short_nameless_clip_between_two_may_be_either() -> None:
    found = candidates([*voices(), {"voice": "voice-001", "embedding": between(0, 1), **SHORT}])
    assert found == [None] * 15 + [["voice-002"]]
    nobodys = candidates([*voices(), {"voice": None, "embedding": between(0, 1, 0.49), **SHORT}])
    assert nobodys[15] == ["voice-002"]  # it stands with the likeliest one


def test_a_name_enough_speech_or_a_clear_voice_leaves_no_doubt() -> None:
    unclear = {"voice": "voice-001", "embedding": between(0, 1, 0.46)}
    assert candidates([*voices(), unclear]) == [None] * 16
    assert candidates([*voices(), {**unclear, **SHORT}])[15] == ["voice-002"]
    assert candidates([*voices(), {**unclear, **SHORT, "speaker": "mina"}])[15] is None
    assert candidates([*voices(), {"voice": "voice-001", "embedding": sound(0, 99, spread=0.9), **SHORT}])[15] is None


def test_enough_speech_halfway_between_two_may_be_either() -> None:
    """Linkage by means may leave some clips of a small voice in a larger one; they are as near to their own."""
    unclear = {"voice": "voice-001", "embedding": between(0, 1, 0.55), "speech_seconds": 6.0}
    assert candidates([*voices(), unclear]) == [None] * 15 + [["voice-002"]]
    named = {**unclear, "speaker": "mina"}
    assert candidates([*voices(), named])[15] == ["voice-002"]  # as a voice without a name may be hers


def named(source: str, name: str, who: int, seeds: range, voice: str | None = None) -> list[dict[str, Any]]:
    """Long clips of a person, by number, under a name."""
    return [
        {
            "source": source,
            "speaker": name,
            "voice": voice or f"voice-00{who + 1}",
            "embedding": sound(who, seed, spread=0.9),
            "speech_seconds": 6.0,
        }
        for seed in seeds
    ]


def test_a_name_on_clips_of_two_people_does_not_take_one_of_them_to_another_split() -> None:
    """Half of a small name's clips are another's, whom a second source names."""
    mina = named("a", "mina", 0, range(5))
    half = [*named("b", "mina", 0, range(10, 12)), *named("b", "mina", 1, range(20, 22))]
    juno = named("b", "juno", 1, range(30, 35))
    rows = [*mina, *half, *juno]
    told = person_candidates.fill(speakers.persons(clips(rows)))
    stands = told["person"].to_list()
    assert stands[5] == stands[6] == "b juno"  # as more of the name's clips are hers
    assert told["person_candidates"].to_list()[5:7] == [["a mina"]] * 2
    assert told["person_candidates"].to_list()[9:] == [None] * 5


def test_a_named_clip_that_is_much_nearer_to_another_may_be_theirs() -> None:
    mina, juno = named("a", "mina", 0, range(5)), named("a", "juno", 1, range(10, 15))
    wrong = named("a", "juno", 0, range(20, 21), voice="voice-008")
    found = candidates([*mina, *juno, *wrong])
    assert found[:10] == [None] * 10
    assert found[10] == ["a mina"]
    alone = {**wrong[0], "speaker": "sora"}  # a name's only clip: nothing else tells what she sounds like
    assert candidates([*mina, *juno, alone])[10] is None


def test_a_voice_of_one_clip_that_is_like_a_larger_one_may_be_that_persons() -> None:
    alone = {"voice": "voice-009", "embedding": between(0, 5, 0.55), "speech_seconds": 6.0}
    assert candidates([*voices(), alone])[15] == ["voice-001"]
    assert candidates([*voices(), {**alone, "embedding": sound(5, 99)}])[15] is None


def test_a_short_clip_of_a_small_voice_is_compared_with_others_alone() -> None:
    """One long clip, perhaps of two people, that it is like proves little."""
    small = [{"voice": "voice-008", "embedding": between(5, 0, share)} for share in (0.3, 0.25, 0.28)]
    short = {"voice": "voice-008", "embedding": between(5, 0, 0.3), **SHORT}
    assert candidates([*voices(), *small, short])[-1] is None
    assert "voice-001" in (candidates([*voices(), *small[:2], short])[-1] or [])


def test_a_clip_like_nobody_or_that_nobody_heard_may_be_anybodys() -> None:
    assert candidates([*voices(), {"embedding": sound(5, 99), **SHORT}, {"embedding": None}])[15:] == [[], []]
    assert candidates([{"speaker": name, "embedding": None} for name in ("mina", None)]) == [None, None]
    assert candidates([{"embedding": sound(0, 1), **SHORT}]) == [None]


def test_a_label_in_doubt_is_in_doubt() -> None:
    rows = [{**row, "speaker": f"who{i // 5}"} for i, row in enumerate(voices())]
    wrong = {"speaker": "who1", "voice": "voice-001", "embedding": between(0, 1, 0.3)}
    assert candidates([*rows, *rows, wrong])[30] == ["studio who1"]


def test_a_label_in_doubt_hides_nobody_else() -> None:
    rows = [{**row, "speaker": f"who{i // 5}"} for i, row in enumerate(voices())]
    wrong = {"speaker": "who1", "voice": "voice-001", "embedding": between(0, 2, 0.47)}
    assert candidates([*rows, *rows, wrong])[30] == ["studio who1", "studio who2"]


def test_a_named_clip_that_is_like_a_voice_without_a_name_may_be_of_whoever_that_is() -> None:
    """The voice may be that name's, in another room; between two names of a source there is no doubt."""
    named = [{"speaker": "mina", "embedding": sound(5, 70 + i, spread=0.9), "voice": "voice-007"} for i in range(5)]
    odd = {"speaker": "mina", "embedding": between(5, 0, 0.53), "voice": "voice-007"}
    assert candidates([*voices(), *named, odd])[20] == ["voice-001"]
    told = [{**row, "speaker": row["voice"]} for row in voices()]
    assert candidates([*told, *named, odd])[20] is None
    elsewhere = [{**row, "source": "radio"} for row in (*named, odd)]
    assert candidates([*told, *elsewhere])[20] == ["studio voice-001"]
    guests = [{**row, "source": "radio", "speaker": "gast"} for row in voices(1)[:2]]
    assert candidates([*told, *elsewhere, guests[0]])[20] == ["studio voice-001"]  # one name may be a wrong label
    assert candidates([*told, *elsewhere, *guests])[20] is None


def test_a_person_heard_on_the_telephone_alone_may_be_one_heard_in_full_bandwidth_alone() -> None:
    """However alike their own clips are: a telephone moves whoever speaks."""
    narrow: dict[str, Any] = {"voice": "voice-009", "bandwidth": 3400.0}
    calls = [{**narrow, "embedding": between(7, 0, 0.34 + i / 100)} for i in range(3)]
    others = [*voices(5), *voices(5)]
    assert candidates([*others, *calls])[50:] == [["voice-001"]] * 3
    assert candidates([*others, *({**row, "bandwidth": 8000.0} for row in calls)])[50:] == [None] * 3
    on_both = {"voice": "voice-001", "embedding": sound(0, 98, spread=0.9), "bandwidth": 3400.0}
    assert candidates([*others, *calls, on_both])[50:] == [None] * 4
    assert candidates([*voices(5), *calls])[25:] == [None] * 3  # much telephone speech is of people of its own


def test_a_nameless_clip_far_from_the_rest_of_its_voice_is_not_held_out() -> None:
    far = {"voice": "voice-001", "embedding": between(0, 6, 0.58), "speech_seconds": 6.0}
    assert candidates([*voices(), far])[15] == []
    named = [{**row, "speaker": "mina"} for row in (*voices(1), far)]
    assert candidates([*named, *voices()[5:]])[5] is None


def _dealt(rows: list[dict[str, Any]], seed: int) -> tuple[pl.DataFrame, pl.Series]:
    """The splits, and what would be kept from training once they are drawn."""
    frame = person_candidates.fill(speakers.persons(clips(rows)))
    found = split.split(frame, shares={"validation": 0.15, "test": 0.15}, apart=("speaker",), seed=seed)
    return found, held_out.leaks(found, held_out.of(found), ("speaker",))


def test_no_held_out_person_may_be_heard_in_another_split() -> None:
    rows = voices(7)
    rows += [{"voice": f"voice-00{1 + i % 7}", "embedding": between(i % 7, (i + 1) % 7), **SHORT} for i in range(14)]
    rows += [{"embedding": sound(7, 99 + i), **SHORT} for i in range(4)]
    for seed in range(6):
        found, leaking = _dealt(rows, seed)
        sure, doubtful = found[:35], found[35:]
        assert sure["drop"].null_count() == 35
        assert len(set(sure["split"])) == 3
        assert set(doubtful["split"]) <= {None, "train"}
        assert set(doubtful.filter(pl.col("split").is_null())["drop"]) <= {"leak"}
        held = set(sure.filter(pl.col("split") != "train")["person"])
        trained = found.filter((pl.col("split") == "train") & ~leaking)
        assert not any(held & {row["person"], *(row["person_candidates"] or [])} for row in trained.rows(named=True))
        assert found[49:].filter(split="train").height == 4  # like nobody that is known


def test_where_nobody_is_sure_clips_are_held_out_all_the_same() -> None:
    rows = [{"embedding": sound(i % 8, i), "speech_seconds": 1.0, "language": "km"} for i in range(20)]
    found, _ = _dealt([*rows, *voices()], 0)
    km = found.filter(language="km")
    assert set(km["split"]) == {"train", "validation", "test"}


def test_what_is_given_up_for_doubt_is_told_with_a_remedy(tmp_path: Path) -> None:
    rows = [{"person_candidates": ["voice-001"], "drop": "leak", "seconds": 360.0}, {"drop": "leak"}, {"split": "test"}]
    lines = list(notes.leaks(clips(rows), recipe_with(tmp_path)))
    assert len(lines) == 2
    assert lines[0].startswith(
        "Korean: 0.10 h are dropped as `leak`: they are too short, too noisy or too much like held-out"
    )
    assert "name speakers" in lines[0]
    (together,) = notes.leaks(clips(rows), recipe_with(tmp_path, 'split.apart=["text"]'))  # speakers may be shared
    assert "too short" not in together
    assert len(list(notes.leaks(clips(rows[1:]), recipe_with(tmp_path)))) == 1


def test_a_fresh_draw_does_not_tell_of_sets_that_were_drawn_before(tmp_path: Path) -> None:
    rows = [{"speaker": f"who{i % 20}", "spoken": f"말 {i}", "ctc_score": 0.9} for i in range(400)]
    rows = [{**row, "person_candidates": [] if i % 7 == 0 else None} for i, row in enumerate(rows)]
    wanted = recipe_with(tmp_path, "models.quality=[]")
    decided = pipeline.decide(wanted, clips(rows))
    assert (decided["drop"] == "leak").any()
    (line,) = notes.leaks(decided, wanted)
    assert "split.lock" not in line
    assert "name speakers" in line
