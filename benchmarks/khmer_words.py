"""How well Khmer words are found and pronounced, against Google's language resources; nothing of them is shipped.

The reference is the folder `km/data` of a clone of github.com/google/language-resources: `prompts.tsv`, the prompts of
OpenSLR 42 with spaces between words, and `lexicon.tsv` (CC BY 4.0), 62,000 Khmer words with phonemes.

    python benchmarks/khmer_words.py --reference language-resources/km/data
"""

import argparse
import hashlib
import re
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from curate.text import normalise
from curate.text.khmer.pronunciation import phonemes_of
from curate.text.khmer.segmentation import words
from curate.text.rules import WORDS, Options

UNSEEN = 3000  # words of the reference that khmerphonemizer's own lexicon lacks, chosen by hash
VOWEL = "aeiouəɛɔɑɨĕŏ"
# Google's phones in khmerphonemizer's letters
GOOGLE = {
    "aa": "aː", "ii": "iː", "oo": "oː", "ee": "eː", "ɑɑ": "ɑː", "əə": "əː", "uu": "uː", "ɛɛ": "ɛː", "ɔɔ": "ɔː",
    "ɨɨ": "ɨː", "ie": "i ə", "iə": "i ə", "ea": "ĕ ə", "oa": "ŏ ə", "uə": "u ə", "ɨə": "ɨ ə", "ɛə": "ɛ ə", "ao": "a o",
    "ae": "a e", "aə": "a ə", "th": "tʰ", "ph": "pʰ", "kh": "kʰ", "ch": "cʰ", "g": "ɡ", ".": "",
}  # fmt: skip


# ---- words


def prompts(reference: Path) -> list[list[str]]:
    """The words of every prompt, in canonical order."""
    rows = (line.split("\t")[1] for line in (reference / "prompts.tsv").read_text(encoding="utf-8").splitlines())
    return [normalise(row, "km", "canonical").split() for row in rows]


def spans(cut: Iterable[str]) -> set[tuple[int, int]]:
    """Where each word begins and ends in the text without spaces."""
    places, start = set(), 0
    for word in cut:
        places.add((start, start + len(word)))
        start += len(word)
    return places


def f1(pairs: Sequence[tuple[set[tuple[int, int]], set[tuple[int, int]]]]) -> float:
    """Per cent; the harmonic mean of precision and recall over all prompts."""
    right = sum(len(asked & given) for asked, given in pairs)
    return 200 * right / sum(len(asked) + len(given) for asked, given in pairs)


def inner(places: set[tuple[int, int]]) -> set[tuple[int, int]]:
    """The boundaries inside a prompt; its ends are no achievement."""
    last = max(end for _, end in places)
    return {(end, end) for _, end in places if end != last}


def words_of(reference: Path) -> None:
    """Boundary and word F1 of each model, on the prompts without their spaces."""
    asked = prompts(reference)
    for model in WORDS:
        options = Options(words=model)
        words("ក", options)  # loads it
        started = time.perf_counter()
        cut = [words("".join(each), options) for each in asked]
        seconds = time.perf_counter() - started
        altered = sum("".join(one) != "".join(other) for one, other in zip(asked, cut, strict=True))
        pairs = [(spans(one), spans(other)) for one, other in zip(asked, cut, strict=True)]
        bounds = f1([(inner(one), inner(other)) for one, other in pairs])
        speed = sum(len("".join(each)) for each in asked) / seconds
        print(
            f"{model:<12} {len(asked)} prompts: boundary F1 {bounds:.1f}, word F1 {f1(pairs):.1f}, "
            f"altered {altered}, {speed:,.0f} characters/s"
        )


# ---- phonemes


def lexicon(reference: Path) -> dict[str, list[list[str]]]:
    """Every pronunciation of every Khmer word, in khmerphonemizer's letters."""
    readings: dict[str, list[list[str]]] = {}
    for line in (reference / "lexicon.tsv").read_text(encoding="utf-8").splitlines():
        word, phones, *_ = [*line.split("\t"), ""]
        if re.fullmatch("[\u1780-\u17d3\u17dd]+", word) and phones.strip():
            mapped = " ".join(GOOGLE.get(phone, phone) for phone in phones.split())
            readings.setdefault(word, []).append(comparable(mapped.split()))
    return readings


def comparable(phones: Iterable[str]) -> list[str]:
    """Phonemes without what the two sources write differently and nobody hears as another sound.

    Google has no ʋ, ŭə, ou and ei; it writes a glottal stop after every short open vowel, k where a stop ends a
    syllable after a, and no aspiration inside clusters.
    """
    sounds = f" {' '.join(phones)} "
    for ours, theirs in (("ʋ", "w"), (" o u ", " oː "), (" e i ", " eː "), (" e j ", " ɨ j ")):
        sounds = sounds.replace(ours, theirs)
    sounds = re.sub(rf"ʰ (?=[^{VOWEL}ŭ])", " ", sounds)
    sounds = re.sub(rf"(?<=[aɑəː]) k (?![{VOWEL}ŭrlwjnmɲsh])", " ʔ ", sounds)
    sounds = re.sub(r" ŭ ə (?=[ʔhk])", " u ə ", sounds).replace(" ŭ ə ", " u ")
    return re.sub(rf"(?<= [ieou]) ʔ (?![{VOWEL}])", " ", sounds).split()


def distance(one: Sequence[str], other: Sequence[str]) -> int:
    """Edits between two pronunciations."""
    row = list(range(len(other) + 1))
    for i, left in enumerate(one, 1):
        before, row = row, [i]
        for j, right in enumerate(other, 1):
            row.append(min(before[j] + 1, row[-1] + 1, before[j - 1] + (left != right)))
    return row[-1]


def errors(asked: dict[str, list[list[str]]], chosen: Sequence[str], say: Callable[[str], Iterable[str]]) -> str:
    """Phoneme error rate, and the share of words without an error, against the nearest reading."""
    wrong = length = right = 0
    for word in chosen:
        phones = comparable(say(word))
        edits, reading = min((distance(each, phones), len(each)) for each in asked[word])
        wrong, length, right = wrong + edits, length + reading, right + (edits == 0)
    share = 100 * right / len(chosen)
    return f"{len(chosen)} words: phoneme error {100 * wrong / length:.1f} %, without error {share:.1f} %"


def phonemes_against(reference: Path) -> None:
    """Error on words that khmerphonemizer looks up, where two dictionaries differ, and on words it must work out."""
    from khmerphonemizer import _lexicon_dict as own

    asked = lexicon(reference)
    unseen = sorted(set(asked) - set(own), key=lambda word: hashlib.sha256(word.encode()).hexdigest())[:UNSEEN]
    print("in its lexicon   ", errors(asked, sorted(set(asked) & set(own)), phonemes_of))
    print("not in its lexicon", errors(asked, unseen, phonemes_of))


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--reference", type=Path, required=True, metavar="FOLDER", help="language-resources/km/data")
    reference = parser.parse_args().reference
    words_of(reference)
    phonemes_against(reference)


if __name__ == "__main__":
    main()
