import polars as pl
import pytest

from curate.errors import UserError
from curate.steps.tag import tag
from train.data import corpus as reading


def edit(folder, **columns):
    path = folder / "manifest.parquet"
    pl.read_parquet(path).with_columns(**columns).write_parquet(path)


def test_kept_clips_are_read_and_dropped_ones_are_not(corpus):
    clips = reading.read(corpus)
    assert len(clips) == 10
    assert reading.languages(clips) == ["km", "ko"]
    assert {clip.language for clip in reading.of(clips, "validation")} == {"km", "ko"}


def test_tags_are_what_training_texts_start_with(make_corpus):
    folder = make_corpus(each=2)
    assert tags(folder) == {"km": "(Khmer)", "ko": "(Korean)"}
    edit(folder, training_text=pl.col("training_text").str.replace(r"^\([^)]*\)", ""))
    assert tags(folder) == {"km": "", "ko": ""}


def tags(folder):
    return {language: each.tag for language, each in reading.readings(reading.read(folder)).items()}


@pytest.mark.parametrize("template", ["<{language}>", "[{language}] ", "{language}: ", ""])
@pytest.mark.parametrize("form", ["spoken", "pronounced"])
def test_tag_and_form_are_those_that_curation_wrote(make_corpus, template, form):
    folder = make_corpus(each=2)
    path = folder / "manifest.parquet"
    rows = pl.read_parquet(path).with_columns(
        spoken=pl.lit(" 같이  가 "),
        pronounced=pl.when(pl.col("language") == "ko").then(pl.concat_str(pl.lit("가치 "), "id")),
    )
    tag(rows, template=template, form=form).write_parquet(path)
    assert reading.readings(reading.read(folder)) == {
        "km": reading.Reading(template.format(language="Khmer"), "spoken"),
        "ko": reading.Reading(template.format(language="Korean"), form),
    }


def test_control_words_and_a_parenthesis_of_the_text_are_no_part_of_the_tag(make_corpus):
    folder = make_corpus(each=4)
    path = folder / "manifest.parquet"
    rows = pl.read_parquet(path).with_row_index("row")
    measured = rows.with_columns(
        spoken=pl.when(pl.col("row") % 2 == 0).then(pl.lit("(뜻)말")).otherwise(pl.lit("말 (뜻)")),
        pronounced=pl.lit(None, pl.String), pitch=90.0 + 40 * pl.col("row"), phone_pace=9.0, loudness=-20.0, snr=30.0,
    )  # fmt: skip
    tag(measured, template="({language}) ", form="spoken", controls=("pitch",)).write_parquet(path)
    clips = reading.read(folder)
    assert {clip.control for clip in clips} == {None, "low-pitched voice", "high-pitched voice"}
    assert tags(folder) == {"km": "(Khmer) ", "ko": "(Korean) "}
    old = pl.concat_str(pl.lit("(Korean)"), pl.col("spoken"))  # as it was tagged before parentheses were made safe
    edit(folder, training_text=old, control=pl.lit(None, pl.String))
    assert tags(folder) == {"km": "(Korean)", "ko": "(Korean)"}


def test_who_speaks_is_the_person_and_the_speaker_where_nobody_told_persons(make_corpus):
    folder = make_corpus(each=2)
    assert {clip.person for clip in reading.read(folder)} == {"a"}
    edit(folder, person=pl.when(pl.col("id").str.starts_with("ko")).then(pl.lit("studio a")))
    assert {(clip.language, clip.person) for clip in reading.read(folder)} == {("km", "a"), ("ko", "studio a")}


def test_clips_that_do_not_agree_on_the_tag_are_one_line(make_corpus):
    folder = make_corpus(each=2)
    text = pl.col("training_text")
    edit(folder, spoken=text.str.replace(r"^\([^)]*\)", ""))
    edit(folder, training_text=pl.when(pl.col("id") == "ko00000000000001").then(text.str.slice(1)).otherwise(text))
    with pytest.raises(UserError, match="training_text of ko is not one tag followed by"):
        reading.readings(reading.read(folder))


def test_without_the_columns_a_tag_ends_with_its_bracket(make_corpus):
    folder = make_corpus(each=2)
    edit(folder, training_text=pl.concat_str(pl.lit("[x] "), "id"))
    assert tags(folder) == {"km": "[x] ", "ko": "[x] "}


def test_clips_without_text_are_left_out_and_counted_once(make_corpus, caplog):
    folder = make_corpus(each=2)
    text = pl.when(pl.col("id") != "ko00000000000001").then(pl.col("training_text"))
    edit(folder, training_text=text)
    assert len(reading.read(folder)) == 3
    assert caplog.messages == ["1 of 4 kept clips left out: no training_text"]
    edit(folder, training_text=pl.lit(None, dtype=pl.String))
    with pytest.raises(UserError, match=r"no kept clip of .* has a training_text: run `curate tag "):
        reading.read(folder)


def test_no_corpus_an_empty_or_a_broken_one_is_one_line(make_corpus, tmp_path):
    with pytest.raises(UserError, match="no manifest at"):
        reading.read(tmp_path / "absent")
    folder = make_corpus(each=1)
    edit(folder, drop=pl.lit("noisy"))
    with pytest.raises(UserError, match="keeps no clip"):
        reading.read(folder)
    (folder / "manifest.parquet").write_bytes(b"PAR1 and no more")
    with pytest.raises(UserError, match="cannot be read"):
        reading.read(folder)


def test_a_missing_clip_file_is_named(make_corpus):
    folder = make_corpus(each=1)
    (folder / "clips" / "ko00000000000000.flac").unlink()
    with pytest.raises(UserError, match=r"1 of 2 clips without audio, such as .*ko00000000000000\.flac"):
        reading.read(folder)


@pytest.mark.parametrize(
    ("drop", "found"),
    [(pl.lit(False), "is of type Boolean"), (pl.lit(""), "holds empty text"), (pl.lit([], pl.List(pl.String)), "List")],
)
def test_a_column_drop_that_gives_no_reason_is_not_called_a_corpus_without_clips(make_corpus, drop, found):
    folder = make_corpus(each=1)
    edit(folder, drop=drop)
    with pytest.raises(UserError, match=f"the column drop of .* {found}"):
        reading.read(folder)


@pytest.mark.parametrize("split", ["train", "validation"])
def test_two_clips_of_one_id_are_refused_for_one_would_be_taken_for_the_other(make_corpus, split):
    folder = make_corpus(each=2)
    second = pl.col("id") == "ko00000000000001"
    edit(folder, split=pl.when(second).then(pl.lit(split)).otherwise(pl.col("split")))
    edit(folder, id=pl.when(second).then(pl.lit("ko00000000000000")).otherwise(pl.col("id")))
    with pytest.raises(UserError, match=r"1 id of .*corpus in more than one kept row \(ko00000000000000\)"):
        reading.read(folder)


def test_a_dropped_row_may_have_the_id_of_a_kept_one(make_corpus):
    folder = make_corpus(each=1)
    edit(folder, id=pl.when(pl.col("drop").is_null()).then(pl.col("id")).otherwise(pl.lit("km00000000000000")))
    assert len(reading.read(folder)) == 2


@pytest.mark.parametrize("seconds", [None, "1.5", 0.0, -1.0, float("nan"), float("inf"), True])
def test_a_length_that_is_none_is_named_with_the_remedy(make_corpus, seconds):
    folder = make_corpus(each=1)
    edit(folder, seconds=pl.lit(seconds))
    with pytest.raises(UserError, match=r"clip km00000000000000 has seconds = .*: run `curate run RECIPE` again$"):
        reading.read(folder)


def test_whole_seconds_are_a_length(make_corpus):
    folder = make_corpus(each=1)
    edit(folder, seconds=pl.lit(2))
    assert [clip.seconds for clip in reading.read(folder)] == [2.0, 2.0]


def test_a_kept_clip_without_split_is_named_with_the_remedy(make_corpus):
    folder = make_corpus(each=1)
    edit(folder, split=pl.lit(None, dtype=pl.String))
    with pytest.raises(UserError, match=r"clip km00000000000000 has no split: run `curate tag .*corpus`"):
        reading.read(folder)
