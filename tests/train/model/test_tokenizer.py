"""The tokenizer is the file's own, and that of the model: held to the ids that VoxCPM2's must give.

The published tokenizer is in no package. The one made here has its form (FACTS of the project: SentencePiece's BPE with
byte fallback, `▁` put before a text and in place of spaces, 73,448 pieces) and its known ids; other pieces are fillers.
"""

import json
import shutil

import pytest

from curate.errors import UserError
from train import config
from train.data import dataset
from train.estimate import forecast
from train.model import base, tokenizer, voxcpm

PIECES = {  # of the known texts, as far as they are no bytes
    "▁Hello": 21045, "▁world": 2809, "▁caf": 33903, "é": 60025, "▁": 59320, "你": 59496, "好": 59495, "한": 62385,
    "어": 62793, "성": 63409, "합": 63966, "을": 62274, "인": 62946, "니다": 35773, ".": 72,
}  # fmt: skip
BYTES = 1089  # the id of byte 0


def vocabulary(**moved):
    """A vocabulary of 73,448 pieces in which the known ones have their ids, but for those that are `moved`."""
    pieces = {f"<0x{byte:02X}>": BYTES + byte for byte in range(256)} | PIECES | {"<unk>": 0, "<s>": 1, "</s>": 2}
    pieces |= {letter: 70_000 + number for number, letter in enumerate("Helowrdcaf니다")}
    pieces |= {joined: 71_000 + number for number, (_, joined) in enumerate(steps()) if joined not in pieces} | moved
    taken = set(pieces.values())
    free = (number for number in range(tokenizer.VOCABULARY) if number not in taken)
    return pieces | {f"<|filler {number}|>": number for number in free}


def steps():
    """The merges that lead from letters to the known pieces: what is joined, and what comes of it."""
    for piece in PIECES:
        for end in range(2, len(piece) + 1):
            yield (piece[: end - 1], piece[end - 1]), piece[:end]


@pytest.fixture(scope="module")
def published(tiny, tmp_path_factory):
    """The tiny model as it would be with VoxCPM2's vocabulary; no weights for its embeddings."""
    folder = shutil.copytree(tiny, tmp_path_factory.mktemp("published") / "model")
    settings = json.loads((folder / "config.json").read_text())
    settings["lm_config"]["vocab_size"] = tokenizer.VOCABULARY
    (folder / "config.json").write_text(json.dumps(settings))
    table = json.loads((folder / tokenizer.FILE).read_text())
    table["model"] |= {"vocab": vocabulary(), "merges": [list(pair) for pair, _ in steps()]}
    table["added_tokens"] = [each for each in table["added_tokens"] if each["content"] in ("<unk>", "<s>", "</s>")]
    (folder / tokenizer.FILE).write_text(json.dumps(table))
    return folder


@pytest.mark.parametrize("text", tokenizer.KNOWN)
def test_a_tokenizer_of_the_published_form_gives_the_known_ids(published, text):
    assert voxcpm.Tokenizer(published)(text) == list(tokenizer.KNOWN[text])


def moved_piece(table):
    table["model"]["vocab"] = vocabulary(**{"▁world": 2810})


def without_merges(table):
    table["model"]["merges"] = []


def without_mark(table):
    table["normalizer"]["normalizers"] = table["normalizer"]["normalizers"][1:]


def without_bytes(table):
    table["model"]["byte_fallback"] = False


SPOILT = [  # what is wrong with the file, and the first text that tells
    (moved_piece, "'Hello world' becomes 21045 2810, not 21045 2809"),
    (without_merges, "'Hello world' becomes 59320 "),
    (without_mark, "'Hello world' becomes 70000 "),
    (
        without_bytes,
        "becomes 59320 62385 0 62793 59320 0 and 11 more, not 59320 62385 1323 1270 1262 62793 and 17 more",
    ),
]


@pytest.mark.parametrize(("spoil", "says"), SPOILT)
def test_another_tokenizer_stops_speaking_and_training_with_one_line(published, corpus, tmp_path, spoil, says):
    folder = shutil.copytree(published, tmp_path / "spoilt")
    table = json.loads((folder / tokenizer.FILE).read_text())
    spoil(table)
    (folder / tokenizer.FILE).write_text(json.dumps(table))
    run = config.build({"corpus": str(corpus), "model": str(folder), "into": str(tmp_path / "run")})
    ways = (
        lambda: voxcpm.load(folder, device="cpu"),  # to speak, or to train
        lambda: voxcpm.Tokenizer(folder),
        lambda: dataset.survey(run),
        lambda: forecast.forecast(run, tick=lambda *_: None),
    )
    for way in ways:
        with pytest.raises(UserError) as problem:
            way()
        assert f"{folder / tokenizer.FILE} is not VoxCPM2's: " in str(problem.value)
        assert says in str(problem.value)
        assert "\n" not in str(problem.value)


def test_a_tokenizer_with_more_ids_than_the_model_has_embeddings_is_refused(published, tiny, tmp_path):
    folder = shutil.copytree(tiny, tmp_path / "mixed")
    shutil.copy(published / tokenizer.FILE, folder)
    with pytest.raises(UserError, match=r"has ids up to 73447, and its config\.json 512 embeddings: fetch"):
        voxcpm.Tokenizer(base.find(str(folder)))


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        (" ab", ["▁", "▁", "a", "b"]),  # transformers 5 makes one mark of the two
        ("<|audio_start|>x", ["<|audio_start|>", "▁", "x"]),  # and none after a special token
        ("a  b", ["▁", "a", "▁", "▁", "b"]),
        ("", []),
    ],
)
def test_pieces_are_those_of_the_file_where_transformers_makes_others(tiny, text, pieces):
    own = tokenizer.read(tiny)
    assert own.tokenize(text) == pieces
    assert own.convert_tokens_to_ids(pieces) == [own.vocab[piece] for piece in pieces]


def test_a_letter_without_a_piece_falls_back_to_bytes_and_an_unknown_piece_to_its_id(tiny):
    own = tokenizer.read(tiny)
    ids = own.convert_tokens_to_ids(own.tokenize("국"))
    assert [own.vocab["▁"], *(own.vocab[f"<0x{byte:02X}>"] for byte in "국".encode())] == ids
    assert own.byte_ids >= set(ids[1:])
    assert len(own.byte_ids) == 256
    assert own.convert_tokens_to_ids(["龍"]) == [own.vocab["<unk>"]]


def test_what_a_file_asks_to_cut_and_to_fill_up_is_not_done(tiny, tmp_path):
    folder = shutil.copytree(tiny, tmp_path / "cutting")
    table = json.loads((folder / tokenizer.FILE).read_text())
    table["truncation"] = {"direction": "Right", "max_length": 3, "strategy": "LongestFirst", "stride": 0}
    table["padding"] = {
        "strategy": {"Fixed": 9}, "direction": "Right", "pad_to_multiple_of": None, "pad_id": 0, "pad_type_id": 0,
        "pad_token": "<unk>",
    }  # fmt: skip
    (folder / tokenizer.FILE).write_text(json.dumps(table))
    for text in ("a", "abcdefgh"):
        assert voxcpm.Tokenizer(folder)(text) == voxcpm.Tokenizer(tiny)(text)


def test_the_dry_run_says_tokens_of_each_language_and_the_share_of_bytes(corpus, tiny, tmp_path):
    """Korean texts of the corpus are partly of Hangul that the tiny tokenizer lacks, Khmer ones of letters it has."""
    run = config.build({"corpus": str(corpus), "model": str(tiny), "into": str(tmp_path / "run")}, ["train.steps=1"])
    languages = forecast.forecast(run, tick=lambda *_: None)["languages"]
    assert languages["km"]["byte_fallback"] == 0
    ids = voxcpm.Tokenizer(tiny)("(Korean)나는 오늘 학교에 갔다")  # the tiny tokenizer lacks 오 학 교 에 갔
    assert languages["ko"]["byte_fallback"] == round(15 / len(ids), 4)  # five syllables of three bytes
    assert languages["ko"]["tokens_per_second"] > 0
