"""`curate text`: a line for every line, at once, whatever comes in."""

import contextlib
import subprocess
import sys
from pathlib import Path

import pytest

TEXT = [sys.executable, "-m", "curate.cli", "text"]


def curate_text(given: bytes, *options: str) -> tuple[bytes, str, int]:
    """Standard output, standard error and exit status."""
    done = subprocess.run([*TEXT, *options], input=given, capture_output=True, timeout=60)
    return done.stdout, done.stderr.decode("utf-8"), done.returncode


def test_one_line_for_every_line_and_what_is_wrong_with_it_by_number() -> None:
    given = "ក ១\n\na\u2028b\x0bc\x0c\x1cd\x85e\rf\0g\nក😀ខ\n".encode() + b"\xff\xed\xa0\x80\nlast"
    out, err, status = curate_text(given, "--language", "km")
    lines = out.decode("utf-8").split("\n")
    assert lines[:2] == ["ក មួយ", ""]
    assert lines[3:] == ["ក😀ខ", "\ufffd" * 4, "last", ""]
    assert "line 4: cannot be read and stays as it is: 😀 (U+1F600)\n" in err
    assert "line 5: bytes that are not UTF-8 were replaced by U+FFFD\n" in err
    assert all(said.startswith("line ") for said in err.splitlines())
    assert status == 0


def test_each_line_is_answered_before_the_next_is_given() -> None:
    with subprocess.Popen([*TEXT, "--language", "ko"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for given, answer in (("사과 3개", "사과 세 개"), ("말", "말")):
            process.stdin.write(f"{given}\n".encode())
            process.stdin.flush()
            assert process.stdout.readline().decode() == f"{answer}\n"
        process.stdin.close()
    assert process.returncode == 0


def test_a_reader_who_has_seen_enough_ends_it_quietly() -> None:
    with subprocess.Popen(
        [*TEXT, "--language", "ko"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        with contextlib.suppress(BrokenPipeError):  # it stops reading, too: the rest need not be taken
            process.stdin.write("말\n".encode() * 100_000)
            process.stdin.close()
        assert process.stderr.read() == b""
    assert process.returncode == 0


def test_steps_are_told_in_order_with_what_is_invisible_shown() -> None:
    _, err, _ = curate_text("ក\u200b ១២\n".encode(), "--language", "km", "--form", "words", "--show-steps")
    told = err.splitlines()
    assert told[0] == "line 1: canonical: ក\\u200b -> ក"
    assert any(line.startswith("line 1: ") and line.endswith("-> ដប់ពីរ") for line in told[1:-1])
    assert told[-1].startswith("line 1: words: ក ដប់ពីរ -> ក|ដប់")


def test_the_finer_model_is_chosen_by_name() -> None:
    given = "ឃាត់ខ្លួន\n".encode()
    options = ("--language", "km", "--form", "words")
    assert curate_text(given, *options)[0].decode() == "ឃាត់ខ្លួន\n"
    assert curate_text(given, *options, "--words-model", "khmercut.nn")[0].decode() == "ឃាត់|ខ្លួន\n"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--language", "ko", "--lexicon", "x.tsv"], "--lexicon is for --language ko --form pronounced"),
        (["--language", "km", "--alternatives"], "--alternatives is for --language ko --form pronounced"),
        (["--language", "ko", "--form", "words", "--words-model", "khmer-nltk"], "--words-model is for --language km"),
        (["--language", "km", "--form", "words", "--words-model", "x"], "there are khmer-nltk, khmercut.nn"),
        (["--language", "xx"], "there are km, ko"),
        (["--language", "km", "--form", "loud"], "there are canonical, spoken"),
    ],
)
def test_an_option_that_would_change_nothing_is_refused_in_one_line(options: list[str], said: str) -> None:
    out, err, status = curate_text(b"1\n", *options)
    assert (out, status, err.count("\n")) == (b"", 1, 1)
    assert said in err


def test_spoken_text_waits_for_no_heavy_library() -> None:
    code = (
        "import sys; sys.argv = ['curate', 'text', '--language', 'km']\n"
        "from curate import cli\n"
        "try: cli.main()\n"
        "except SystemExit: pass\n"
        "print(sorted({'torch', 'polars', 'transformers', 'scipy'} & set(sys.modules)), file=sys.stderr)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code],
        input="ក ១\n".encode(),
        capture_output=True,
        cwd=Path(__file__).resolve().parents[3],
    )
    assert (ran.stdout.decode(), ran.stderr.decode()) == ("ក មួយ\n", "[]\n")


SOUNDS = ("--language", "ko", "--form", "pronounced")


def test_all_standard_readings_are_given_word_by_word() -> None:
    out, err, status = curate_text("맛있다 말\n".encode(), *SOUNDS, "--alternatives")
    assert (set(out.decode().split()[0].split("/")), out.decode().split()[1]) == ({"마싣따", "마딛따"}, "말")
    assert (err, status) == ("", 0)


def test_a_lexicon_of_ones_own_wins_and_a_broken_one_is_one_line(tmp_path: Path) -> None:
    lexicon = tmp_path / "mine.tsv"
    lexicon.write_text("솜이불\t소미불 # mine\n", encoding="utf-8")
    assert curate_text("솜이불\n".encode(), *SOUNDS)[0].decode() == "솜니불\n"
    assert curate_text("솜이불을\n".encode(), *SOUNDS, "--lexicon", str(lexicon))[0].decode() == "소미부를\n"
    lexicon.write_text("솜이불\n", encoding="utf-8")
    out, err, status = curate_text("솜이불\n".encode(), *SOUNDS, "--lexicon", str(lexicon))
    assert (out, status) == (b"", 1)
    assert err.startswith(f"curate: {lexicon} line 1: ")


def test_a_closed_standard_output_is_one_line() -> None:
    command = f"{sys.executable} -m curate.cli text --language ko >&-"
    done = subprocess.run(["sh", "-c", command], input=b"a\n", capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (1, b"curate: standard output is closed: nobody would read the lines\n")
