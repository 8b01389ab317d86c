"""The tokenizer of a checkpoint, exactly as its `tokenizer.json` says it, by the library that wrote that file.

transformers 5 reads the same file into `LlamaTokenizerFast`, which puts a Metaspace of its own in place of the file's
normaliser (transformers issues 48206, 44462): after a leading space, and after a special token, other ids come out than
those that VoxCPM2 was trained on. So that class is not asked, neither in training nor in speaking.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from curate.errors import UserError

FILE = "tokenizer.json"
VOCABULARY = 73_448  # of the published VoxCPM2, as its config.json says
KNOWN = {  # what its tokenizer makes of a text, multi-character Chinese pieces split; no mark of the beginning
    "Hello world": (21045, 2809),
    "café": (33903, 60025),
    "你好": (59320, 59496, 59495),
    "한국어 음성 합성을 확인합니다.": (
        59320, 62385, 1323, 1270, 1262, 62793, 59320, 1325, 1246, 1229, 63409, 59320, 63966, 63409, 62274, 59320, 1326,
        1242, 1238, 62946, 63966, 35773, 72,
    ),
}  # fmt: skip


class FileTokenizer:
    """What VoxCPM asks of a tokenizer: its vocabulary, pieces of a text, ids of pieces."""

    def __init__(self, folder: Path) -> None:
        from tokenizers import Tokenizer

        self._file = Tokenizer.from_file(str(folder / FILE))
        self._file.no_truncation()  # a file may ask for either, and inference does neither
        self._file.no_padding()
        self.vocab: dict[str, int] = self._file.get_vocab()
        self._unknown = self.vocab.get(getattr(self._file.model, "unk_token", None) or "<unk>", 0)

    @property
    def byte_ids(self) -> frozenset[int]:
        """Ids that stand for one byte: what a letter without a piece of its own falls back to, two to four of them."""
        return frozenset(self.vocab[name] for byte in range(256) if (name := f"<0x{byte:02X}>") in self.vocab)

    def tokenize(self, text: str, **_: Any) -> list[str]:
        """The pieces of a text; no marks of beginning or end."""
        pieces: list[str] = self._file.encode(text, add_special_tokens=False).tokens
        return pieces

    def convert_tokens_to_ids(self, tokens: Sequence[str]) -> list[int]:
        """The ids of pieces; that of the unknown piece where the vocabulary has none."""
        return [self.vocab.get(token, self._unknown) for token in tokens]


def read(folder: Path) -> FileTokenizer:
    """The tokenizer in a checkpoint's folder. Raises UserError where it cannot be read."""
    try:
        return FileTokenizer(folder)
    except Exception as problem:  # tokenizers raises plain Exceptions
        raise UserError(
            f"the tokenizer in {folder} cannot be read ({problem}): fetch the checkpoint again"
        ) from problem


def check(ids: Callable[[str], Sequence[int]], tokenizer: FileTokenizer, size: int, folder: Path) -> None:
    """Raise UserError where a tokenizer is not that of the model: `ids` makes ids of a text, `size` embeds them.

    Every id must have its row among the model's embeddings. A model with VoxCPM2's vocabulary is held to known ids.
    """
    remedy = "fetch the checkpoint again"
    if (highest := max(tokenizer.vocab.values(), default=0)) >= size:
        raise UserError(f"{folder / FILE} has ids up to {highest}, and its config.json {size} embeddings: {remedy}")
    if size != VOCABULARY:
        return
    for text, known in KNOWN.items():
        if (given := tuple(ids(text))) != known:
            raise UserError(
                f"{folder / FILE} is not VoxCPM2's: {text!r} becomes {_listed(given)}, not {_listed(known)}: {remedy}"
            )


def _listed(ids: Sequence[int]) -> str:
    more = f" and {len(ids) - 6} more" if len(ids) > 6 else ""
    return f"{' '.join(map(str, ids[:6])) or 'nothing'}{more}"
