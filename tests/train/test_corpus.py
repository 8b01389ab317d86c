import polars as pl
import pytest

from curate.errors import UserError
from curate.tag import tag
from train import corpus as reading


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
    assert caplog.messages == ["1 of 4 kept clips have no training_text and are left out"]
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
    with pytest.raises(UserError, match=r"1 of 2 clips have no audio, such as .*ko00000000000000\.flac"):
        reading.read(folder)


def test_a_kept_clip_without_split_is_named_with_the_remedy(make_corpus):
    folder = make_corpus(each=1)
    edit(folder, split=pl.lit(None, dtype=pl.String))
    with pytest.raises(UserError, match=r"clip km00000000000000 has no split: run `curate tag .*corpus`"):
        reading.read(folder)
