"""Transcripts and scores of other tools: read as they write them, refused where they are of something else."""

import pytest

from curate.errors import UserError
from train.evaluate import folder, imported

KNOWN = {("r64", "ko1", 1), ("r64", "ko1", 2), ("zero-shot", "ko1", 1), ("natural", "ko1", 1)}


@pytest.mark.parametrize(
    ("written", "key"),
    [
        ("r64/ko1", ("r64", "ko1", 1)),
        ("r64/ko1/2", ("r64", "ko1", 2)),
        ("audio/r64/ko1.wav", ("r64", "ko1", 1)),
        ("/mnt/x/evaluation/audio/r64/take-2/ko1.WAV", ("r64", "ko1", 2)),
        ("C:\\evaluation\\audio\\zero-shot\\ko1.wav", ("zero-shot", "ko1", 1)),
    ],
)
def test_a_key_is_read_in_every_form(tmp_path, written, key):
    file = tmp_path / "heard.tsv"
    file.write_text(f"key\ttranscript\n{written}\t안녕하세요\n", encoding="utf-8")
    assert imported.transcripts(file, KNOWN) == {key: "안녕하세요"}


def test_versas_lines_are_read_with_what_stands_beside_the_scores(tmp_path):
    file = tmp_path / "versa.jsonl"
    file.write_text(
        '{"key": "r64/ko1", "utmos": 4.1, "dns_overall": 3.2, "whisper_hyp_text": "안녕", "bad": NaN}\n'
        '{"key": "zero-shot/ko1", "utmos": 3.5}\n\n',
        encoding="utf-8",
    )
    assert imported.scores(file, KNOWN) == {
        ("r64", "ko1", 1): {"utmos": 4.1, "dns_overall": 3.2},
        ("zero-shot", "ko1", 1): {"utmos": 3.5},
    }


def test_columns_of_condition_sentence_and_take_serve_as_well(tmp_path):
    file = tmp_path / "heard.csv"
    file.write_text("condition,sentence,take,heard\nr64,ko1,2,가\nnatural,ko1,,\n", encoding="utf-8")
    assert imported.transcripts(file, KNOWN) == {("r64", "ko1", 2): "가", ("natural", "ko1", 1): ""}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("key\theard\nr64/other\tx\n", "line 2: 'r64/other' is no sentence that was spoken here"),
        ("key\theard\nr128/ko1\tx\n", "'r128/ko1' is no sentence"),
        ("key\theard\nr64/ko1\tx\nr64/ko1.wav\ty\n", "line 3: r64/ko1/1 for the second time"),
        ("key\tnote\nr64/ko1\tx\n", "line 2: no transcript"),
        ("name\theard\nr64/ko1\tx\n", "nothing says which file"),
        ("key\theard\nr64/ko1\n", "line 2: not as many fields"),
        ('{"key": "r64/ko1", "heard": "x"\n', "line 1: no JSON object; is the file cut"),
        ("", "holds no transcripts"),
    ],
)
def test_transcripts_that_are_of_something_else_are_one_line(tmp_path, text, says):
    file = tmp_path / "heard"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(UserError, match=says.replace("(", r"\(")) as refused:
        imported.transcripts(file, KNOWN)
    assert "\n" not in str(refused.value)


def test_a_file_that_is_none_or_holds_no_scores_is_one_line(tmp_path):
    with pytest.raises(UserError, match="cannot be read as UTF-8 text"):
        imported.scores(tmp_path / "absent.jsonl", KNOWN)
    (tmp_path / "empty.jsonl").write_text('{"key": "r64/ko1"}\n')
    with pytest.raises(UserError, match="holds no scores"):
        imported.scores(tmp_path / "empty.jsonl", KNOWN)


@pytest.mark.parametrize(
    "content",
    [
        'key\theard\nr64/ko1\t"한 잔의\nzero-shot/ko1\t커피\n',  # a quote that is never closed
        'key\theard\r\n"r64/ko1"\t"한 ""잔"" 의"\r\nzero-shot/ko1\t커피\r\n',
        "key\theard\nr64/ko1\t한\u2028잔의\u0085\nzero-shot/ko1\t커피\n",  # no ends of lines
        '{"key": "r64/ko1", "text": "한\u2028잔의"}\n{"key": "zero-shot/ko1", "text": "커피"}\n',
    ],
)
def test_quotes_and_odd_separators_lose_no_line(tmp_path, content):
    (tmp_path / "heard.tsv").write_text(content, encoding="utf-8-sig", newline="")
    heard = imported.transcripts(tmp_path / "heard.tsv", KNOWN)
    assert heard.keys() == {("r64", "ko1", 1), ("zero-shot", "ko1", 1)}
    assert heard["zero-shot", "ko1", 1] == "커피"
    assert heard["r64", "ko1", 1].lstrip('"').startswith("한")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ('[{"key": "r64/ko1", "text": "x"}]', "is one JSON array"),
        ('key,heard\nr64/ko1,"x\n', "not to be read as CSV"),
    ],
)
def test_what_can_be_read_as_no_table_is_one_line(tmp_path, content, says):
    (tmp_path / "heard.tsv").write_text(content, encoding="utf-8")
    with pytest.raises(UserError, match=says) as problem:
        imported.transcripts(tmp_path / "heard.tsv", KNOWN)
    assert "\n" not in str(problem.value)


def test_numbers_that_are_none_are_left_out(tmp_path):
    line = '{"key": "r64/ko1", "utmos": 3.5, "text": "12", "snr": Infinity, "big": 1' + "0" * 400 + "}"
    (tmp_path / "versa.jsonl").write_text(line + "\n", encoding="utf-8")
    assert imported.scores(tmp_path / "versa.jsonl", KNOWN) == {("r64", "ko1", 1): {"utmos": 3.5}}


def test_a_line_of_answers_may_hold_any_separator(tmp_path):
    record = {"heard": "a\u2028b\u0085c\x1cd\r\ne"}
    (tmp_path / "a.jsonl").write_text(folder.line(record) * 2, encoding="utf-8")
    assert folder.read_lines(tmp_path / "a.jsonl") == [record, record]
