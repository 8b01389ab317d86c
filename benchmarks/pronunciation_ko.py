"""How right Korean pronunciation is, class by class: what rules gain and what the lexicon gains, apart.

    python benchmarks/pronunciation_ko.py

Sets: the examples of 표준 발음법 that g2pk carries (rules.txt, Apache-2.0), lists of words written blind, what each
knew is said in them (tests/curate/text/korean/pronunciation_*.tsv), and a tenth of our lexicon by hash, which
"lexicon less these" has not seen. A word is right when its preferred reading is a standard one; spaces do
not count. Last, sentences.
"""

import argparse
import csv
import functools
import hashlib
import importlib
import re
import tempfile
import unicodedata
import warnings
import zipfile
from collections import defaultdict
from collections.abc import Callable
from importlib import resources
from pathlib import Path
from typing import Any

from curate.text.korean.lexicon import TABLES, Lexicon, lexicon
from curate.text.korean.pronunciation import Sounds

Row = tuple[str, str, tuple[str, ...]]  # class, text, standard readings
ROOT = Path(__file__).resolve().parents[1]
TESTS = ROOT / "tests/curate/text/korean"
LISTS = ("heldout", "blind", "blind2", "blind3", "inflected")
SENTENCES = TESTS / "pronunciation_sentences.tsv"


def official() -> list[Row]:
    """표준 발음법's examples as g2pk's rules.txt has them, without its cut-off ones (3연대) and three misprints."""
    text = Path(importlib.import_module("g2pk.utils").__file__ or "").with_name("rules.txt").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line.startswith("->")]
    examples = [
        pair for line in lines for pair in re.findall(r"(?<![\d·])\b([가-힣][ 가-힣]*)\[([가-힣][ 가-힣/]*)]", line)
    ]
    misprints = {"밤윳", "연대", "절"} | {word for word, reading in examples if (word, reading) == ("맛없다", "마덥다")}
    return [("official", word, tuple(reading.split("/"))) for word, reading in examples if word not in misprints]


def table(path: Path) -> list[dict[str, str]]:
    """A TSV with comments."""
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    return list(csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))


def held_out(name: str) -> list[Row]:
    """Words written blind."""
    rows = table(TESTS / f"pronunciation_{name}.tsv")
    return [(row["class"], row["word"], tuple(row["readings"].split("|"))) for row in rows]


def tenth() -> list[Row]:
    """A tenth of the words of our hand-made lexicon."""
    lines = (ROOT / "curate/text/korean" / TABLES[-1]).read_text(encoding="utf-8").splitlines()
    cells = [line.split("\t") for line in lines if not line.startswith("#")]
    chosen = [row for row in cells if hashlib.sha256(row[0].encode()).digest()[0] < 26]
    return [(f"lexicon's {row[2]}항", row[0], tuple(row[1].split("|"))) for row in chosen]


@functools.cache
def g2pk() -> Callable[[str], str]:
    """The library as it is, idioms and all."""
    nltk: Any = importlib.import_module("nltk")
    with tempfile.TemporaryDirectory() as folder:  # CMUdict is read once
        archive = Path(folder) / "corpora" / "cmudict.zip"
        archive.parent.mkdir()
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as zipped:
            zipped.writestr("cmudict/cmudict", cmudict())
        nltk.data.path.insert(0, folder)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            made: Callable[[str], str] = importlib.import_module("g2pk").G2p()
        nltk.data.path.remove(folder)
    return made


def cmudict() -> str:
    """CMUdict, which g2pk needs, from the copy in ko-speech-tools, as NLTK reads it: `WORD n phones`, n a variant."""
    source = resources.files("ko_speech_tools").joinpath("data/cmudict/cmudict.dict")
    variants: dict[str, int] = defaultdict(int)
    lines = []
    for line in source.read_text(encoding="utf-8").splitlines():
        word, _, phones = line.split("#")[0].strip().partition(" ")
        if word and phones and not word.startswith(";;;"):
            word = re.sub(r"\(\d+\)$", "", word).upper()
            variants[word] += 1
            lines.append(f"{word} {variants[word]} {phones.strip()}\n")
    return "".join(lines)


def readers(rows: list[Row], sounds: Sounds) -> dict[str, Callable[[str], str]]:
    """Each way of reading by its name, from the library alone to all we have."""
    unseen = frozenset(word for _, word, _ in rows)
    tables: dict[str, tuple[Lexicon, bool]] = {
        "rules of letters": (lexicon(None, ()), False),
        "+ compounds": (lexicon(None, ()), True),
        "+ Sino-Korean words": (lexicon(None, TABLES[:1]), True),
        "+ lexicon less these": (lexicon(None, TABLES, unseen), True),
        "+ lexicon": (lexicon(), True),
    }

    def reader(words: Lexicon, compound: bool) -> Callable[[str], str]:
        return lambda text: " ".join(sounds.words(text, words, compound=compound))

    return {"g2pk": g2pk()} | {name: reader(*table) for name, table in tables.items()}


def shares(rows: list[Row], read: Callable[[str], str]) -> dict[str, float]:
    """Per cent right by class."""
    right: dict[str, list[bool]] = defaultdict(list)
    for name, text, readings in rows:
        right[name].append(read(text).replace(" ", "") in {one.replace(" ", "") for one in readings})
    return {name: 100 * sum(hits) / len(hits) for name, hits in right.items()}


def sentences(read: Callable[[str], str]) -> tuple[float, float, float]:
    """Per cent right of phonemes, words and lines; each word may be as in either reading of its line."""
    phonemes = wrong = lines = 0
    words: list[bool] = []
    for row in table(SENTENCES):
        spoken, readings = read(row["text"]).split(), [one.split() for one in row["readings"].split("|")]
        right = [word in {one[at] for one in readings if at < len(one)} for at, word in enumerate(spoken)]
        phonemes += len(_phonemes(" ".join(readings[0])))
        wrong += min(_distance(_phonemes(" ".join(spoken)), _phonemes(" ".join(one))) for one in readings)
        words += right
        lines += all(right) and len(spoken) == len(readings[0])
    return 100 - 100 * wrong / phonemes, 100 * sum(words) / len(words), 100 * lines / len(table(SENTENCES))


def _phonemes(reading: str) -> str:
    return unicodedata.normalize("NFD", reading.replace(" ", ""))


def _distance(given: str, wanted: str) -> int:
    row = list(range(len(wanted) + 1))
    for at, one in enumerate(given, start=1):
        before, row[0] = row[0], at
        for place, other in enumerate(wanted, start=1):
            before, row[place] = row[place], min(row[place] + 1, row[place - 1] + 1, before + (one != other))
    return row[-1]


def main() -> None:
    """Print a table for each set."""
    argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0]).parse_args()
    sounds = Sounds()
    for rows in (official(), *map(held_out, LISTS), tenth()):
        by_reader = {name: shares(rows, read) for name, read in readers(rows, sounds).items()}
        print("class".ljust(20), "n".rjust(5), *(name.rjust(20) for name in by_reader))
        for name in dict.fromkeys(row[0] for row in rows):
            count = sum(row[0] == name for row in rows)
            print(
                name.ljust(20), str(count).rjust(5), *(f"{share[name]:.1f}".rjust(20) for share in by_reader.values())
            )
        print()
    print("sentences".ljust(26), "phonemes    words    lines")
    for name, read in readers([], sounds).items():
        print(name.ljust(26), "".join(f"{share:8.1f} " for share in sentences(read)))


if __name__ == "__main__":
    main()
