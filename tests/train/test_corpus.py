import polars as pl
import pytest

from curate.errors import UserError
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
    assert reading.tags(reading.read(folder)) == {"km": "(Khmer)", "ko": "(Korean)"}
    edit(folder, training_text=pl.col("training_text").str.replace(r"^\([^)]*\)", ""))
    assert reading.tags(reading.read(folder)) == {"km": "", "ko": ""}


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


def test_a_kept_clip_without_text_or_split_is_named(make_corpus):
    folder = make_corpus(each=1)
    edit(folder, split=pl.lit(None, dtype=pl.String))
    with pytest.raises(UserError, match="clip km00000000000000 has no split"):
        reading.read(folder)
