"""The CTC aligner on checkpoints laid out as real ones, in a language of tones whose words have known places."""

import functools
import json
import shutil
import unicodedata
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from curate.audio import LISTENING_RATE as RATE
from curate.errors import UserError
from curate.models import ctc_checkpoint, ctc_spelling
from curate.models.ctc import CtcAligner
from curate.models.whisper import Aligned
from curate.text.romanised import romanised
from tests.curate.models import tones

KOREAN = ["그는", "이리저리", "피하면서", "길", "한", "옆으로", "걸어갔다"]
KHMER = ["ប្អូន", "ប្រុស", "របស់", "ខ្ញុំ", "បាន", "ទៅ", "លេង", "នៅ", "ទីក្រុង", "ម៉ានីល"]
COMMIT = "0123456789abcdef0123456789abcdef01234567"
NEAR = 0.06 * RATE  # three frames


@pytest.fixture
def folder(tone_aligner: Path) -> Path:
    return tone_aligner


@pytest.fixture
def copy(folder: Path, tmp_path: Path) -> Path:
    return shutil.copytree(folder, tmp_path / "copy")


def said(words: Sequence[str], *, longest: float = 0.5, seed: int = 0) -> tuple[tones.Samples, list[tuple[int, int]]]:
    gaps = np.random.default_rng(seed).uniform(0.1, longest, len(words) + 1)
    return tones.say([romanised(word) for word in words], tones.frequencies(tones.LATIN), gaps=list(gaps), seed=seed)


def aligned(model: Path, language: str, sound: tones.Samples, words: Sequence[str]) -> Aligned:
    (found,) = CtcAligner(str(model), language).align([sound], [[[word] for word in words]])
    assert found is not None
    return found


def misses(found: Aligned, places: Sequence[tuple[int, int]]) -> Iterator[int]:
    for word, (start, end) in zip(found.words, places, strict=True):
        yield abs(word.start - start)
        yield abs(word.end - end)


@pytest.mark.parametrize(("language", "words"), [("ko", KOREAN), ("km", KHMER)])
def test_every_word_is_found_where_it_was_said(folder: Path, language: str, words: list[str]) -> None:
    sound, places = said(words)
    found = aligned(folder, language, sound, words)
    assert [word.word for word in found.words] == words
    assert max(misses(found, places)) <= NEAR
    assert min(word.probability for word in found.words) > 0.5
    assert 0.5 < found.score <= 1


def test_another_text_fits_far_worse(folder: Path) -> None:
    sound, _ = said(KOREAN)
    true = aligned(folder, "ko", sound, KOREAN)
    wrong = aligned(folder, "ko", sound, ["오늘", "아침에는", "비가", "많이", "와서", "학교에", "늦었습니다"])
    assert true.score > 0.5 > 0.2 > wrong.score


def test_a_word_more_than_was_said_has_no_probability(folder: Path) -> None:
    sound, places = said(KOREAN)
    found = aligned(folder, "ko", sound, [*KOREAN, "학교에"])
    assert found.words[-1].probability < 0.2 < 0.5 < found.words[2].probability
    assert max(misses(Aligned(found.words[:5], 0), places[:5])) <= NEAR


def test_a_long_clip_is_heard_in_windows_and_its_words_stay_in_place(folder: Path) -> None:
    words = KOREAN * 6
    sound, places = said(words, longest=2.0, seed=3)
    assert len(sound) > 60 * RATE
    assert max(misses(aligned(folder, "ko", sound, words), places)) <= NEAR


def test_a_model_with_an_adapter_for_each_language_uses_it(folder: Path, tmp_path: Path) -> None:
    mms = tones.with_adapter(folder, tmp_path / "mms", "khm")
    sound, places = said(KHMER)
    assert max(misses(aligned(mms, "km", sound, KHMER), places)) <= NEAR
    with pytest.raises(UserError, match=r"knows 2 languages, Korean \(kor\) is none"):
        CtcAligner(str(mms), "ko")
    (mms / "adapter.khm.safetensors").unlink()
    with pytest.raises(UserError, match=r"no adapter\.khm\.safetensors"):
        CtcAligner(str(mms), "km")


def test_torchaudios_aligner_is_read_from_a_folder(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = tones.for_torchaudio(folder, tmp_path / "fa")
    monkeypatch.setattr("torchaudio.pipelines.MMS_FA", bundle)
    sound, places = said(KHMER)
    found = aligned(tmp_path / "fa", "km", sound, KHMER)
    assert max(misses(found, places)) <= NEAR
    assert found.score > 0.5
    (tmp_path / "fa" / "model.pt").write_bytes(b"PK nothing")
    with pytest.raises(UserError, match="is not torchaudio's MMS_FA"):
        aligned(tmp_path / "fa", "km", sound, KHMER)


def test_phrases_are_parted_by_the_separator_and_words_in_them_are_not(copy: Path) -> None:
    sound, places = said(KOREAN)
    aligner = CtcAligner(str(copy), "ko")
    (parted,) = aligner.align([sound], [[KOREAN[:3], KOREAN[3:]]])
    assert parted is not None
    assert [word.word for word in parted.words] == KOREAN
    assert max(misses(parted, places)) <= NEAR


def test_what_cannot_be_aligned_is_none_and_a_word_without_letters_keeps_its_turn(folder: Path) -> None:
    sound, _ = said(KOREAN)
    aligner = CtcAligner(str(folder), "ko")
    cases: list[tuple[tones.Samples, list[list[str]]]] = [
        (sound[:0], [KOREAN]), (np.zeros(RATE, np.float32), [KOREAN]), (np.full(RATE, np.nan, np.float32), [KOREAN]),
        (sound, []), (sound, [["…", "☃"]]), (sound[:RATE], [KOREAN * 5]),
    ]  # fmt: skip
    assert aligner.align([clip for clip, _ in cases], [text for _, text in cases]) == [None] * len(cases)
    (found,) = aligner.align([sound], [[[*KOREAN[:2], "☃", *KOREAN[2:]]]])
    assert found is not None
    assert found.words[2].probability == 0
    assert found.words[2].start == found.words[2].end == found.words[1].end


def test_a_clip_is_answered_the_same_alone_and_among_others(folder: Path) -> None:
    (one, _), (two, _) = said(KOREAN), said(KHMER, seed=1)
    aligner = CtcAligner(str(folder), "ko")
    texts = [[KOREAN], [KHMER]]
    assert aligner.align([one, two], texts) == [*aligner.align([one], texts[:1]), *aligner.align([two], texts[1:])]


def test_other_weights_and_other_languages_have_other_fingerprints(folder: Path, copy: Path) -> None:
    before = CtcAligner(str(copy), "ko").fingerprint
    assert before == CtcAligner(str(folder), "ko").fingerprint
    assert before != CtcAligner(str(copy), "km").fingerprint
    weights = bytearray((copy / "model.safetensors").read_bytes())
    weights[-1] ^= 1
    (copy / "model.safetensors").write_bytes(weights)
    assert before != CtcAligner(str(copy), "ko").fingerprint


@pytest.mark.parametrize(
    ("language", "letters", "word", "spelled"),
    [
        (
            "ko",
            "ㄱㄲㄴㄷㄸㄹㅁㅂㅃㅅㅆㅇㅈㅉㅊㅋㅌㅍㅎㅏㅐㅑㅒㅓㅔㅕㅖㅗㅘㅙㅚㅛㅜㅝㅞㅟㅠㅡㅢㅣㄳ",
            "한길",
            "ㅎㅏㄴㄱㅣㄹ",
        ),
        (
            "ko",
            "".join(map(chr, [*range(0x1100, 0x1113), *range(0x1161, 0x1176), *range(0x11A8, 0x11C3)])),
            "길",
            unicodedata.normalize("NFD", "길"),
        ),
        ("ko", "키스의고유조건은입술끼리만나야하고특별한기술은필요치않다", "고유", "고유"),
        ("km", ctc_spelling.PROBES["km"], "ខ្ញុំ", "ខ្ញុំ"),
        ("km", tones.LATIN, "ខ្ញុំ", "khnyum"),
        ("km", tones.LATIN.upper(), "ខ្ញុំ", "KHNYUM"),
    ],
)
def test_the_vocabulary_says_how_a_language_is_spelled(
    copy: Path, language: str, letters: str, word: str, spelled: str
) -> None:
    vocabulary = {"<pad>": 0} | {letter: 1 + i for i, letter in enumerate(dict.fromkeys(letters))}
    rewrite(copy / "vocab.json", vocabulary)
    assert ctc_checkpoint.read(copy, language).tokens(word) == [vocabulary[letter] for letter in spelled]


def rewrite(path: Path, content: Any) -> None:
    path.write_text(json.dumps(content), encoding="utf-8")


def change(path: Path, **changed: Any) -> None:
    rewrite(path, {**json.loads(path.read_text(encoding="utf-8")), **changed})


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (
            lambda f: rewrite(f / "vocab.json", {"<pad>": 0, "ა": 1, "ბ": 2}),
            "has no letters for Khmer: its vocabulary lacks ក",
        ),
        (lambda f: (f / "vocab.json").unlink(), "has no vocab.json"),
        (lambda f: (f / "vocab.json").write_text("{"), "cannot be read as JSON"),
        (lambda f: rewrite(f / "vocab.json", [1]), "a JSON object"),
        (lambda f: (f / "model.safetensors").unlink(), "has no weights"),
        (lambda f: (f / "config.json").unlink(), "holds no CTC model"),
        (
            lambda f: change(f / "config.json", model_type="whisper"),
            "is no CTC model of speech (its config.json says whisper)",
        ),
        (
            lambda f: change(f / "config.json", architectures=["Wav2Vec2ForPreTraining"]),
            "was not trained to write letters",
        ),
        (lambda f: change(f / "preprocessor_config.json", sampling_rate=8000), "wants 8000 Hz"),
        (lambda f: change(f / "vocab.json", a="6"), "does not give each letter the number of a token"),
        (lambda f: change(f / "vocab.json", a=None), "does not give each letter the number of a token"),
        (lambda f: rewrite(f / "vocab.json", {"eng": {"a": 1}, "khm": [1]}), "does not give each letter the number"),
        (lambda f: change(f / "config.json", conv_stride="5, 2"), "conv_stride is no number"),
        (lambda f: change(f / "config.json", pad_token_id="<pad>"), "pad_token_id or"),
    ],
)
def test_a_folder_of_the_wrong_kind_is_told_in_one_line_before_anything_runs(copy: Path, spoil: Any, said: str) -> None:
    spoil(copy)
    with pytest.raises(UserError) as caught:
        CtcAligner(str(copy), "km")
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def without(part: str, folder: Path) -> None:
    """Weights that lack a part, which the library would fill with random numbers."""
    from safetensors.torch import load_file, save_file

    weights = load_file(folder / "model.safetensors")
    save_file({k: each for k, each in weights.items() if part not in k}, folder / "model.safetensors", {"format": "pt"})


@pytest.mark.parametrize(
    ("spoil", "said_then"),
    [
        (lambda f: (f / "model.safetensors").write_bytes(b"no weights"), "cannot be loaded as a CTC model"),
        (
            lambda f: (f / "model.safetensors").rename(f / "pytorch_model.bin").write_bytes(b"junk" * 99),
            "cannot be loaded as a CTC model",
        ),
        (functools.partial(without, "lm_head"), "its weights lack 2 parts of the network"),
        (functools.partial(without, "layers.0.attention"), "its weights lack 8 parts of the network"),
        (lambda f: change(f / "config.json", hidden_size=96), "parts of the network that config.json describes"),
        (lambda f: change(f / "config.json", pad_token_id=999), "more letters in vocab.json than its network"),
    ],
)
def test_weights_that_are_broken_or_not_all_there_are_told_in_one_line(copy: Path, spoil: Any, said_then: str) -> None:
    spoil(copy)
    with pytest.raises(UserError) as caught:
        CtcAligner(str(copy), "ko").align([said(KOREAN)[0]], [[KOREAN]])
    assert said_then in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("model", "device", "said"),
    [
        ("no/such-folder", "cpu", "no aligner 'no/such-folder'; give an existing folder, or owner/name@"),
        ("facebook/mms-1b-all@main", "cpu", "40-digit commit"),
        (f"facebook/mms-1b-all@{COMMIT}", "tpu", "no device 'tpu'"),
    ],
)
def test_models_and_devices_that_cannot_be_are_refused(model: str, device: str, said: str) -> None:
    with pytest.raises(UserError, match=said):
        CtcAligner(model, "km", device=device)


def test_a_gpu_that_is_not_there_is_told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("curate.models.compute.gpus", lambda: 0)
    there = CtcAligner(str(folder), "km", device="cuda")  # what was measured elsewhere can still be decided by
    assert "cuda" in there.fingerprint
    with pytest.raises(UserError, match="no GPU is found here"):
        there.align([np.ones(16000, np.float32)], [[["ក"]]])


def test_a_hub_id_is_taken_at_its_word_until_it_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    aligner = CtcAligner(f"nobody/nothing@{COMMIT}", "km")
    assert f"nobody/nothing@{COMMIT}" in aligner.fingerprint
    with pytest.raises(UserError, match="cannot get nobody/nothing@") as caught:
        aligner.align([said(KHMER)[0]], [[KHMER]])
    assert "\n" not in str(caught.value)
