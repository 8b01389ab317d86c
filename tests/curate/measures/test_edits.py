"""A text against what was heard: which words only one of them has, where, and how much of each that is."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curate.measures.edits import Comparison, compare

# Korean as it was given, and as whisper-base wrote it: spaces and syllables differ, no word is missing
PAIRS = [
    (
        "한 잔 의 커피 가 소비자 에게 전해지기 위해선 여러 차례 의 공정을 거쳐야 한다",
        "한잔의 커피가 소비자에게 전해지기 위해서는 여러 차례의 공정을 거쳐야 한다.",
    ),
    ("그는 이리저리 피하면서 길 한 옆으로 걸어갔다", "그는 일위절이 피하면서 길 한 옆으로 걸어갔다."),
    (
        "대부분 전기 는 기업이 사용 가정용 전기 에 누진제 적용 하는 국가 거 의 없어",
        "대부분 전기는 기업이 사용, 가정용 전기에 유진제 적용하는 국가 거의 없어,",
    ),
    ("네 명 숙박할 건데 호텔 디럭스룸은 다 찼다고 하셔서", "네 명 숙박할 건데 호텔 드력수룸은 다 찾다고 하셔서"),
]
OTHERS = [
    "오늘",
    "아침에는",
    "비가",
    "많이",
    "와서",
    "학교에",
    "늦었습니다",
    "그래서",
    "선생님께",
    "전화를",
    "드렸어요",
]


@pytest.mark.parametrize(("text", "heard"), PAIRS)
def test_words_that_were_heard_badly_are_not_missing(text: str, heard: str) -> None:
    found = compare(text, heard)
    assert found.unheard <= 0.1
    assert found.extra <= 0.1
    assert all(edit.place == "inside" for edit in found.edits)


@pytest.mark.parametrize(("text", "heard"), PAIRS)
@pytest.mark.parametrize("where", ["start", "inside", "end", "scattered"])
def test_half_as_many_words_again_are_unheard_wherever_they_stand(text: str, heard: str, where: str) -> None:
    words, more = text.split(), []
    while len("".join(more)) < len(text.replace(" ", "")) / 2:
        more.append(OTHERS[len(more) % len(OTHERS)])
    at = {"start": 0, "inside": len(words) // 2, "end": len(words)}
    if where == "scattered":
        draw = random.Random(text)
        for word in more:
            words.insert(draw.randrange(len(words) + 1), word)
    else:
        words[at[where] : at[where]] = more
    found = compare(" ".join(words), heard)
    assert 0.25 < found.unheard < 0.45
    assert found.extra <= 0.1
    if where in ("start", "end"):
        edge = found.edits[0 if where == "start" else -1]
        assert (edge.place, edge.heard) == (where, "")
        assert set(more) <= set(edge.given.split())


@pytest.mark.parametrize(("text", "heard"), PAIRS)
def test_a_missing_half_was_heard_and_is_not_in_the_text(text: str, heard: str) -> None:
    words = text.split()
    second, first = (
        compare(" ".join(words[len(words) // 2 :]), heard),
        compare(" ".join(words[: len(words) // 2]), heard),
    )
    assert min(first.extra, second.extra) > 0.3
    assert max(first.unheard, second.unheard) <= 0.1
    assert first.edits[-1].place == "end"
    assert second.edits[0].place == "start"
    assert heard.split()[-1] in first.edits[-1].heard
    assert heard.split()[0] in second.edits[0].heard


@pytest.mark.parametrize(
    ("text", "heard", "edits"),
    [
        ("가나 다라 마바", "가나 다라 마바", []),
        ("가나 다라 마바.", "가나, 다라 마바", []),
        ("가나 다라 마바", "다라 마바", [("start", "가나", "")]),
        ("다라 마바", "가나 다라 마바", [("start", "", "가나")]),
        ("가나 다라 마바", "가나 다라", [("end", "마바", "")]),
        ("가나 다라", "가나 다라 마바", [("end", "", "마바")]),
        ("가나 소문 마바", "가나 다리 마바", [("inside", "소문", "다리")]),
        ("잔 의 커피 가", "한잔의 커피가", [("start", "", "한")]),  # one syllable of a word that is otherwise there
        ("그는 갔다 그리고 한다", "그는 갔다", [("end", "그리고 한다", "")]),  # 다 was heard where it belongs
        ("가나다", "", [("whole", "가나다", "")]),
        ("", "가나다", [("whole", "", "가나다")]),
        ("", "", []),
        ("!!", "…", []),
    ],
)
def test_what_differs_is_named_with_its_place(text: str, heard: str, edits: list[tuple[str, str, str]]) -> None:
    assert [tuple(edit) for edit in compare(text, heard).edits] == edits


def test_one_wrong_word_is_counted_and_drops_nothing() -> None:
    text, heard = PAIRS[0]
    found = compare(text.replace("커피", "우산"), heard)
    assert found.wrong_words == 1
    assert any("우산" in edit.given for edit in found.edits)
    assert max(found.unheard, found.extra) <= 0.1


@pytest.mark.parametrize(("text", "heard"), [PAIRS[0], PAIRS[2], PAIRS[3]])
@pytest.mark.parametrize("where", ["first", "middle", "second"])
def test_half_of_another_sentence_is_unheard_although_as_much_was_heard_in_its_place(
    text: str, heard: str, where: str
) -> None:
    wrong = half_wrong(text, where)
    found = compare(wrong, heard)
    assert 0.3 < found.unheard < 0.75
    assert 0.3 < found.extra < 0.75
    assert found.wrong_words >= 3
    assert any(len(edit.given.split()) >= 3 and edit.heard for edit in found.edits)


def test_a_stretch_of_another_text_is_named_in_one_piece_whatever_agrees_in_it_by_chance() -> None:
    text = "그는 이리저리 피하면서 오늘 아침에는 비가 많이 와서 학교에 늦어요"
    found = compare(text, "그는 이리저리 피하면서 길 한 옆으로 천천히 걸어갔다 그리고 뛰었습니다")
    assert [edit.place for edit in found.edits] == ["end"]
    assert found.edits[0].given == "오늘 아침에는 비가 많이 와서 학교에 늦어요"
    assert min(found.unheard, found.extra) > 0.6


def test_two_stretches_of_another_text_are_told_apart_from_what_was_heard_between_them() -> None:
    right = "물론 십 대 자녀가 잘못된 결론을 내리거나 비슷한 실수를 저질렀을 때 염려가 될 수도 있습니다"
    words = right.split()
    text = " ".join([*OTHERS[:4], *words[4:9], *OTHERS[4:9]])
    found = compare(text, right)
    assert [edit.place for edit in found.edits] == ["start", "end"]
    assert max(found.unheard, found.extra) < 0.75


def test_the_worse_the_rest_was_heard_the_longer_is_a_stretch_of_another_text() -> None:
    text = (
        "오디오를 듣고 사람 레이블 기록 및 두 가지 음성 텍스트 모델의 결과를 표시하는 각 열의 인식 결과를 비교함으로써"
    )
    noise = (
        "보디오를 빛보고 사람 레이블 뒤로 빛보다도 인상척척소 모델의 결과를 설치하는 발열의 인식 결과를 비교하느냈다"
    )
    quiet = "오디오를 듣고 사람 레이블 뒤로 빛보다도 인상척척소 모델의 결과를 표시하는 각 열의 인식 결과를 비교함으로써"
    assert max(compare(text, noise).unheard, compare(text, noise).extra) < 0.15  # as whisper-base wrote it at 12 dB
    assert compare(text, quiet).unheard > 0.2


def test_a_few_wrong_words_here_and_there_are_heard_badly() -> None:
    text, heard = PAIRS[0]
    for one, other in (("커피", "우산"), ("전해지기", "늦었으니"), ("공정을", "선생님")):
        text = text.replace(one, other)
    found = compare(text, heard)
    assert found.wrong_words == 3
    assert max(found.unheard, found.extra) <= 0.1


def test_other_scripts_know_no_stretch_of_another_text() -> None:
    text, heard = "the cat sat on the mat and slept", "the cat sat on big red boxes outside"
    assert max(compare(text, heard).unheard, compare(text, heard).extra) <= 0.2


def half_wrong(text: str, where: str) -> str:
    """The text with about half of its letters those of another sentence."""
    words, letters = text.split(), len(text.replace(" ", ""))
    starts = [len("".join(words[:at])) for at in range(len(words) + 1)]
    begin, end = {"first": (0, 0.5), "middle": (0.25, 0.75), "second": (0.5, 1)}[where]
    first, last = (min(range(len(starts)), key=lambda at: abs(starts[at] - part * letters)) for part in (begin, end))
    more: list[str] = []
    while len("".join(more)) < starts[last] - starts[first]:
        more.append(OTHERS[len(more) % len(OTHERS)])
    return " ".join([*words[:first], *more, *words[last:]])


def test_a_short_text_is_not_lost_over_one_syllable() -> None:
    assert compare("네", "네 네").extra == 0.1
    assert compare("커피를 줘", "커피를 줘요").extra <= 0.1


def test_khmer_is_compared_letter_by_letter_with_its_marks() -> None:
    text = "ប្អូន ប្រុស របស់ ខ្ញុំ បាន ទៅ លេង"
    assert compare(text, text) == Comparison((), 0.0, 0.0, 0)
    assert [tuple(edit) for edit in compare(text, "ប្អូន ប្រុស របស់ ខ្ញុំ").edits] == [("end", "បាន ទៅ លេង", "")]


def test_a_book_given_for_a_clip_is_told_without_comparing_it() -> None:
    book = "가나 다라 " * 30_000
    found = compare(book, "마바 사아 " * 50)
    assert found.unheard > 0.99
    assert found.extra == 0
    assert found.edits[0].place == "whole"
    assert found.wrong_words == 60_000


WORDS = st.lists(st.text("가나다라마각한", min_size=1, max_size=3), max_size=8).map(" ".join)


@settings(max_examples=150, deadline=None)
@given(WORDS, WORDS)
def test_shares_are_shares_and_swapping_the_sides_swaps_them(text: str, heard: str) -> None:
    found, swapped = compare(text, heard), compare(heard, text)
    assert 0 <= found.unheard <= 1
    assert 0 <= found.extra <= 1
    assert (compare(text, text).unheard, compare(text, text).edits) == (0, ())
    assert bool(found.edits) == bool(swapped.edits)
