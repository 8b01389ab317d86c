"""What is evaluated on: the held-out clips of a corpus, and the sentences that are spoken."""

import csv
import hashlib
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from curate.errors import UserError
from curate.text import LANGUAGES, normalise
from train.data import corpus
from train.data.corpus import Reading, TrainingClip
from train.evaluate import speaker
from train.evaluate.folder import NAME, Sentence

SPLITS = ("test", "validation")  # the first that every language has clips in
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class HeldOut:
    """The clips of a split, and what is said of the choice."""

    split: str
    clips: list[TrainingClip]
    reading: dict[str, Reading]
    notes: list[str]


def read(folder: Path, split: str | None) -> HeldOut:
    """The held-out clips of a corpus, of the first of SPLITS that every language has clips in unless one is named.

    Raises UserError where a language has none.
    """
    clips = corpus.read(folder)
    languages, reading = corpus.languages(clips), corpus.readings(clips)
    for name in [split] if split else SPLITS:
        own = corpus.of(clips, name)
        lacking = [each for each in languages if each not in corpus.languages(own)]
        if not lacking:
            return HeldOut(name, own, reading, _notes(name, split))
        if split:
            there = ", ".join(sorted({clip.split for clip in clips}))
            raise UserError(
                f"no clips of {' or '.join(lacking)} in the split {split} of {folder} (its splits: {there}): name "
                "another --split, or change [split] in the recipe and curate again"
            )
    raise UserError(
        f"no held-out clips of {' or '.join(lacking)} in {folder}, in {' or '.join(SPLITS)}: change [split] in the "
        "recipe and curate again"
    )


def _notes(name: str, asked: str | None) -> list[str]:
    if asked or name == SPLITS[0]:
        return []
    return [
        f"judged on the split {name}, for not every language has clips in {SPLITS[0]}: a choice on it is optimistic"
    ]


def sentence_of(clip: TrainingClip, reading: Reading) -> Sentence:
    """What a clip says, as a sentence with its recording."""
    written = clip.text.removeprefix(reading.tag)
    spoken = clip.spoken if clip.spoken is not None else written
    pronounced = clip.pronounced or (written if reading.form == "pronounced" else None)
    return Sentence(clip.id, clip.language, " ".join(spoken.split()), clip.path, clip.person, pronounced)


def chosen(held: HeldOut, most: int) -> list[Sentence]:
    """Up to `most` sentences of each language, by the hash of their ids: by chance, but the same every time."""
    found: list[Sentence] = []
    for language in corpus.languages(held.clips):
        own = [clip for clip in held.clips if clip.language == language]
        first = sorted(own, key=lambda clip: hashlib.sha256(clip.id.encode()).hexdigest())[:most]
        sentences = [sentence_of(clip, held.reading[language]) for clip in sorted(first, key=lambda clip: clip.id)]
        _check_ids(sentences, "the corpus")
        found += sentences
    return found


def from_table(path: Path, reading: Mapping[str, Reading]) -> list[Sentence]:
    """Sentences of one's own: a TSV with a first line naming id, language, text, and perhaps recording, beside it.

    Raises UserError where a line cannot be spoken.
    """
    sentences = []
    for number, row in _rows(path):
        language, text = row["language"].strip(), normalise(row["text"], _known(row, path, number))
        if not any(letter.isalnum() for letter in text):
            raise UserError(f"{path}, line {number}: no text to be said in {row['text']!r}")
        form = reading[language].form if language in reading else "spoken"
        pronounced = normalise(row["text"], language, "pronounced") if form == "pronounced" else None
        recording = path.parent / row["recording"] if row.get("recording") else None
        if recording and not recording.is_file():
            raise UserError(f"{path}, line {number}: there is no recording {recording}")
        sentences.append(Sentence(row["id"].strip(), language, text, recording, "", pronounced))
    if not sentences:
        raise UserError(f"{path} holds no sentences")
    _check_ids(sentences, str(path))
    return sorted(sentences, key=lambda each: (each.language, each.id))


def _rows(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    try:
        lines = path.read_text(encoding="utf-8-sig").split("\n")  # U+2028 in a text ends no line
    except (OSError, UnicodeDecodeError) as problem:
        raise UserError(f"{path} cannot be read as UTF-8 text ({problem}): give a TSV of sentences") from problem
    table = csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)
    if lacking := [name for name in ("id", "language", "text") if name not in (table.fieldnames or ())]:
        raise UserError(f"{path} has no column {lacking[0]}: its first line is id, language, text, with tabs between")
    for number, row in enumerate(table, start=2):
        if None in row or any(row[name] is None for name in ("id", "language", "text")):
            raise UserError(f"{path}, line {number}: not as many fields as the first line names")
        yield number, row


def _known(row: Mapping[str, str], path: Path, number: int) -> str:
    if (language := row["language"].strip()) not in LANGUAGES:
        raise UserError(f"{path}, line {number}: no language {language!r}; there are {', '.join(LANGUAGES)}")
    return language


def _check_ids(sentences: Sequence[Sentence], where: str) -> None:
    seen: set[str] = set()
    for each in sentences:
        if not NAME.fullmatch(each.id):
            raise UserError(f"the id {each.id!r} in {where} cannot name a file: use letters, digits, . _ -")
        if each.id.lower() in seen:  # some disks take A and a for one name
            raise UserError(f"the id {each.id} in {where} is there twice: give each sentence its own")
        seen.add(each.id.lower())


def said_in_training(sentences: Sequence[Sentence], folder: Path, reading: Mapping[str, Reading]) -> list[str]:
    """A note where sentences were trained on: what is known by heart is no test."""
    trained = {
        (clip.language, sentence_of(clip, reading[clip.language]).text)
        for clip in corpus.of(corpus.read(folder, quiet=True), "train")
    }
    same = [each.id for each in sentences if (each.language, each.text) in trained]
    if not same:
        return []
    return [
        f"{len(same)} of {len(sentences)} sentences stand in the training split, too, such as {same[0]}: no fair test"
    ]


def speakers(held: HeldOut) -> dict[tuple[str, str], list[tuple[str, Path]]]:
    """(language, speaker) -> up to speaker.CLIPS held-out clips with their files, by the hash of their ids."""
    found: dict[tuple[str, str], list[tuple[str, Path]]] = {}
    for clip in sorted(held.clips, key=lambda clip: hashlib.sha256(clip.id.encode()).hexdigest()):
        own = found.setdefault((clip.language, clip.person), [])
        if len(own) < speaker.CLIPS:
            own.append((clip.id, clip.path))
    return dict(sorted(found.items()))
