"""Each fault is found in real speech that was made to have it, on other files than the detectors were tuned on."""

import numpy as np
import pytest

from tests.train.evaluate import made_faults
from tests.train.evaluate.made_faults import JUDGED, MADE, TUNED, needs_speech
from train.evaluate import faults

LENGTH = ("early_stop", "omission")  # by length alone, an early stop at the end of a word is an omission
TOGETHER = {"early_stop": LENGTH, "omission": LENGTH}
SILENCES = ("2.0 s at the start", "2.0 s at the end", "4.0 s at the middle", "nothing")
CASES = [
    (name, way)
    for name, ways in MADE.items()
    for way in ways
    if name != "silence" or way in SILENCES
]  # fmt: skip
HEARD = "그는 이리저리 피하면서 길 한 옆으로 걸어갔다"  # of the last file of JUDGED


@needs_speech
@pytest.mark.parametrize("name", [*TUNED, *JUDGED])
def test_nothing_is_found_in_clean_speech(name):
    assert faults.find(made_faults.spoken(name, made_faults.read(name))) == {}


@needs_speech
@pytest.mark.parametrize("file", JUDGED)
@pytest.mark.parametrize(("name", "way"), CASES)
def test_a_fault_that_was_made_is_found_and_no_other(file, name, way):
    found = faults.find(made_faults.spoken(file, MADE[name][way](made_faults.read(file))))
    assert name in found
    assert set(found) <= {name, *TOGETHER.get(name, ())}


@needs_speech
def test_speech_that_goes_on_after_its_text_is_a_runaway():
    for file in JUDGED:
        other = next(each for each in JUDGED if each != file)
        sound = made_faults.followed(made_faults.read(file), made_faults.read(other))
        assert "runaway" in faults.find(made_faults.spoken(file, sound))


@needs_speech
@pytest.mark.parametrize("file", JUDGED[1:])
def test_noise_or_a_hum_after_the_speech_is_a_runaway_and_a_quiet_room_is_silence(file):
    sound = made_faults.read(file)
    level = float(np.sqrt(np.mean(sound**2)))
    noise = np.random.default_rng(3).normal(size=48_000) * level
    hum = np.sin(np.arange(48_000) * 2 * np.pi * 200 / made_faults.RATE) * level
    for after, fault in ((noise, "runaway"), (hum, "runaway"), (noise / 30, "silence"), (noise * 0, "silence")):
        made = made_faults.followed(sound, after.astype(np.float32))
        assert set(faults.find(made_faults.spoken(file, made))) == {fault}


@needs_speech
def test_the_same_sound_for_other_texts_is_ignored_text_and_other_sentences_are_not():
    clean = [made_faults.spoken(file, made_faults.read(file)) for file in JUDGED]
    assert faults.ignored(clean) == {}
    first = made_faults.read(JUDGED[0])
    again = made_faults.said_twice(first, 0, 99, speed=0.94)[len(first) :]  # slower, lower, at another level
    same = [clean[0], made_faults.spoken(JUDGED[1], again), clean[2]]
    assert set(faults.ignored(same)) == {JUDGED[0], JUDGED[1]}
    assert faults.ignored([clean[0], made_faults.spoken(JUDGED[0], again)]) == {}  # two takes of one sentence


@needs_speech
def test_a_text_that_repeats_itself_may_be_said_so():
    file = JUDGED[2]
    sound = made_faults.read(file)
    twice = np.concatenate([sound, sound])
    assert "repetition" in faults.find(made_faults.spoken(file, twice))
    assert faults.find(made_faults.spoken(file, twice, text=f"{HEARD} {HEARD}")) == {}


@needs_speech
@pytest.mark.parametrize(
    ("written", "fault"),
    [
        (HEARD, None),
        ("그는 이리 저리 피하면서 길 한옆으로 거러갔다", None),  # spelled otherwise, misheard a little
        ("그는 이리저리 피하면서", "early_stop"),
        ("그는 길 한 옆으로 걸어갔다", "omission"),
        ("그는 이리저리 피하면서 이리저리 피하면서 길 한 옆으로 걸어갔다", "repetition"),
        (f"{HEARD} 오늘 아침에는 비가", "runaway"),
        ("오늘 아침에는 비가 많이 와서 학교에 늦었습니다", "ignored_text"),
    ],
)
def test_with_a_recogniser_words_are_looked_at(written, fault):
    spoken = made_faults.spoken(JUDGED[2], made_faults.read(JUDGED[2]), written=written)
    assert set(faults.find(spoken)) == ({fault} if fault else set())


@needs_speech
def test_what_was_stopped_by_its_limit_is_a_runaway():
    clean = made_faults.spoken(JUDGED[2], made_faults.read(JUDGED[2]))
    assert "runaway" in faults.find(faults.Spoken(**{**clean.__dict__, "cut_off": True}))


@pytest.mark.parametrize("sound", [np.zeros(0), np.zeros(8000), np.full(16000, 0.3)], ids=["none", "zeros", "constant"])
def test_what_is_no_speech_is_silence(sound):
    sound = sound.astype(np.float32)
    from train.evaluate import prosody

    heard = prosody.listen(made_faults.silero(), sound)
    measured = prosody.measure(heard, 20)
    spoken = faults.Spoken("x", "안녕하세요", "ko", 12, heard, measured, 0.0)
    assert set(faults.find(spoken)) == {"silence"}


def test_the_longest_piece_that_a_text_has_twice():
    found = [faults._longest_repeat(text) for text in ("", "가", "가나다", "가나가나", "조금씩조금씩", "aabaab")]
    assert found == [0, 0, 0, 2, 3, 3]
