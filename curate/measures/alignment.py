"""How alike two prints are once they lie beside each other, and whether they are the same sound all through.

A copy may have noise, a room, and pauses that somebody edited; a clip in which one word is another one is no copy. An
edited pause leaves sound that nothing explains in no clip, or quiet sound in one; another word leaves it in both.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from curate.measures.equal_frames import NOTHING, Print
from curate.measures.spectra import Samples

Levels = NDArray[np.uint8]
Places = NDArray[np.int64]

BITS = 32
LEAST = 40  # frames (0.8 s): shorter prints agree by chance
OVERLAP = 0.5  # of the frames of the shorter print: how much two clips must share
FLOOR = 0.3  # other speech stays below, so any sensible threshold can be decided
STEPS = 16  # levels that are told apart
# Softer than the loud frames of its clip by this many levels (20 dB), and as soft as its softest tenth: a pause. Where
# one clip is that soft, and the other by so many levels (10 dB) louder, a sound was muted or an edit is near.
QUIET, PAUSES, MUTED = 10, 0.9, 5
STRETCH, QUIET_STRETCH = 25, 60  # frames (0.5 and 1.2 s) of both: how short a part is looked at by itself
# A stretch under this is not the same sound: copies have 0.20 and more at 10 dB SNR, other speech at most 0.05.
UNLIKE = 0.15
WORD = 10  # frames (0.2 s): another word is shorter than a stretch
# Another word agrees by less than this where everything else agrees, and by SLOPE less for what frames as loud lack: in
# copies with noise at 10 dB they agree by 0.6 to 0.8, and 0.2 s by 0.5 less. WEAKER is enough where one clip is sure.
OTHER_WORD, SLOPE, WEAKER = 0.35, 0.85, 0.1
LOUD = 6  # levels (12 dB): a word that is in one of the clips only is louder, a pause in noise is softer
MOVED = 0.75  # of what agrees elsewhere: 0.2 s that are so alike at another place were moved there by an edit
EDITS = 4  # pauses that were edited
SWITCH = 3.0  # frames' worth of agreement that a way from one offset to another must gain
BESIDE = 6  # frames that hear some of the sound beside them
RUNS = 4  # the least alike places are looked at
LONGEST = 2**30  # frames: more than any clip has


class Side(NamedTuple):
    """The frames of a print, and how far each lies under its loud ones, in levels."""

    numbers: Print
    levels: Levels


class Alignment(NamedTuple):
    """Two prints where they are most alike: frame i + offset and frame i; the bits of the second are `shift` higher."""

    first: Side
    second: Side
    shift: int
    offset: int


class Judged(NamedTuple):
    """How much of what two prints share agrees, edited pauses aside; how alike the clips are; and for each frame of the
    second print, which of the first is the same sound."""

    explained: float
    alike: float
    path: Places


def likeness(first: Print, second: Print, shift: int = 0, least: float | None = None) -> tuple[float, int]:
    """The likeness of two prints at their best offset, with the bits of the second `shift` bands higher; the offset.

    `least` is how many frames they must share.
    """
    import scipy.fft  # slow to import

    size = scipy.fft.next_fast_len(len(first) + len(second), real=True)
    signs, frames = _correlated(_signs(first, max(0, -shift), shift), _signs(second, max(0, shift), -shift), size)
    if least is None:
        least = max(LEAST, OVERLAP * min(np.count_nonzero(first), np.count_nonzero(second)))
    enough = np.rint(frames) >= least
    alike = np.divide(signs, frames * (BITS - abs(shift)), out=np.zeros_like(signs), where=enough)
    best = int(alike.argmax())
    return float(alike[best]), best if best < len(first) else best - size


def all_through(best: float, at: Alignment) -> Judged:
    """How alike two aligned prints are: `best`, their likeness, or that of their least alike stretch if it is another.

    After a pause that was shortened or lengthened the rest lies at another offset, so what is unlike is looked for in
    the other clip. What is still unlike then is another sound if it is half a second; a shorter one is another word if
    both clips have one, or if one has it and it is loud.
    """
    if best < FLOOR:
        return Judged(best, best, np.arange(len(at.second.numbers)) + at.offset)
    pair = Pair(at)
    offsets = [at.offset]
    while True:
        words = []
        for here in (1, 0) if len(offsets) > 1 else (1,):
            seen = _way([pair.seen(here, each) for each in offsets])
            if here:
                path = seen.beside
                explained = max(best, _mean(seen.agree, best)) if len(offsets) > 1 else best
            stretch = _unlike(seen, seen.agree, STRETCH) or _unlike(seen, seen.every, QUIET_STRETCH)
            part = stretch or _word(seen)
            if part is None:
                continue
            if not part.sure:
                words.append(part)
                continue
            offset = pair.place(here, part.frames)
            if len(offsets) <= EDITS and offset not in offsets and _moved(seen, pair.seen(here, offset), part.frames):
                offsets.append(offset)
                break
            if stretch or len(offsets) == 1:
                return Judged(explained, part.likeness, path)
            words.append(part)
        else:
            sure = [word for word in words if word.sure]
            if sure and (len(words) == 2 or _alone(sure[0])):
                return Judged(explained, sure[0].likeness, path)
            return Judged(explained, explained, path)


class _Seen(NamedTuple):
    """Each frame of a print beside one of another: how much their bits agree, -1 to 1, NaN where either says nothing,
    and the same without the quiet ones; the level of the softer; and which frame of the other it is."""

    every: Samples
    agree: Samples
    levels: Levels
    beside: Places


class _Part(NamedTuple):
    """Frames that are another sound in the other print, how many of them say something, how alike their least alike
    stretch is, and its mean level."""

    frames: slice
    told: int
    likeness: float
    level: float
    sure: bool = True


class Pair:
    """Two prints, 0 and 1: the bits that both have, the frames that say something, those that are no pause."""

    def __init__(self, at: Alignment) -> None:
        self.sides, self.shift, self.bits = at[:2], at.shift, BITS - abs(at.shift)
        kept = np.uint32(2**self.bits - 1)
        lowest = np.maximum(0, (-at.shift, at.shift)).astype(np.uint32)
        self.numbers = [side.numbers >> low & kept for side, low in zip(self.sides, lowest, strict=True)]
        self.told = [side.numbers != NOTHING for side in self.sides]
        self.heard = [side.levels <= _softest(side.levels) for side in self.sides]

    def seen(self, here: int, offset: int) -> _Seen:
        """The frames of one print beside those of the other."""
        offset = offset if here else -offset
        there, count = 1 - here, len(self.numbers[here])
        start, end = max(0, -offset), min(count, len(self.numbers[there]) - offset)
        every, agree, levels = np.full(count, np.nan), np.full(count, np.nan), self.sides[here].levels.copy()
        if start < end:
            ours, theirs = slice(start, end), slice(start + offset, end + offset)
            differ = np.bitwise_count(self.numbers[here][ours] ^ self.numbers[there][theirs])
            told = self.told[here][ours] & self.told[there][theirs]
            every[ours] = np.where(told, 1 - 2 / self.bits * differ, np.nan)
            one, other = levels[ours], self.sides[there].levels[theirs]
            softer, louder = np.maximum(one, other), np.minimum(one, other)
            muted = (softer > QUIET) & (softer - louder >= MUTED)
            heard = self.heard[here][ours] & self.heard[there][theirs] & ~muted
            agree[ours], levels[ours] = np.where(heard, every[ours], np.nan), softer
        return _Seen(every, agree, levels, np.arange(offset, offset + count))

    def place(self, here: int, frames: slice) -> int:
        """The offset at which a part of one print is most like the other."""
        part, other = self.sides[here].numbers[frames], self.sides[1 - here].numbers
        least = max(1, OVERLAP * np.count_nonzero(part))
        _, offset = likeness(other, part, self.shift if here else -self.shift, least)
        return int(offset - frames.start if here else frames.start - offset)


def _softest(levels: Levels) -> int:
    """The level down to which a print says what was spoken: a little over its softest tenth, a pause or its noise."""
    return max(QUIET, tenth(levels) - 1)


def tenth(levels: Levels) -> int:
    """The level of the loudest of the softest tenth."""
    return int(np.sort(levels)[int(PAUSES * (len(levels) - 1))])


def _way(seen: list[_Seen]) -> _Seen:
    """The best way through what is seen at each offset: few changes from one to another, and all in all most agrees."""
    if len(seen) == 1:
        return seen[0]
    agree = np.array([each.agree for each in seen])
    count, frames = agree.shape
    alone = np.concatenate([np.zeros((count, 1)), np.nan_to_num(agree).cumsum(axis=1)], axis=1)
    reached, before = [alone], []  # for each number of changes: what agrees up to a frame; where a change came from
    for _ in range(count):
        gain = reached[-1].max(axis=0) - SWITCH - alone
        best = np.maximum.accumulate(gain, axis=1)
        when = np.maximum.accumulate(np.where(gain == best, np.arange(frames + 1), 0), axis=1)
        before.append((when, reached[-1].argmax(axis=0)))
        reached.append(alone + best)
    changes, which = divmod(int(np.argmax([each[:, -1] for each in reached])), count)
    way, end = np.empty(frames, np.int64), frames
    for when, source in reversed(before[:changes]):
        start = int(when[which, end])
        way[start:end] = which
        which, end = int(source[start]), start
    way[:end] = which
    return _Seen(*(np.array(each)[way, np.arange(frames)] for each in zip(*seen, strict=True)))


def _alone(word: _Part) -> bool:
    """Whether a word that is in one of the clips only is one: it is loud, and more than what an edit blurs."""
    return word.level <= LOUD and word.told >= WORD + 2 * BESIDE


def _moved(here: _Seen, there: _Seen, part: slice) -> bool:
    """Whether 0.2 s of a part are about as alike at another offset as the rest is where it was, in the same order."""
    told = part.start + np.flatnonzero(~np.isnan(there.every[part]))
    alike = means(there.every[told], WORD) >= MOVED * _mean(np.delete(here.agree, part), 1.0)
    fits = here.agree >= MOVED
    after_this = here.beside[: part.start][fits[: part.start]].max(initial=-LONGEST) - WORD
    before_this = here.beside[part.stop :][fits[part.stop :]].min(initial=LONGEST) + WORD
    starts, ends = there.beside[told[: len(alike)]], there.beside[told[WORD - 1 :]]
    return bool(np.any(alike & (starts >= after_this) & (ends <= before_this)))


def _unlike(seen: _Seen, agree: Samples, frames: int) -> _Part | None:
    """The least alike stretch of so many frames, with all beside it that is another sound; None where none is."""
    told = np.flatnonzero(~np.isnan(agree))
    stretches = means(agree[told], frames)
    parts = _below(stretches, UNLIKE)
    return _part(seen, told, frames, stretches, *parts[0]) if parts else None


def _word(seen: _Seen) -> _Part | None:
    """A word that is another one: 0.2 s that are least explained by noise, if they are sure or nearly; None without.

    How much noise explains is known from the frames of these two clips that are as loud.
    """
    told = np.flatnonzero(~np.isnan(seen.agree))
    agree, levels = seen.agree[told], seen.levels[told]
    stretches = means(agree, WORD)
    found = []
    for begin, stop in _below(stretches, OTHER_WORD + WEAKER)[:RUNS]:
        rest = np.concatenate([np.arange(max(0, begin - BESIDE)), np.arange(stop + WORD + BESIDE, len(told))])
        if len(rest) < WORD:
            continue
        part = _part(seen, told, WORD, stretches, begin, stop)
        least = begin + int(stretches[begin:stop].argmin())
        usual = float(by_level(agree[rest], levels[rest])[levels[least : least + WORD]].mean())
        found.append((part.likeness - OTHER_WORD + SLOPE * (1 - usual), part))
    over, word = min(found, default=(WEAKER, None), key=lambda each: each[0])
    return word._replace(sure=over < 0) if word and over < WEAKER else None


def by_level(agree: Samples, levels: Levels) -> Samples:
    """(STEPS,): how much frames of each level and of those beside it agree, drawn a little to the mean of all."""
    many, total = np.bincount(levels, minlength=STEPS), np.bincount(levels, agree, minlength=STEPS)
    near = [np.convolve(each, np.ones(3), "same") + each.sum() / len(agree) for each in (many, total)]
    return np.asarray(near[1] / near[0])


def _below(stretches: Samples, bound: float) -> list[tuple[int, int]]:
    """Where stretches lie below a bound: begin and stop of each run, the one with the lowest first."""
    if not len(stretches) or stretches.min() >= bound:
        return []
    edges = np.diff(np.concatenate([[0], stretches < bound, [0]]))
    runs = zip(np.flatnonzero(edges > 0).tolist(), np.flatnonzero(edges < 0).tolist(), strict=True)
    return sorted(runs, key=lambda run: float(stretches[run[0] : run[1]].min()))


def _part(seen: _Seen, told: Places, frames: int, stretches: Samples, begin: int, stop: int) -> _Part:
    """The frames of a run of stretches."""
    least = begin + int(stretches[begin:stop].argmin())
    level = float(seen.levels[told[least : least + frames]].mean())
    part = told[begin : stop + frames - 1]
    return _Part(slice(int(part[0]), int(part[-1]) + 1), len(part), float(stretches[least]), level)


def _mean(agree: Samples, otherwise: float) -> float:
    """The mean of the frames that say something."""
    told = agree[~np.isnan(agree)]
    return float(told.mean()) if len(told) else otherwise


def means(values: Samples, count: int) -> Samples:
    """The mean of each run of so many values."""
    if len(values) < max(1, count):
        return values[:0]
    return np.convolve(values, np.full(count, 1 / count), "valid")


def _signs(numbers: Print, low: int = 0, top: int = 0) -> Samples:
    """(bits + 1, frames): each bit as +1 or -1, 0 in frames left out; the last row is 1 in the others.

    Left out are the `low` lowest bits and, where `top` is more than 0, that many of the highest.
    """
    used = np.arange(low, BITS - max(0, top), dtype=np.uint32)
    bits = (numbers >> used[:, None]) & np.uint32(1)
    kept = (numbers != NOTHING).astype(np.float32)
    return np.concatenate([(2 * bits.astype(np.float32) - 1) * kept, kept[None]])


def _correlated(a: Samples, b: Samples, size: int) -> tuple[Samples, Samples]:
    """Per offset: bits that agree less bits that differ, and the frames both have."""
    import scipy.fft  # slow to import

    product = scipy.fft.rfft(a, size, axis=1) * scipy.fft.rfft(b, size, axis=1).conj()
    both = scipy.fft.irfft(np.stack([product[:-1].sum(axis=0), product[-1]]), size, axis=1)
    return both[0], both[1]
