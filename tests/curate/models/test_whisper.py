"""Whisper tells the language, the words and their places, each clip by itself, and the same every time."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from numpy.typing import NDArray

from curate.audio import LISTENING_RATE as RATE
from curate.errors import UserError
from curate.measures.agreement import character_error_rate
from curate.models import bundled
from curate.models.whisper import Heard, Whisper
from curate.models.whisper_batch import BatchedWhisper
from tests.curate.models.sounds import sound

KOREAN = "ko/picovoice/leopard_test_ko.wav"
TEXT, OTHER_TEXT = "그는 이리저리 피하면서 길 한 옆으로 걸어갔다.", "오늘 아침에는 비가 많이 와서 학교에 늦었습니다"
READ, READ_TEXT = (
    "ko/zeroth/104_003_0294.flac",
    "한 잔의 커피가 소비자에게 전해지기 위해선 여러 차례의 공정을 거쳐야 한다",
)
ENGLISH = "neg/en_librispeech/1089-134686-0003.flac"
COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture(scope="module")
def whisper() -> Whisper:
    return Whisper()


def hear_and_die() -> None:
    """What a worker does that is killed for memory, once it has heard something."""
    Whisper().transcribe([np.sin(np.arange(RATE) / 9).astype(np.float32)], "ko")
    os.kill(os.getpid(), signal.SIGKILL)


KILLED = """
from multiprocessing import get_context
from tests.curate.models.test_whisper import hear_and_die
if __name__ == "__main__":
    worker = get_context("spawn").Process(target=hear_and_die)
    worker.start()
    worker.join()
    print(worker.exitcode)
"""


def test_a_worker_that_is_killed_leaves_nothing_that_python_would_warn_of(tmp_path: Path) -> None:
    (tmp_path / "killed.py").write_text(KILLED)
    root = Path(__file__).resolve().parents[3]
    environment = {**os.environ, "PYTHONPATH": str(root), "PYTHONDONTWRITEBYTECODE": "1"}
    ran = subprocess.run([sys.executable, tmp_path / "killed.py"], capture_output=True, text=True, env=environment)
    assert (ran.stdout, ran.stderr) == (f"{-signal.SIGKILL}\n", "")


def test_languages_are_told_apart(whisper: Whisper) -> None:
    korean, english = whisper.languages([sound(KOREAN), sound(ENGLISH)])
    assert korean["ko"] > 0.9 > 0.1 > korean["en"]
    assert english["en"] > 0.9 > 0.1 > english["ko"]
    assert "km" in korean
    assert sum(korean.values()) == pytest.approx(1, abs=0.01)


def test_korean_is_heard_the_same_alone_and_among_others(whisper: Whisper) -> None:
    alone = whisper.transcribe([sound(KOREAN)], "ko")
    among = whisper.transcribe([sound(ENGLISH), sound(KOREAN)], "ko")
    assert alone[0] == among[1]
    assert character_error_rate(TEXT, alone[0].text) < 0.35
    assert 0.5 < alone[0].confidence <= 1


def test_words_come_back_one_for_one_and_in_place(whisper: Whisper) -> None:
    clip = sound(KOREAN)
    (aligned,) = whisper.align([clip], [TEXT], "ko")
    assert aligned is not None
    assert [word.word for word in aligned.words] == TEXT.split()
    places = [(word.start, word.end) for word in aligned.words]
    assert all(isinstance(place, int) for pair in places for place in pair)
    assert all(start <= end for start, end in places)
    assert [end for _, end in places[:-1]] == [start for start, _ in places[1:]]
    assert places[-1][1] <= len(clip)
    assert aligned.score == pytest.approx(np.mean([word.probability for word in aligned.words]))
    shifted = np.concatenate([np.zeros(RATE, np.float32), clip])
    (later,) = whisper.align([shifted], [TEXT], "ko")
    assert later is not None
    assert later.words[-1].start - aligned.words[-1].start == pytest.approx(RATE, abs=0.2 * RATE)


def test_a_wrong_text_aligns_far_worse_than_the_true_one(whisper: Whisper) -> None:
    clip = sound(KOREAN)
    true, wrong = whisper.align([clip, clip], [TEXT, OTHER_TEXT], "ko")
    assert true is not None
    assert wrong is not None
    assert true.score > 0.5 > 0.15 > wrong.score


def test_what_cannot_be_aligned_is_none(whisper: Whisper) -> None:
    clip = np.sin(np.arange(RATE) / 9).astype(np.float32)
    cases = [
        (np.tile(clip, 31), TEXT),  # 30 s
        (clip[:0], TEXT),  # no sound
        (clip * 0, TEXT),  # no sound
        (clip, "  "),  # no text
        (clip, "가 " * 500),  # tokens
    ]
    clips, texts = zip(*cases, strict=True)
    assert whisper.align(clips, texts, "ko") == [None] * len(cases)


def test_nothing_to_hear_is_answered_without_the_model(whisper: Whisper) -> None:
    nan = np.full(RATE, np.nan, np.float32)
    clips = [np.zeros(0, np.float32), np.zeros(RATE, np.float32), nan]
    assert whisper.languages(clips) == [{}, {}, {}]
    assert whisper.transcribe(clips, "ko") == [Heard("", 0.0)] * 3


def test_peaks_above_one_do_not_change_what_is_heard(whisper: Whisper) -> None:
    clip = sound(KOREAN)
    full = clip / np.abs(clip).max()
    assert whisper.transcribe([full], "ko") == whisper.transcribe([full * np.float32(4)], "ko")


def in_turn(*names: str, pause: float = 0.3) -> NDArray[np.float32]:
    """Clips one after the other, each without its silent edges, as loud as each other."""
    parts = []
    for clip in map(sound, names):
        loud = np.flatnonzero(np.abs(clip) > 0.02 * np.abs(clip).max())
        parts += [clip[loud[0] : loud[-1]] / clip.std() * 0.05, np.zeros(round(pause * RATE), np.float32)]
    return np.concatenate(parts[:-1]).astype(np.float32)


def counted(whisper: Whisper, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many clips each asking for recognition was about, from here on."""
    calls: list[int] = []
    once = whisper._recognised

    def recognised(sounds: list[NDArray[np.float32]], language: str) -> list[Heard]:
        calls.append(len(sounds))
        return once(sounds, language)

    monkeypatch.setattr(whisper, "_recognised", recognised)
    return calls


@pytest.mark.parametrize("pause", [0.1, 0.3, 1.2])
def test_who_speaks_after_another_is_heard(whisper: Whisper, pause: float) -> None:
    first, second = in_turn(KOREAN, READ, pause=pause), in_turn(READ, KOREAN, pause=pause)
    texts = [each.text for each in whisper.transcribe([first, second], "ko")]
    for text, order in zip(texts, (1, -1), strict=True):
        places = [text.find(words) for words in ("걸어갔다", "거쳐야 한다")][::order]
        assert 0 <= places[0] < places[1]
        assert len(text) < 1.3 * len(TEXT + READ_TEXT)  # and once


def test_what_one_says_costs_one_hearing(whisper: Whisper, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = counted(whisper, monkeypatch)
    whisper.transcribe([sound(KOREAN), sound(READ)], "ko")
    assert calls == [2]


def test_music_after_the_words_adds_none(whisper: Whisper, monkeypatch: pytest.MonkeyPatch) -> None:
    clip = in_turn(KOREAN)
    music = sound("neg/music/Kevin_MacLeod_-_Vibe_Ace.ogg")[5 * RATE : 8 * RATE]
    calls = counted(whisper, monkeypatch)
    pause = np.zeros(RATE // 5, np.float32)
    (heard,) = whisper.transcribe([np.concatenate([clip, pause, 0.01 * music / music.std()])], "ko")
    assert heard.text.rstrip(".").endswith("걸어갔다")
    assert calls == [1, 1]  # it was listened to


def test_a_batch_hears_the_rest_too(whisper: Whisper) -> None:
    batched = BatchedWhisper(device="cpu", batch=2)
    clips = [in_turn(KOREAN, READ), sound(KOREAN), in_turn(READ, KOREAN)]
    alone, among = whisper.transcribe(clips, "ko"), batched.transcribe(clips, "ko")
    assert all(each.text.count("걸어갔다") == 1 for each in among)
    assert [character_error_rate(one.text, other.text) < 0.1 for one, other in zip(alone, among, strict=True)] == [
        True
    ] * 3


class RepeatingModel:
    """Answers like faster-whisper's model: stuck, unless repeats are forbidden."""

    supported_languages = ("ko",)

    def transcribe(
        self, clip: NDArray[np.float32], *, no_repeat_ngram_size: int, **_: object
    ) -> tuple[list[object], None]:
        text = " 다시 만나요." if no_repeat_ngram_size else " 다시" * 60
        return [SimpleNamespace(text=text, tokens=[1, 2, 3], avg_logprob=-0.5)], None


def test_a_text_that_repeats_itself_is_heard_again_with_repeats_forbidden() -> None:
    stuck = Whisper()
    stuck.__dict__["_model"] = RepeatingModel()
    (heard,) = stuck.transcribe([np.ones(RATE, np.float32)], "ko")
    assert heard.text == "다시 만나요."
    assert heard.confidence == pytest.approx(np.exp(-0.5))


def test_a_language_whisper_does_not_know_is_said(whisper: Whisper) -> None:
    with pytest.raises(UserError, match="'khm'"):
        whisper.transcribe([np.ones(RATE, np.float32)], "khm")


@pytest.mark.parametrize(
    "model", ["large-v3", "owner/name", "owner/name@main", f"owner/name@{COMMIT[:7]}", "/no/such/place"]
)
def test_a_hub_model_needs_its_commit(model: str) -> None:
    with pytest.raises(UserError, match="commit"):
        Whisper(model)


def test_a_device_that_is_not_there_is_said() -> None:
    with pytest.raises(UserError, match="cpu, cuda"):
        Whisper(device="gpu")


def test_a_hub_model_that_cannot_be_had_is_one_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    constants = pytest.importorskip("huggingface_hub.constants")
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    absent = Whisper(f"owner/name@{COMMIT}")
    assert COMMIT in absent.fingerprint  # known before anything is fetched
    with pytest.raises(UserError, match="cannot get owner/name@0123") as failed:
        absent.transcribe([np.ones(RATE, np.float32)], "ko")
    assert "\n" not in str(failed.value)


def test_a_folder_answers_and_is_known_by_its_bytes(tmp_path: Path, whisper: Whisper) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    for name in bundled.WHISPER_BASE:
        (folder / name).symlink_to(bundled.whisper_base() / name)
    same = Whisper(str(folder))
    assert same.fingerprint == whisper.fingerprint
    assert same.languages([sound(KOREAN)]) == whisper.languages([sound(KOREAN)])
    (folder / "config.json").unlink()
    shutil.copy(bundled.whisper_base() / "config.json", folder / "config.json")
    (folder / "config.json").write_text((folder / "config.json").read_text() + " ")
    assert Whisper(str(folder)).fingerprint != whisper.fingerprint


def test_a_folder_without_a_model_is_said(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"model\.bin"):
        _ = Whisper(str(tmp_path)).fingerprint


def test_the_fingerprint_names_packages_and_settings(whisper: Whisper) -> None:
    assert "faster-whisper-" in whisper.fingerprint
    assert "ctranslate2-" in whisper.fingerprint
    assert "int8" in whisper.fingerprint
    assert whisper.fingerprint == Whisper(threads=2).fingerprint  # threads change no answer
    assert whisper.fingerprint != Whisper(device="cuda").fingerprint


def test_a_batch_hears_what_each_clip_says_alone(whisper: Whisper) -> None:
    batched = BatchedWhisper(device="cpu", batch=3)
    clips = [
        sound(KOREAN),
        np.zeros(0, np.float32),
        sound(ENGLISH),
        sound(KOREAN)[: 2 * RATE],
        np.zeros(RATE, np.float32),
    ]
    for alone, among in zip(whisper.languages(clips), batched.languages(clips), strict=True):
        assert alone.keys() == among.keys()
        assert all(among[code] == pytest.approx(alone[code], abs=0.02) for code in alone)
    alone, among = whisper.transcribe(clips, "ko"), batched.transcribe(clips, "ko")
    assert [each.text for each in among] == [each.text for each in alone]
    assert [each.confidence for each in among] == pytest.approx([each.confidence for each in alone], abs=0.02)
    texts = [TEXT, TEXT, OTHER_TEXT, "", TEXT]
    for one, other in zip(whisper.align(clips, texts, "ko"), batched.align(clips, texts, "ko"), strict=True):
        assert (one is None) == (other is None)
        if one and other:
            assert [word.word for word in other.words] == [word.word for word in one.words]
            assert other.score == pytest.approx(one.score, abs=0.02)
            starts = [[word.start for word in each.words] for each in (one, other)]
            assert np.median(np.abs(np.subtract(*starts))) <= RATE // 50


def test_a_batch_asks_the_encoder_once_for_each_clip() -> None:
    batched = BatchedWhisper(device="cpu", batch=2)
    clips = [sound(KOREAN), sound(ENGLISH), sound(KOREAN)[: 2 * RATE]]
    batched.languages(clips)
    model = batched._model
    model.model = SimpleNamespace(
        **{name: getattr(model.model, name) for name in ("detect_language", "align", "is_multilingual")}
    )  # an encoder that is gone
    assert batched.align(clips, [TEXT] * 3, "ko")[0] is not None
    assert len(batched.languages(clips)) == 3
