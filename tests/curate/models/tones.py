"""A language of tones, two for each letter, and small CTC checkpoints trained on it, laid out as real ones."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from curate.audio import LISTENING_RATE as RATE

LATIN = "aienoutsrmkldghybpwcvjzf'qx"
SAMPLES_PER_FRAME, WINDOW, CHANNELS = 320, 400, 44
BATCH, RATE_OF_LEARNING = 8, 3e-3
LETTER_SECONDS, BETWEEN_SECONDS = 0.1, 0.04
Samples = NDArray[np.float32]


LOW, HIGH = (
    (280, 420, 620, 900, 1300),
    (1900, 2500, 3200, 4000, 5000, 6300),
)  # Hz; a letter is one of each, as on a telephone
Pitches = dict[str, tuple[int, int]]


def frequencies(letters: str) -> Pitches:
    """Two pitches for each of at most 30 letters."""
    return {letter: (LOW[i % len(LOW)], HIGH[i // len(LOW)]) for i, letter in enumerate(letters)}


def say(
    words: Sequence[str], pitches: Pitches, *, gaps: Sequence[float], seed: int = 0
) -> tuple[Samples, list[tuple[int, int]]]:
    """The words in tones, `gaps` seconds before each and after the last; and where each word is, in samples."""
    random = np.random.default_rng(seed)
    parts, places, at = [], [], 0

    def add(sound: Samples) -> None:
        nonlocal at
        parts.append(sound)
        at += len(sound)

    for word, gap in zip([*words, ""], gaps, strict=True):
        add(np.zeros(round(gap * RATE), np.float32))
        begin = at
        for i, letter in enumerate(word):
            if i:
                add(np.zeros(round(BETWEEN_SECONDS * RATE), np.float32))
            time = np.arange(round(LETTER_SECONDS * RATE)) / RATE
            tones = sum(np.sin(2 * np.pi * pitch * time) for pitch in pitches[letter])
            add((0.15 * tones * np.hanning(len(time)) ** 0.3).astype(np.float32))
        if word:
            places.append((begin, at))
    sound = np.concatenate(parts) if parts else np.zeros(0, np.float32)
    return (sound + 0.003 * random.standard_normal(len(sound))).astype(np.float32), places


def listen_for_tones(layer: Any) -> None:
    """Make a convolution hear how strong each pitch is, so that only what comes after it needs to learn: seconds."""
    time = np.arange(WINDOW) / RATE
    waves = [f(2 * np.pi * pitch * time) * np.hanning(WINDOW) for pitch in (*LOW, *HIGH) for f in (np.cos, np.sin)]
    with torch.no_grad():
        layer.weight.copy_(torch.from_numpy(np.stack([*waves, *(-wave for wave in waves)])[:, None] / 50))
    layer.weight.requires_grad_(False)


def labels(
    places: Sequence[tuple[int, int]], words: Sequence[str], vocabulary: dict[str, int], frames: int
) -> NDArray[np.int64]:
    """The token of each frame, 0 (blank) between letters."""
    out = np.zeros(frames, np.int64)
    step = round((LETTER_SECONDS + BETWEEN_SECONDS) * RATE)
    for (begin, _), word in zip(places, words, strict=True):
        for i, letter in enumerate(word):
            first = begin + i * step
            centre = np.arange(frames) * SAMPLES_PER_FRAME + 200
            out[(centre >= first) & (centre < first + LETTER_SECONDS * RATE)] = vocabulary[letter]
    return out


def train(model: Any, forward: Any, letters: str, vocabulary: dict[str, int], *, steps: int, tokens: int) -> float:
    """Fit frames to letters; the last loss. Frame by frame rather than by the CTC loss: seconds instead of minutes."""
    torch.manual_seed(0)
    random = np.random.default_rng(1)
    pitches = frequencies(letters)
    best = torch.optim.AdamW(model.parameters(), lr=RATE_OF_LEARNING)
    loss = torch.zeros(())
    model.train()
    for step in range(steps):
        batch = []
        for each in range(BATCH):
            words = ["".join(random.choice(list(letters), 4)) for _ in range(3)]
            sound, places = say(words, pitches, gaps=[*random.uniform(0.05, 0.4, 3), 0.3], seed=1000 * step + each)
            batch.append((sound, places, words))
        longest = max(len(sound) for sound, *_ in batch)
        padded = np.stack([np.pad(sound, (0, longest - len(sound))) for sound, *_ in batch])
        scores = forward(torch.from_numpy(padded))
        truth = np.stack([labels(places, words, vocabulary, scores.shape[1]) for _, places, words in batch])
        loss = torch.nn.functional.cross_entropy(scores.reshape(-1, tokens), torch.from_numpy(truth).reshape(-1))
        best.zero_grad()
        loss.backward()
        best.step()
    model.eval()
    return float(loss.detach())


def checkpoint(folder: Path, letters: str = LATIN, *, steps: int = 120) -> Path:
    """A trained wav2vec2 with a CTC head, as Hugging Face lays them out."""
    from transformers import Wav2Vec2Config, Wav2Vec2ForCTC

    torch.set_num_threads(1)
    torch.manual_seed(0)
    vocabulary = {"<pad>": 0, "<s>": 1, "</s>": 2, "<unk>": 3, "|": 4} | {c: 5 + i for i, c in enumerate(letters)}
    config = Wav2Vec2Config(
        vocab_size=len(vocabulary), hidden_size=48, num_hidden_layers=1, num_attention_heads=2, intermediate_size=64,
        conv_dim=(CHANNELS,), conv_kernel=(WINDOW,), conv_stride=(SAMPLES_PER_FRAME,), feat_extract_norm="layer",
        num_conv_pos_embeddings=8, num_conv_pos_embedding_groups=2,
        do_stable_layer_norm=True, pad_token_id=0, layerdrop=0.0, mask_time_prob=0.0, hidden_dropout=0.0,
        attention_dropout=0.0, feat_proj_dropout=0.0, activation_dropout=0.0, final_dropout=0.0,
    )  # fmt: skip
    model = Wav2Vec2ForCTC(config)
    listen_for_tones(model.wav2vec2.feature_extractor.conv_layers[0].conv)

    def forward(sound: Any) -> Any:
        return model((sound - sound.mean(1, keepdim=True)) / torch.sqrt(sound.var(1, keepdim=True) + 1e-7)).logits

    train(model, forward, letters, vocabulary, steps=steps, tokens=len(vocabulary))
    model.save_pretrained(folder)
    _write(folder / "vocab.json", vocabulary)
    _write(folder / "preprocessor_config.json", {"do_normalize": True, "sampling_rate": RATE, "feature_size": 1})
    _write(folder / "tokenizer_config.json", {"word_delimiter_token": "|", "pad_token": "<pad>"})
    return folder


def with_adapter(flat: Path, folder: Path, code: str) -> Path:
    """The same network as MMS lays it out, with an adapter per language, without which it is useless."""
    from safetensors.torch import save_file
    from transformers import Wav2Vec2Config, Wav2Vec2ForCTC

    config = Wav2Vec2Config.from_pretrained(flat, adapter_attn_dim=16)
    model = Wav2Vec2ForCTC(config)
    model.load_state_dict(Wav2Vec2ForCTC.from_pretrained(flat).state_dict(), strict=False)
    for layer in model.wav2vec2.encoder.layers:  # adapters that change nothing, as the network was trained without
        torch.nn.init.zeros_(layer.adapter_layer.linear_2.weight)
        torch.nn.init.zeros_(layer.adapter_layer.linear_2.bias)
    adapters = {name: each.detach().clone().contiguous() for name, each in model._get_adapters().items()}
    for layer in model.wav2vec2.encoder.layers:
        torch.nn.init.normal_(layer.adapter_layer.linear_2.weight, std=9.0)
    model.lm_head = torch.nn.Linear(config.hidden_size, 2)
    model.config.vocab_size = 2
    model.save_pretrained(folder)
    save_file(adapters, folder / f"adapter.{code}.safetensors")
    vocabulary = json.loads((flat / "vocab.json").read_text(encoding="utf-8"))
    _write(folder / "vocab.json", {"eng": {"<pad>": 0, "a": 1}, code: vocabulary})
    for name in ("preprocessor_config.json", "tokenizer_config.json"):
        (folder / name).write_bytes((flat / name).read_bytes())
    return folder


def for_torchaudio(flat: Path, folder: Path) -> Any:
    """The same network as torchaudio's aligner keeps it, `model.pt`, and the bundle that it belongs to."""
    from torchaudio.models import wav2vec2_model
    from torchaudio.models.wav2vec2.utils import import_huggingface_model
    from torchaudio.pipelines import MMS_FA, Wav2Vec2FABundle
    from transformers import Wav2Vec2ForCTC

    model = import_huggingface_model(Wav2Vec2ForCTC.from_pretrained(flat).eval())
    vocabulary = json.loads((flat / "vocab.json").read_text(encoding="utf-8"))
    rows = [0, 1, 2, 3, *(vocabulary[letter] for letter in MMS_FA.get_labels(star=None)[1:])]
    state = model.state_dict()
    state |= {name: state[name][rows] for name in ("aux.weight", "aux.bias")}
    sizes = {
        "extractor_mode": "layer_norm", "extractor_conv_layer_config": [(CHANNELS, WINDOW, SAMPLES_PER_FRAME)],
        "extractor_conv_bias": False, "encoder_embed_dim": 48, "encoder_projection_dropout": 0.0,
        "encoder_pos_conv_kernel": 8, "encoder_pos_conv_groups": 2, "encoder_num_layers": 1, "encoder_num_heads": 2,
        "encoder_attention_dropout": 0.0, "encoder_ff_interm_features": 64, "encoder_ff_interm_dropout": 0.0,
        "encoder_dropout": 0.0, "encoder_layer_norm_first": True, "encoder_layer_drop": 0.0,
        "aux_num_out": len(rows) - 3,  # of the file's outputs the bundle takes three special ones out
    }  # fmt: skip
    wav2vec2_model(**{**sizes, "aux_num_out": len(rows)}).load_state_dict(state)  # these weights have these sizes
    folder.mkdir(exist_ok=True)
    torch.save(state, folder / "model.pt")
    return Wav2Vec2FABundle(
        _path="https://weights.invalid/model.pt", _params=sizes, _labels=tuple(MMS_FA.get_labels(star=None)[1:]),
        _sample_rate=RATE, _normalize_waveform=True, _model_type="Wav2Vec2",
    )  # fmt: skip


def _write(path: Path, content: Any) -> None:
    path.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
