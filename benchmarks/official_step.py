"""The official training step of voxcpm 2.0.3, as scripts/train_voxcpm_finetune.py of OpenBMB/VoxCPM runs it.

The packer, the model, its LoRA layers and its losses are the package's own code. From the script are taken: batches of
`batch_size` clips padded to the longest, AudioVAE clip by clip in float32 at every step, right padding, a float32 base
under bfloat16 autocast and a GradScaler on a GPU, gradients clipped at 1.0 over all parameters, AdamW. Left out, in its
favour: reading and decoding of files, the learning-rate schedule, logging.
"""

import contextlib
import importlib.util
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor

from benchmarks.workload import Spoken
from train.model import voxcpm

DOCUMENTED = (2, 8)  # batch_size, grad_accum_steps: conf/voxcpm_v2/voxcpm_finetune_lora.yaml
LONGEST_NORM = 1.0  # max_grad_norm, likewise
START = 0.02  # spread of B at the start: zero would hide A's part from the comparison of losses


@dataclass(frozen=True)
class Drawn:
    """What is random in one loss, for every position of a padded batch."""

    time: Tensor  # (rows,) standard normal
    noise: Tensor  # (rows, patch, latent) standard normal
    guided: Tensor  # (rows,)


def build(config: dict[str, Any], *, rank: int, device: str, seed: int) -> Any:
    """A VoxCPM2Model with random weights in float32, made on the device, with its official LoRA layers; as trained."""
    with voxcpm.quiet(), torch.device(device):
        from voxcpm.model.voxcpm2 import LoRAConfig, VoxCPM2Model, VoxCPMConfig
        from voxcpm.modules.audiovae import AudioVAEV2

        torch.manual_seed(seed)
        parsed = VoxCPMConfig.model_validate(config | {"dtype": "float32" if device == "cpu" else "bfloat16"})
        lora = LoRAConfig(enable_lm=True, enable_dit=True, r=rank, alpha=rank)
        vae = AudioVAEV2(config=parsed.audio_vae_config)
        model = VoxCPM2Model(parsed, SimpleNamespace(vocab={}), vae, lora, device=device)
    for name, value in model.named_parameters():
        value.requires_grad_("lora" in name)
        if name.endswith("lora_B"):
            torch.nn.init.normal_(value, std=START)
    _scale_latents(model.audio_vae)
    return model.to(device).train()


def _scale_latents(vae: Any) -> None:
    """Latents of the unit scale that a trained VAE's have, or noise would be all there is to the loss."""
    with torch.no_grad():
        noise = 0.1 * torch.randn(1, 1, vae.sample_rate, device=vae.encoder.fc_mu.bias.device)
        spread = vae.encode(noise, vae.sample_rate).std()
        vae.encoder.fc_mu.weight_g /= spread
        vae.encoder.fc_mu.bias /= spread


def _packer_class() -> Any:
    """The package's packer, from its own file: its folder's __init__ wants libraries that only read data sets."""
    package = importlib.util.find_spec("voxcpm")
    if package is None or not package.submodule_search_locations:
        raise ModuleNotFoundError("voxcpm is not installed: pip install voxcpm==2.0.3")
    path = Path(next(iter(package.submodule_search_locations))) / "training" / "packers.py"
    spec = importlib.util.spec_from_file_location("voxcpm_packers", path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.AudioFeatureProcessingPacker


class Official:
    """The official model with its optimizer, that takes the official step."""

    def __init__(self, model: Any, *, device: str) -> None:
        self.device, self.model, config = torch.device(device), model, model.config
        self.packer = _packer_class()(1, config.max_length, config.patch_size, config.feat_dim, model.audio_vae)
        self.optimizer = torch.optim.AdamW(
            (value for value in model.parameters() if value.requires_grad), lr=1e-4, weight_decay=0.01
        )
        self.scaler = torch.amp.grad_scaler.GradScaler("cuda") if self.device.type == "cuda" else None

    def collate(self, spoken: Sequence[Spoken]) -> dict[str, Any]:
        """What the script's loader makes of clips, in its own processes: texts and sounds padded to the longest."""
        return {
            "text_tokens": _padded([torch.tensor(each.text, dtype=torch.int32) for each in spoken], -100),
            "audio_tokens": _padded([torch.from_numpy(each.samples) for each in spoken], -100.0),
            "task_ids": torch.ones(len(spoken), dtype=torch.int32),
            "dataset_ids": torch.zeros(len(spoken), dtype=torch.int32),
            "is_prompts": [False] * len(spoken),
        }

    def pack(self, batch: dict[str, Any]) -> dict[str, Tensor]:
        """Sequences with latents, on the device: the AudioVAE is run here, as in the script at every step."""
        there = {name: value.to(self.device) if isinstance(value, Tensor) else value for name, value in batch.items()}
        packed: dict[str, Tensor] = self.packer(**there)
        return packed

    def losses(self, packed: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
        """Flow matching and stop, averaged over the batch."""
        names = ("text_tokens", "text_mask", "audio_feats", "audio_mask", "loss_mask", "position_ids", "labels")
        losses = self.model(*(packed[name] for name in names), progress=0.0)
        return losses["loss/diff"], losses["loss/stop"]

    def step(self, batches: Sequence[dict[str, Any]]) -> None:
        """One step of the optimizer over batches whose gradients add up."""
        self.optimizer.zero_grad(set_to_none=True)
        for batch in batches:
            packed = self.pack(batch)
            with torch.autocast("cuda", torch.bfloat16) if self.scaler else contextlib.nullcontext():
                diff, stop = self.losses(packed)
            loss = diff / len(batches) + stop / len(batches)
            torch.autograd.backward(self.scaler.scale(loss) if self.scaler else loss)
        if self.scaler:
            self.scaler.unscale_(self.optimizer)
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), max_norm=LONGEST_NORM)
        if self.scaler:
            self.scaler.step(self.optimizer)
            self.scaler.update()
        else:
            self.optimizer.step()

    @contextlib.contextmanager
    def precise(self) -> Iterator[None]:
        """In float32 throughout, for comparing losses."""
        before = self.model.config.dtype
        self.model.config.dtype = "float32"
        try:
            yield
        finally:
            self.model.config.dtype = before

    def draws(self, packed: dict[str, Tensor], seed: int) -> Drawn:
        """What `losses` draws in float32 after torch.manual_seed(seed), in the order of locdit/unified_cfm.py."""
        clips, length, patch, latent = packed["audio_feats"].shape
        rows = clips * length
        torch.manual_seed(seed)
        guided = torch.rand(rows, device=self.device) > self.model.feat_decoder.training_cfg_rate
        torch.rand(rows, device=self.device)  # which conditions are disturbed: by default none
        torch.randn(rows, latent, patch, device=self.device)  # and by what
        torch.randn(rows, device=self.device)  # r, for which t is taken
        time = torch.randn(rows, device=self.device)
        torch.rand(rows, device=self.device)  # where r differs from t: nowhere
        return Drawn(time, torch.randn(rows, latent, patch, device=self.device).transpose(1, 2), guided)


def _padded(values: Sequence[Tensor], pad: float) -> Tensor:
    return torch.nn.utils.rnn.pad_sequence(list(values), batch_first=True, padding_value=pad)


def passes(clips: int, order: Sequence[int], batch: int, together: int) -> list[list[list[int]]]:
    """Steps of batches of clips, each clip at least once: `order` is gone through again until the last step is full."""
    times = 1
    while times * clips % (batch * together) and together > 1:
        times += 1
    long = list(order) * times
    batches = [long[start : start + batch] for start in range(0, len(long), batch)]
    return [batches[start : start + together] for start in range(0, len(batches), together)]
