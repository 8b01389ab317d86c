"""What is said of runtimes that cannot load an adapter as it is."""

import pytest

from train.adapter import lora
from train.config import Adapter
from train.export import runtimes


@pytest.mark.parametrize(
    ("adapter", "form", "says"),
    [
        (Adapter(rank=8, alpha=16), "voxcpm", {"--alpha 16 --pad-rank 32` for it", "with alpha 4, half its", "GGUF"}),
        (Adapter(rank=32, alpha=16), "voxcpm", {"lora_config is not passed", "GGUF"}),
        (Adapter(rank=64), "voxcpm", {"lora_config is not", "max_lora_rank >= 64", "not: `train merge`", "FL", "GGUF"}),
        (
            Adapter(rank=8, alpha=4, projections=True),
            "voxcpm",
            {"lora_config is not", "this is not", "refuses enc_to_lm_proj", "pass over all but q_proj", "GGUF"},
        ),
        (Adapter(rank=32, alpha=0.5), "voxcpm", {"lora_config", "UI-V", "UI-FL", "GGUF", "as 1, B times 0.5, exactly"}),
        (Adapter(rank=8, alpha=0.7), "voxcpm", {"lora_config", "UI-V", "UI-FL", "GGUF", "as 8, B times 0.0875, round"}),
        (Adapter(rank=64, dropout=0.1), "peft", {"GGUF", "dropout"}),
        (Adapter(rank=64, dropout=0.1), lora.MERGED, set()),
    ],
)  # fmt: skip
def test_limits_of_runtimes_are_said_only_where_they_apply(adapter, form, says):
    lines = runtimes.limits(lora.Saved({}, adapter, "openbmb/VoxCPM2"), form)
    assert len(lines) == len(says)
    for part in says:
        assert sum(part in line for line in lines) >= 1, part
