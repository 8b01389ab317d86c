"""A small random VoxCPM2 checkpoint in the official on-disk layout, for the demo and the tests; its voice is noise."""

import json
from pathlib import Path
from typing import Any

import torch

from curate.files import replacing_folder
from train.model import base, voxcpm

SPECIAL = ("audio_start", "audio_end", "audio_prompt_start", "audio_prompt_end")  # ids 101 to 104
KHMER = range(0x1780, 0x17D4)
HANGUL = "가고그기나는다도를리에요은을이의지하한했"
CHINESE = "你好世界"
MERGES = (("你", "好"), ("世", "界"), ("t", "h"), ("th", "e"))  # two pieces that inference splits again
VOCABULARY = 512
FILES = (*base.WEIGHTS, *base.VAE_WEIGHTS, "config.json", "tokenizer.json", "tokenizer_config.json")


def make(folder: Path, *, seed: int = 0) -> Path:
    """Write the checkpoint; the same seed gives the same bytes."""
    from safetensors.torch import save  # whose file writer would make files that only their owner can read

    with replacing_folder(folder, FILES) as place:
        (place / "config.json").write_text(json.dumps(configuration(), indent=2) + "\n", encoding="utf-8")
        _write_tokenizer(place)
        state = _weights(seed)
        vae = {
            name.removeprefix("audio_vae."): state.pop(name) for name in list(state) if name.startswith("audio_vae.")
        }
        (place / "model.safetensors").write_bytes(save(dict(sorted(state.items()))))
        (place / "audiovae.safetensors").write_bytes(save(dict(sorted(vae.items()))))
    return folder


def configuration() -> dict[str, Any]:
    """The published configuration with every size shrunk; rates, patch size and special ids are the real ones."""
    config = base.real_config()
    config["lm_config"] |= {
        "hidden_size": 64,
        "intermediate_size": 128,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "num_hidden_layers": 2,
        "kv_channels": 16,
        "vocab_size": VOCABULARY,
        "max_position_embeddings": 4096,
    }
    rope = config["lm_config"]["rope_scaling"]
    rope |= {"long_factor": [1.0] * 8, "short_factor": [1.0] * 8, "original_max_position_embeddings": 4096}
    local = {"hidden_dim": 32, "ffn_dim": 64, "num_heads": 4, "num_layers": 2, "kv_channels": 16}
    for part in ("encoder_config", "dit_config"):
        config[part] |= local
    config["audio_vae_config"] |= {"encoder_dim": 8, "decoder_dim": 64, "latent_dim": 8}
    small = {"feat_dim": 8, "residual_lm_num_layers": 2, "scalar_quantization_latent_dim": 16}
    return config | small | {"max_length": 2048, "device": "cpu", "dtype": "float32"}


def _weights(seed: int) -> dict[str, torch.Tensor]:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = voxcpm.build(configuration(), device="cpu")
        _scale_latents(model.audio_vae)
    return {name: value.contiguous() for name, value in model.state_dict().items()}


def _scale_latents(vae: Any) -> None:
    """Give latents the unit scale that a trained VAE's have, or there would be nothing to learn but the noise."""
    with torch.no_grad():
        noise = 0.1 * torch.randn(1, 1, vae.sample_rate)
        spread = vae.encode(noise, vae.sample_rate).std()
        vae.encoder.fc_mu.weight_g /= spread
        vae.encoder.fc_mu.bias /= spread


def _write_tokenizer(folder: Path) -> None:
    from tokenizers import Tokenizer, decoders, models, normalizers

    marks = ["<unk>", "<s>", "</s>"]
    bpe = models.BPE(
        vocab=_vocabulary(marks), merges=list(MERGES), unk_token="<unk>", byte_fallback=True, fuse_unk=True
    )
    tokenizer = Tokenizer(bpe)
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    tokenizer.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()])
    tokenizer.add_special_tokens([*marks, *(f"<|{name}|>" for name in SPECIAL)])
    tokenizer.save(str(folder / "tokenizer.json"))
    settings = {"tokenizer_class": "LlamaTokenizerFast", "bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"}
    (folder / "tokenizer_config.json").write_text(json.dumps(settings, indent=2) + "\n", encoding="utf-8")


def _vocabulary(marks: list[str]) -> dict[str, int]:
    """Latin letters, ids 101 to 104 as in the real tokenizer, every byte (for other Hangul), Khmer, some Hangul."""
    pieces = [*marks, "▁", *(chr(code) for code in range(0x21, 0x7F))]
    pieces += [f"<|reserved_{number}|>" for number in range(len(pieces), 101)]
    pieces += [f"<|{name}|>" for name in SPECIAL]
    pieces += [f"<0x{byte:02X}>" for byte in range(256)]
    pieces += [*(chr(code) for code in KHMER), *HANGUL, *CHINESE, *(left + right for left, right in MERGES)]
    pieces += [f"<|reserved_{number}|>" for number in range(len(pieces), VOCABULARY)]
    return {piece: number for number, piece in enumerate(pieces)}
