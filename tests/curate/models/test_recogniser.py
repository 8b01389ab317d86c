"""Recognisers by folder or hub id: what is one, what only aligns, what must be converted; what a CTC model writes."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from curate.errors import UserError
from curate.models import ctc_checkpoint, recogniser
from curate.models.ctc_spelling import PROBES

SOUND = np.random.default_rng(0).normal(size=16_000).astype(np.float32) * 0.1


def ctc_folder(folder: Path, letters: str) -> Path:
    """A CTC model as it lies on disk, but for its weights, which only its fingerprint reads here."""
    folder.mkdir()
    vocabulary = {letter: i for i, letter in enumerate(["<pad>", "|", *dict.fromkeys(letters)])}
    config = {"model_type": "wav2vec2", "architectures": ["Wav2Vec2ForCTC"], "pad_token_id": 0}
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "vocab.json").write_text(json.dumps(vocabulary, ensure_ascii=False), encoding="utf-8")
    (folder / "model.safetensors").write_bytes(b"weights")
    return folder


def says(folder: Path, tokens: list[str], monkeypatch: pytest.MonkeyPatch, language: str) -> str:
    """What is written where the likeliest token of each frame is this."""
    vocabulary = json.loads((folder / "vocab.json").read_text(encoding="utf-8"))
    frames = torch.nn.functional.one_hot(torch.tensor([vocabulary[each] for each in tokens]), len(vocabulary)).float()
    monkeypatch.setattr(ctc_checkpoint, "network", lambda checkpoint, device: lambda samples: frames)
    return recogniser.named(str(folder), language).transcribe([SOUND], language)[0]


def test_repeats_and_blanks_are_taken_out_and_words_stay_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = ctc_folder(tmp_path / "km", PROBES["km"])
    tokens = ["<pad>", "ក", "ក", "<pad>", "ក", "ា", "|", "|", "ខ", "<pad>", "ខ", "ខ", "<pad>"]
    assert says(folder, tokens, monkeypatch, "km") == "កកា ខខ"


def test_silence_and_a_few_samples_are_no_text(tmp_path: Path) -> None:
    model = recogniser.named(str(ctc_folder(tmp_path / "km", PROBES["km"])), "km")
    assert model.transcribe([np.zeros(16_000, np.float32), SOUND[:100]], "km") == ["", ""]


def test_a_model_that_writes_latin_letters_can_align_and_not_be_asked_for_errors(tmp_path: Path) -> None:
    folder = ctc_folder(tmp_path / "latin", "abcdefghijklmnopqrstuvwxyz'")
    with pytest.raises(UserError, match="writes Latin letters, not Khmer"):
        recogniser.named(str(folder), "km")


def test_a_whisper_that_is_not_converted_says_how(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"architectures": ["WhisperForConditionalGeneration"]}))
    with pytest.raises(UserError, match="convert it once by `ct2-transformers-converter --model"):
        recogniser.named(str(tmp_path), "km")


@pytest.mark.parametrize("name", ["", "no/such/folder", "owner/name", "owner/name@main"])
def test_what_is_no_recogniser_is_one_line(tmp_path: Path, name: str) -> None:
    with pytest.raises(UserError, match=r"no recogniser") as refused:
        recogniser.named(name or str(tmp_path), "ko")
    assert "\n" not in str(refused.value)


def test_the_bundled_one_is_whisper_base() -> None:
    assert recogniser.named("bundled", "ko").fingerprint.startswith("whisper-")
