"""Units of sound and script: what stands in a text is found, once, and nothing else."""

from pathlib import Path

import polars as pl
import pytest

from curate.text import coverage, normalise
from curate.text.coverage import known


def units(language: str, *texts: str | None, pronounced: list[str | None] | None = None) -> list[dict[str, set[str]]]:
    """Per text, the units of each kind."""
    said = pronounced or [text and normalise(text, language, "pronounced") for text in texts]
    frame = pl.DataFrame(
        {"spoken": texts, "pronounced": said}, schema={"spoken": pl.String, "pronounced": pl.String}, strict=False
    )
    table, rows, numbers = coverage.units(frame, language)
    found: list[dict[str, set[str]]] = [{kind: set() for kind in coverage.kinds(language)} for _ in texts]
    for row, number in zip(rows.tolist(), numbers.tolist(), strict=True):
        kind, unit = table.row(number)
        assert unit not in found[row][kind], "twice"
        found[row][kind].add(unit)
    return found


def test_parts_of_korean_syllables_are_those_that_sound() -> None:
    found = units("ko", "국물")[0]
    assert found == {
        "initial": {"ㄱ", "ㅁ"}, "vowel": {"ㅜ"}, "final": {"ㅇ", "ㄹ"}, "syllable": {"궁", "물"},
        "contact": {"ㅇ+ㅁ"}, "sound change": {"ㄱ+ㅁ>ㅇ+ㅁ"},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "changes"),
    [
        ("책 넣는다", {"ㄱ+ㄴ>ㅇ+ㄴ", "ㅎ+ㄴ>ㄴ+ㄴ"}),  # across a space too
        ("값", {"ㅄ>ㅂ"}),  # before a pause
        ("같이", {"ㅌ+ㅇ>+ㅊ"}),
        ("나무", set()),
        ("희망", {"ㅢ>ㅣ"}),
    ],
)
def test_sound_changes_are_letters_that_sound_otherwise(text: str, changes: set[str]) -> None:
    assert units("ko", text)[0]["sound change"] == changes


def test_marks_and_latin_letters_do_not_shift_the_comparison() -> None:
    assert units("ko", "“책 넣는다.”")[0]["sound change"] == units("ko", "책 넣는다")[0]["sound change"]


def test_forms_of_unequal_length_tell_no_sound_change() -> None:
    assert units("ko", "국물", pronounced=["궁무리"])[0]["sound change"] == set()


def test_khmer_clusters_their_letters_and_phones() -> None:
    found = units("km", "ខ្មែរ", pronounced=["kʰmae"])[0]
    assert found == {
        "consonant": {"ខ", "រ"}, "subscript": {"្ម"}, "vowel sign": {"ែ"}, "cluster": {"ខ្មែ", "រ"},
        "phone": {"kʰ", "m", "ae"}, "phone pair": {"kʰ m", "m ae"},
    }  # fmt: skip


def test_phone_pairs_do_not_cross_words() -> None:
    assert units("km", "កខ", pronounced=["kɑː kʰɑː"])[0]["phone pair"] == {"k ɑː", "kʰ ɑː"}


@pytest.mark.parametrize("language", ["km", "ko"])
def test_no_text_has_no_units_and_rows_keep_their_places(language: str) -> None:
    text = "ខ្មែរ" if language == "km" else "국물"
    none = {kind: set[str]() for kind in coverage.kinds(language)}
    assert units(language, None, "", text)[:2] == [none, none]
    assert units(language, None, "", text)[2] == units(language, text)[0]
    empty = pl.DataFrame(schema={"spoken": pl.String, "pronounced": pl.String})
    assert len(coverage.units(empty, language)[1]) == 0


@pytest.mark.parametrize("language", ["km", "ko"])
def test_closed_kinds_name_every_unit_once(language: str) -> None:
    for kind, closed in coverage.inventory(language).items():
        assert kind in coverage.kinds(language)
        assert len(set(closed)) == len(closed) > 6


TEXTS = {"ko": ["국물", "책 넣는다", "나무", None, "값", "", "국물"], "km": ["ខ្មែរ", "ភាសា", None, "កា ភាសា", "ខ្ញុំ"]}


def clips(language: str) -> pl.DataFrame:
    texts = TEXTS[language]
    said = [text and normalise(text, language, "pronounced") for text in texts]
    ids = [f"{language}{i}" for i in range(len(texts))]
    return pl.DataFrame({"id": ids, "language": language, "spoken": texts, "pronounced": said})


@pytest.mark.parametrize("language", ["km", "ko"])
def test_units_that_are_known_are_those_that_would_be_found(language: str) -> None:
    every = known.Known(pl.concat([clips("km"), clips("ko")]))
    some = clips(language)
    other = some.with_columns(pl.when(pl.col("id") == f"{language}1").then(pl.lit("다른")).alias("spoken"))
    asked = (
        some,
        some.reverse(),
        some.gather_every(2).reverse(),
        some[2:4],
        some.clear(),
        other,
        some.with_columns(id="spoken"),
    )
    for pool in asked:
        expected, found = coverage.units(pool, language), every.units(pool, language)
        assert found[0].equals(expected[0])
        assert [each.tolist() for each in found[1:]] == [each.tolist() for each in expected[1:]]


def many(count: int) -> pl.DataFrame:
    """Clips enough to be worth keeping the units of."""
    some = pl.concat([clips("km"), clips("ko")])
    return some[[i % some.height for i in range(count)]].with_columns(pl.int_range(count).cast(pl.String).alias("id"))


def alike(one: known.Known, other: known.Known, pool: pl.DataFrame) -> bool:
    found = [[each.units(pool.filter(language=language), language) for language in TEXTS] for each in (one, other)]
    return all(
        a[0].equals(b[0]) and a[1].tolist() == b[1].tolist() and a[2].tolist() == b[2].tolist()
        for a, b in zip(*found, strict=True)
    )


def test_units_are_kept_and_found_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    every, cache = many(known.SMALL), tmp_path / "units.npz"
    made = known.known(every, cache)
    content = cache.read_bytes()
    assert made
    with monkeypatch.context() as patched:
        patched.setattr(coverage, "units", None)  # whoever finds them anew fails
        again = known.known(every, cache)
        assert again
        assert alike(made, again, every.reverse())
    assert cache.read_bytes() == content


@pytest.mark.parametrize("broken", [b"", b"PK", b"no archive"])
def test_units_of_a_broken_file_are_found_anew(tmp_path: Path, broken: bytes) -> None:
    every, cache = many(known.SMALL), tmp_path / "units.npz"
    known.known(every, cache)
    content = cache.read_bytes()
    cache.write_bytes(broken or content[: len(content) // 2])
    assert known.known(every, cache)
    assert cache.read_bytes() == content


def test_units_of_other_texts_are_found_anew(tmp_path: Path) -> None:
    every, cache = many(known.SMALL), tmp_path / "units.npz"
    known.known(every, cache)
    first = pl.col("id") == "0"
    other = every.with_columns(pl.when(first).then(pl.lit("ភាសា")).otherwise("spoken").alias("spoken"))
    found, expected = known.known(other, cache), known.Known(other)
    assert found
    assert alike(found, expected, other)
    nothing = every.with_columns(pl.when(first).then(None).otherwise("spoken").alias("spoken"))
    found = known.known(nothing, cache)
    assert found
    assert alike(found, known.Known(nothing), nothing)


def test_units_of_few_clips_are_not_kept(tmp_path: Path) -> None:
    cache = tmp_path / "units.npz"
    known.known(many(known.SMALL), cache)
    assert known.known(many(known.SMALL - 1), cache) is None  # clips were taken out since
    assert not cache.exists()


def test_what_is_only_looked_up_is_never_written(tmp_path: Path) -> None:
    every, cache = many(known.SMALL), tmp_path / "units.npz"
    assert known.kept(every, cache) is None
    assert not cache.exists()
    made = known.known(every, cache)
    content, found = cache.read_bytes(), known.kept(every, cache)
    assert made
    assert found
    assert alike(made, found, every)
    assert known.kept(every.with_columns(pl.lit("ភាសា").alias("spoken")), cache) is None
    assert known.kept(every.head(known.SMALL - 1), cache) is None
    assert cache.read_bytes() == content
