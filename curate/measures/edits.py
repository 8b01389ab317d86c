"""Where a given text and what was heard part: words that were not heard, and words that are not in the text.

A character error rate cannot tell a text with half as many words again (.29-.50 on real clips) from a true one that a
small recogniser hears badly (up to .21 clean, more in noise). The shape of the errors can: a recogniser that hears
badly writes other syllables in the same places, a text that does not belong leaves words without any sound, or sound
without words. So the two are aligned with gaps that cost by opening more than by growing (Gotoh 1982), and syllables
that share letters count as partly the same.

Where a part of the text is another sentence of like length, its syllables stand against others in the same places too,
but in one piece: such stretches are the segments with the largest sums (Karlin and Altschul 1990; Kadane's scan).
"""

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from curate.measures.agreement import comparable
from curate.text.korean import hangul

VERSION = 2  # raise it when an answer changes
# Two wrong syllables cost 2, leaving two out here and two in there 3.2; a single one left out 1, less than one wrong
# syllable beside it. At both ends a gap opens more cheaply: of "갔다" in "...갔다 ... 한다" the first was heard.
GAP_OPEN, EDGE_OPEN, GAP_LONGER = 0.4, 0.2, 0.6
MOST_CELLS = 4_000_000  # of the alignment's table, 60 MB: two minutes of fast speech against twice as much text are 2
FEWEST = 10  # characters that shares are taken of at least: one syllable more in a text of three is no third of a clip
SAME = 0.5  # a pair of syllables cheaper than this is the same one, heard well or badly: two of its three letters agree
# Of pairs of syllables in unrelated Korean sentences 9 % are the same, 18 % share two letters, 73 % fewer; in right
# texts with a quarter of their characters wrong and more 68, 17 and 15 %: points are -1, 0, 1. Another text is what has
# 5 or more, and a tenth of the text's letters, and more by the mean cost of the rest: noise invents words in a row too.
LEAST_POINTS, LEAST_SHARE = 5, 0.1

Costs = NDArray[np.float32]
Step = tuple[int | None, int | None]  # which character of the given text stands against which that was heard


class Edit(NamedTuple):
    """Words that differ, in one place: not heard (`heard` is empty), not in the text (`given` is empty), or others."""

    place: str  # start, inside, end; whole where nothing agrees
    given: str
    heard: str


@dataclass(frozen=True)
class Comparison:
    """A given text against what was heard. Shares are of characters, spaces aside."""

    edits: tuple[Edit, ...]
    unheard: float  # of the given text: in words without any sound, or in a stretch of another text
    extra: float  # of what was heard: in words beyond those of the text, or against such a stretch
    wrong_words: int  # given words that were not heard, or heard as others


class _Text:
    """The words of a text that have anything to compare, and its characters with the word of each."""

    def __init__(self, text: str) -> None:
        pairs = [(word, letters) for word in text.split() if (letters := comparable(word))]
        self.words = [word for word, _ in pairs]
        self.sizes = [len(letters) for _, letters in pairs]
        self.letters = "".join(letters for _, letters in pairs)
        self.word_of = [i for i, size in enumerate(self.sizes) for _ in range(size)]


def compare(given: str, heard: str) -> Comparison:
    """Which words of `given` were not heard, and which of `heard` are not in it; write numbers out in both before."""
    text, sound = _Text(given), _Text(heard)
    if len(text.letters) * len(sound.letters) > MOST_CELLS:
        return _incomparable(text, sound)
    costs = _costs(text.letters, sound.letters)
    pairs = _pairs(costs)
    same = [i is not None and j is not None and bool(costs[i, j] < SAME) for i, j in pairs]
    good_given = _good(text, [i for (i, _), agrees in zip(pairs, same, strict=True) if agrees and i is not None])
    good_heard = _good(sound, [j for (_, j), agrees in zip(pairs, same, strict=True) if agrees and j is not None])
    other_given, other_heard = _unrelated(text, sound, pairs, costs)
    good_given = [good and not other for good, other in zip(good_given, other_given, strict=True)]
    good_heard = [good and not other for good, other in zip(good_heard, other_heard, strict=True)]
    edits, unheard, extra, wrong = [], 0, 0, 0
    for place, steps in _stretches(text, sound, pairs, same, good_given, good_heard):
        missing = _bad(text, [i for i, _ in steps], good_given)
        added = _bad(sound, [j for _, j in steps], good_heard)
        if missing or added:
            edits.append(Edit(place, _said(text, missing), _said(sound, added)))
            replaced, instead = _letters(text, missing, other_given), _letters(sound, added, other_heard)
            length = _letters(text, missing) - replaced - _letters(sound, added) + instead
            unheard, extra = unheard + replaced + max(0, length), extra + instead + max(0, -length)
            wrong += len(missing)
        elif place != "inside" and (piece := _piece(text, sound, steps)):
            edits.append(Edit(place, *piece))
    return Comparison(
        tuple(edits), unheard / max(FEWEST, len(text.letters)), extra / max(FEWEST, len(sound.letters)), wrong
    )


def _incomparable(text: _Text, sound: _Text) -> Comparison:
    """Of texts too long for a table: nothing agrees, and the difference in length is missing or too much."""
    given, heard = len(text.letters), len(sound.letters)
    edit = Edit("whole", " ".join(text.words), " ".join(sound.words))
    return Comparison((edit,), max(0, given - heard) / given, max(0, heard - given) / heard, len(text.words))


def _piece(text: _Text, sound: _Text, steps: Sequence[Step]) -> tuple[str, str] | None:
    """Letters at an edge that one side alone has, of a word that else agrees: 한 of 한잔의 where 잔 의 is given."""
    if steps and all(i is None for i, _ in steps):
        return "", "".join(sound.letters[j] for _, j in steps if j is not None)
    if steps and all(j is None for _, j in steps):
        return "".join(text.letters[i] for i, _ in steps if i is not None), ""
    return None


def _good(text: _Text, agreeing: Sequence[int]) -> list[bool]:
    """Per word, whether half of its characters or more agree with what stands against them."""
    counts = Counter(text.word_of[i] for i in agreeing)
    return [2 * counts[word] >= size for word, size in enumerate(text.sizes)]


def _unrelated(text: _Text, sound: _Text, pairs: Sequence[Step], costs: Costs) -> tuple[list[bool], list[bool]]:
    """Per word of both, whether it lies in a stretch where the two are as unlike as unrelated Korean sentences."""
    points = [_points(text, sound, costs, step) for step in pairs]
    stretches = list(_heaviest(points, LEAST_POINTS))
    inside = {at for begin, end in stretches for at in range(begin, end)}
    rest = [costs[i, j] for at, (i, j) in enumerate(pairs) if at not in inside and i is not None and j is not None]
    least = (LEAST_SHARE + (float(np.mean(rest)) if rest else 0.0)) * len(text.letters)
    steps = [pairs[at] for begin, end in stretches if sum(points[begin:end]) >= least for at in range(begin, end)]
    return _good(text, [i for i, _ in steps if i is not None]), _good(sound, [j for _, j in steps if j is not None])


def _points(text: _Text, sound: _Text, costs: Costs, step: Step) -> int:
    """What a step says for another text; nothing where it is a gap, or the script is not Korean."""
    i, j = step
    if i is None or j is None or not (hangul.is_syllable(text.letters[i]) and hangul.is_syllable(sound.letters[j])):
        return 0
    return min(1, round(3 * float(costs[i, j])) - 1)


def _heaviest(points: Sequence[int], least: int) -> Iterator[tuple[int, int]]:
    """Stretches with the largest sums, each of `least` or more, half-open, in order."""
    at = begin = end = 0
    total = best = 0.0
    while at <= len(points):
        total += points[at] if at < len(points) else -math.inf
        at += 1
        if total > best:
            best, end = total, at
        elif total <= 0:
            if best >= least:
                yield begin, end
                at = end  # another may begin before the sum was used up
            begin, total, best = at, 0.0, 0.0


def _stretches(
    text: _Text,
    sound: _Text,
    pairs: Sequence[Step],
    same: Sequence[bool],
    good_given: list[bool],
    good_heard: list[bool],
) -> Iterator[tuple[str, list[Step]]]:
    """The steps between words that agree, each stretch with its place."""
    stretch: list[Step] = []
    seen = False
    for (i, j), agrees in zip(pairs, same, strict=True):
        anchor = (
            agrees and i is not None and j is not None and good_given[text.word_of[i]] and good_heard[sound.word_of[j]]
        )
        if anchor:
            yield ("inside" if seen else "start"), stretch
            stretch, seen = [], True
        else:
            stretch.append((i, j))
    yield ("end" if seen else "whole"), stretch


def _bad(text: _Text, letters: Sequence[int | None], good: list[bool]) -> list[int]:
    """The words of these characters that do not agree, each once, in order."""
    words = dict.fromkeys(text.word_of[i] for i in letters if i is not None)
    return [word for word in words if not good[word]]


def _letters(text: _Text, words: Sequence[int], among: Sequence[bool] | None = None) -> int:
    """How many characters these words have, all or those among others."""
    return sum(text.sizes[word] for word in words if among is None or among[word])


def _said(text: _Text, words: Sequence[int]) -> str:
    return " ".join(text.words[word] for word in words)


# ---- the alignment


def _costs(given: str, heard: str) -> Costs:
    """What it costs to hear each character as each other, (given, heard): 0 the same, 1 nothing in common."""
    first, second = _parts(given), _parts(heard)
    shared = (first[:, None, :] == second[None, :, :]).mean(axis=2, dtype=np.float32)
    return np.asarray(1 - shared, dtype=np.float32)


def _parts(text: str) -> NDArray[np.int32]:
    """Initial, vowel and final of each syllable as numbers, (characters, 3); else three times the character."""
    parts = [
        (hangul.initial(each), hangul.vowel(each), hangul.final(each) or "-")
        if hangul.is_syllable(each)
        else (each,) * 3
        for each in text
    ]
    # the place counts, so that an initial is never a final
    numbers = [[ord(part[0]) * 4 + place for place, part in enumerate(each)] for each in parts]
    return np.array(numbers, dtype=np.int32).reshape(-1, 3)


def _pairs(costs: Costs) -> list[Step]:
    """The cheapest alignment: every character of both once, in order, None where it stands against nothing.

    Three tables as in Gotoh (1982): a pair, a gap in what was heard, a gap in the given text. Filled along the
    antidiagonals, on which no cell needs another, so that numpy does a whole one at once.
    """
    rows, columns = costs.shape
    tables = np.full((3, rows + 1, columns + 1), np.inf, dtype=np.float32)
    tables[0, 0, 0] = 0
    came = np.zeros((3, rows + 1, columns + 1), dtype=np.int8)
    for diagonal in range(1, rows + columns + 1):
        i = np.arange(max(0, diagonal - columns), min(rows, diagonal) + 1)
        j = diagonal - i
        at = (i > 0) & (j > 0)
        _fill(tables, came, 0, i[at], j[at], costs[i[at] - 1, j[at] - 1], np.float32(0))
        for table, at, edge in ((1, i > 0, (j == 0) | (j == columns)), (2, j > 0, (i == 0) | (i == rows))):
            opening = np.where(edge[at], EDGE_OPEN, GAP_OPEN).astype(np.float32)
            _fill(tables, came, table, i[at], j[at], GAP_LONGER, opening)
    return _traced(tables, came, rows, columns)


def _fill(
    tables: Costs,
    came: NDArray[np.int8],
    table: int,
    i: NDArray[np.int64],
    j: NDArray[np.int64],
    cost: Costs | float,
    opening: Costs | np.float32,
) -> None:
    """Cells (i, j) of one table, each from the cheapest of three; `opening` is paid where no gap is open."""
    before = tables[:, i - (table != 2), j - (table != 1)]
    before[np.arange(3) != table] += opening
    best = before.argmin(axis=0)
    came[table, i, j] = best
    tables[table, i, j] = before[best, np.arange(len(i))] + cost


def _traced(tables: Costs, came: NDArray[np.int8], rows: int, columns: int) -> list[Step]:
    i, j, table = rows, columns, int(tables[:, rows, columns].argmin())
    steps: list[Step] = []
    while i or j:
        before = int(came[table, i, j])
        i, j = i - (table != 2), j - (table != 1)
        steps.append((None if table == 2 else i, None if table == 1 else j))
        table = before
    return steps[::-1]
