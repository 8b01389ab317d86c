"""CTC checkpoints on disk: Hugging Face folders (wav2vec2 and its kin, MMS with its adapters), torchaudio's MMS_FA.

Weights are read as safetensors or with `weights_only`.
"""

import hashlib
import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from curate.audio import LISTENING_RATE
from curate.errors import UserError
from curate.models import compute, ctc_spelling
from curate.models.ctc_spelling import NAMES
from curate.models.whisper_files import HUB_ID

TORCHAUDIO_FILE = "model.pt"  # what torchaudio itself calls MMS_FA's weights
WEIGHTS = ("model.safetensors", "model.safetensors.index.json", "pytorch_model.bin", "pytorch_model.bin.index.json")
TEXTS = ("config.json", "preprocessor_config.json", "vocab.json", "tokenizer_config.json")
# networks that take samples and give one row of scores a frame
KINDS = (
    "data2vec-audio",
    "hubert",
    "sew",
    "sew-d",
    "unispeech",
    "unispeech-sat",
    "wav2vec2",
    "wav2vec2-conformer",
    "wavlm",
)
UNUSED = {f"{network}.masked_spec_embed" for network in (*KINDS, "data2vec_audio", "sew_d", "unispeech_sat")}
CODES = {"km": "khm", "ko": "kor"}  # ISO 639-3, as MMS names its languages


@dataclass(frozen=True)
class Checkpoint:
    """What a folder says before any weights are loaded: how a text is spelled, and what its network wants."""

    folder: Path
    kind: str  # huggingface or torchaudio
    vocabulary: Mapping[str, int]
    blank: int
    separator: int | None  # the token between words, where there is one
    spell: Callable[[str], str]
    normalised: bool  # whether the network wants samples of mean 0 and variance 1
    stride: int  # samples between two frames
    adapter: str | None  # the language's own weights, of MMS

    def tokens(self, word: str) -> list[int]:
        """The word's letters as tokens; letters that the vocabulary lacks are left out."""
        spelled = (self.vocabulary.get(letter) for letter in self.spell(word))
        return [token for token in spelled if token is not None and token not in (self.blank, self.separator)]

    def files(self) -> list[Path]:
        """All files that decide the answers."""
        adapters = [f"adapter.{self.adapter}.{end}" for end in ("safetensors", "bin")] if self.adapter else []
        names = [TORCHAUDIO_FILE] if self.kind == "torchaudio" else [*TEXTS, *WEIGHTS, *adapters]
        parts = [] if self.kind == "torchaudio" else sorted(self.folder.glob("model-*-of-*.safetensors"))
        return [path for name in names if (path := self.folder / name).is_file()] + parts


def read(folder: Path, language: str) -> Checkpoint:
    """What a folder holds; a UserError where that is no CTC model, or one that cannot write the language."""
    if (folder / "config.json").is_file():
        return _huggingface(folder, language)
    if (folder / TORCHAUDIO_FILE).is_file():
        return _torchaudio(folder, language)
    raise UserError(
        f"{folder} holds no CTC model; give a folder with config.json, vocab.json and weights as on Hugging Face, "
        f"or one with {TORCHAUDIO_FILE} of torchaudio's MMS_FA"
    )


def fetch(hub_id: str, language: str) -> Path:
    """The folder of a hub model, from the hub's cache or, unless the environment says offline, from the hub."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    name, revision = split_hub_id(hub_id)
    adapter = f"adapter.{CODES[language]}.safetensors"
    wanted = [[*TEXTS, adapter, "model*.safetensors", "model.safetensors.index.json"], ["pytorch_model*.bin*"]]
    try:
        for patterns in wanted:
            folder = Path(snapshot_download(name, revision=revision, allow_patterns=patterns))
            if any((folder / weights).is_file() for weights in WEIGHTS):
                break
    except (HfHubHTTPError, LocalEntryNotFoundError, OSError, ValueError) as error:
        why = str(error).strip().partition("\n")[0]
        raise UserError(f"cannot get {hub_id} from the hub; check its name, or the connection ({why})") from error
    return folder


def split_hub_id(model: str) -> tuple[str, str]:
    """The name and the commit of `owner/name@commit`."""
    if parts := HUB_ID.fullmatch(model):
        return parts["name"], parts["revision"]
    raise UserError(f"no aligner {model!r}; give an existing folder, or owner/name@ and its 40-digit commit")


def hashes(checkpoint: Checkpoint) -> str:
    """One sha256 over the names and bytes of all files that are read."""
    digest = hashlib.sha256()
    for path in checkpoint.files():
        with path.open("rb") as file:
            digest.update(f"{path.name} {hashlib.file_digest(file, 'sha256').hexdigest()}\n".encode())
    return digest.hexdigest()


def network(checkpoint: Checkpoint, device: str) -> Callable[[Any], Any]:
    """Samples, a float tensor (1, samples), to log probabilities (frames, tokens), both on `device`."""
    import torch

    model = _torchaudio_model(checkpoint) if checkpoint.kind == "torchaudio" else _huggingface_model(checkpoint)
    model = model.eval().to(device)

    def run(samples: Any) -> Any:
        with torch.inference_mode(), compute.half(device):
            scores = model(samples)[0] if checkpoint.kind == "torchaudio" else model(samples).logits
            return torch.log_softmax(scores[0].float(), dim=-1)

    return run


# ---- Hugging Face's layout


def _huggingface(folder: Path, language: str) -> Checkpoint:
    config = _json(folder / "config.json")
    _check_kind(folder, config)
    preprocessor = _json(folder / "preprocessor_config.json") if (folder / "preprocessor_config.json").is_file() else {}
    if (rate := preprocessor.get("sampling_rate", LISTENING_RATE)) != LISTENING_RATE:
        raise UserError(f"{folder} wants {rate} Hz; aligners are given {LISTENING_RATE} Hz, name another")
    if not any((folder / name).is_file() for name in WEIGHTS):
        raise UserError(f"{folder} has no weights ({WEIGHTS[0]} or {WEIGHTS[2]}); fetch them, or name another folder")
    tokenizer = _json(folder / "tokenizer_config.json") if (folder / "tokenizer_config.json").is_file() else {}
    vocabulary, adapter = _vocabulary(folder, config, language)
    blank, strides = config.get("pad_token_id") or 0, config.get("conv_stride", (5, 2, 2, 2, 2, 2, 2))
    numbers = [blank, *strides] if isinstance(strides, list | tuple) else [None]
    if any(type(each) is not int or each < 0 for each in numbers):
        raise UserError(f"{folder / 'config.json'}: pad_token_id or conv_stride is no number; fetch it again")
    return Checkpoint(
        folder=folder, kind="huggingface", vocabulary=vocabulary, blank=blank,
        separator=vocabulary.get(_token(tokenizer.get("word_delimiter_token", "|"))),
        spell=ctc_spelling.spelling(folder, vocabulary, language),
        normalised=bool(preprocessor.get("do_normalize", True)),
        stride=math.prod(strides), adapter=adapter,
    )  # fmt: skip


def _check_kind(folder: Path, config: Mapping[str, Any]) -> None:
    kind, built = config.get("model_type"), config.get("architectures") or []
    if kind not in KINDS:
        raise UserError(
            f"{folder} is no CTC model of speech (its config.json says {kind or 'nothing'}); "
            "wav2vec2, MMS, HuBERT and WavLM are"
        )
    if not any(str(name).endswith("ForCTC") for name in built):
        said = ", ".join(map(str, built)) or "nothing"
        raise UserError(f"{folder} was not trained to write letters (its config.json says {said}, not ...ForCTC)")


def _vocabulary(folder: Path, config: Mapping[str, Any], language: str) -> tuple[dict[str, int], str | None]:
    """Tokens by what they write, and the adapter of a model that has one vocabulary for each language."""
    if not (folder / "vocab.json").is_file():
        raise UserError(f"{folder} has no vocab.json; fetch it, an aligner needs to know its letters")
    entries = _json(folder / "vocab.json")
    if not any(isinstance(each, Mapping) for each in entries.values()):
        return _numbered(folder, entries), None
    code = CODES[language]
    if code not in entries:
        raise UserError(f"{folder} knows {len(entries)} languages, {NAMES[language]} ({code}) is none of them")
    adapter = code if config.get("adapter_attn_dim") is not None else None
    if adapter and not any((folder / f"adapter.{code}.{end}").is_file() for end in ("safetensors", "bin")):
        raise UserError(f"{folder} has no adapter.{code}.safetensors, which it needs for {NAMES[language]}; fetch it")
    return _numbered(folder, entries[code]), adapter


def _numbered(folder: Path, letters: Any) -> dict[str, int]:
    """A vocabulary whose letters have the numbers of tokens."""
    if not isinstance(letters, Mapping) or any(type(each) is not int or each < 0 for each in letters.values()):
        raise UserError(f"{folder / 'vocab.json'} does not give each letter the number of a token; fetch it again")
    return dict(letters)


def _huggingface_model(checkpoint: Checkpoint) -> Any:
    import transformers

    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    try:
        model, loaded = transformers.AutoModelForCTC.from_pretrained(
            str(checkpoint.folder), local_files_only=True, output_loading_info=True, ignore_mismatched_sizes=True
        )
        if checkpoint.adapter:
            model.load_adapter(checkpoint.adapter, local_files_only=True)
    except Exception as error:  # whatever a file of another kind brings up: pickle, header and shape errors
        raise UserError(f"{checkpoint.folder} cannot be loaded as a CTC model: {_why(error)}") from error
    # the library fills these with random numbers; what masks frames in training is not used here
    other = {str(name) for name, *_ in loaded["mismatched_keys"]}
    if lacking := sorted(set(loaded["missing_keys"]) - UNUSED | other):
        raise UserError(
            f"{checkpoint.folder}: its weights lack {len(lacking)} parts of the network that config.json describes "
            f"({lacking[0]}...); fetch it again, or name another folder"
        )
    if model.config.vocab_size <= max(checkpoint.blank, *checkpoint.vocabulary.values()):
        raise UserError(
            f"{checkpoint.folder} has more letters in vocab.json than its network; the two do not belong together"
        )
    return model


def _why(error: Exception) -> str:
    """An error's first line, and its kind where that says little."""
    said = str(error).strip().partition("\n")[0][:120]
    return said if " " in said else f"{type(error).__name__} {said}".strip()


# ---- torchaudio's aligner


def _torchaudio(folder: Path, language: str) -> Checkpoint:
    from torchaudio.pipelines import MMS_FA

    vocabulary = MMS_FA.get_dict(star=None)
    blank = vocabulary.pop("-")
    return Checkpoint(
        folder=folder, kind="torchaudio", vocabulary=vocabulary, blank=blank, separator=None,
        spell=ctc_spelling.spelling(folder, vocabulary, language), normalised=False,  # the bundle does that by itself
        stride=320, adapter=None,
    )  # fmt: skip


def _torchaudio_model(checkpoint: Checkpoint) -> Any:
    from torchaudio.pipelines import MMS_FA

    # the file is there, so torch.hub's loader takes it and asks for nothing
    given = {
        "model_dir": str(checkpoint.folder),
        "file_name": TORCHAUDIO_FILE,
        "weights_only": True,
        "map_location": "cpu",
    }
    try:
        return MMS_FA.get_model(with_star=False, dl_kwargs=given)
    except Exception as error:  # whatever a file of another kind brings up: pickle, zip and torch errors
        raise UserError(f"{checkpoint.folder / TORCHAUDIO_FILE} is not torchaudio's MMS_FA: {_why(error)}") from error


def _json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as error:
        raise UserError(f"{path} cannot be read as JSON ({error}); fetch it again") from None
    if not isinstance(content, dict):
        raise UserError(f"{path} is not what it should be, a JSON object; fetch it again")
    return content


def _token(token: Any) -> str:
    """A special token as it is written, which some files keep with its flags."""
    return str(token.get("content", "|")) if isinstance(token, Mapping) else str(token)
