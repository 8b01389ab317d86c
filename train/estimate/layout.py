"""Where an adapter sits: which modules of which layers, with the shapes of A and B; as a table and as a drawing."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from curate import files
from curate.errors import UserError
from train.adapter import lora
from train.config import Adapter
from train.estimate import params
from train.model import base, voxcpm

NAME = re.compile(r"(?P<part>.+?)\.(?:decoder\.)?layers\.\d+\.(?:self_attn|mlp)\.(?P<module>\w+)\.lora_A")
PARTS = {
    "base_lm": "base language model",
    "residual_lm": "residual language model",
    "feat_decoder.estimator": "local diffusion transformer (DiT)",
    "": "projections between the models",
}


def table(
    rank: int, *, scope: str, modules: Sequence[str], projections: bool, model: str | None, into: Path | None = None
) -> list[dict[str, Any]]:
    """`rows` of an adapter on a model by folder or hub id, or the published one; also drawn to an SVG file `into`.

    Raises UserError where the file cannot be written.
    """
    config = voxcpm.read_config(base.find(model)) if model else base.real_config()
    adapter = params.adapter({"rank": rank, "scope": scope, "modules": modules, "projections": projections})
    found = rows(config, adapter)
    if into is not None:
        if into.suffix.lower() != ".svg" or into.is_dir():
            raise UserError(f"--drawing {into} must be a file that ends in .svg")
        try:
            files.write_text(into, drawing(found, config) + "\n")
        except OSError as problem:
            raise UserError(f"{into} cannot be written ({problem.strerror}): choose another --drawing") from problem
    return found


def rows(config: dict[str, Any], adapter: Adapter) -> list[dict[str, Any]]:
    """A row for each part and module, counted on a model of that configuration, without weights.

    part, name, module, layers, a (rank, in), b (out, rank), parameters over all layers.
    """
    model = voxcpm.on_meta(config, vae=voxcpm.NO_VAE)
    lora.attach(model, adapter)
    tensors = lora.parameters(model)
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for name in tensors:
        if not name.endswith(".lora_A"):
            continue
        match = NAME.fullmatch(name)
        part, module = (match["part"], match["module"]) if match else ("", name.removesuffix(".lora_A"))
        a, b = tensors[name], tensors[name[:-1] + "B"]
        row = found.setdefault((part, module), {
            "part": part, "name": PARTS.get(part, part), "module": module, "layers": 0,
            "a": list(a.shape), "b": list(b.shape), "parameters": 0,
        })  # fmt: skip
        row["layers"] += 1
        row["parameters"] += a.numel() + b.numel()
    return sorted(found.values(), key=lambda row: list(PARTS).index(row["part"]))


def lines(table: Sequence[dict[str, Any]]) -> list[str]:
    """The table in lines of at most 80 columns."""
    made = []
    for row in table:
        shapes = f"A {row['a'][0]} x {row['a'][1]}, B {row['b'][0]} x {row['b'][1]}"
        made.append(
            f"{row['part'] or 'between':<23}{row['layers']:>3} x {row['module']:<8}{shapes:<27}{row['parameters']:>12,}"
        )
    return made


def drawing(table: Sequence[dict[str, Any]], config: dict[str, Any], note: str = "") -> str:
    """An SVG of the model from text to sound: what is adapted is green, with its modules; the rest is frozen.

    `note`, where there is one, stands below it.
    """
    boxes = [
        ("text and audio so far", "tokens; patches of 160 ms", None),
        ("local encoder", f"{config['encoder_config']['num_layers']} layers", None),
        ("base language model", f"{config['lm_config']['num_hidden_layers']} layers", "base_lm"),
        ("FSQ, stop head", "", None),
        ("residual language model", f"{config['residual_lm_num_layers']} layers", "residual_lm"),
        ("DiT", f"{config['dit_config']['num_layers']} layers", "feat_decoder.estimator"),
        ("AudioVAE decoder", "48 kHz sound", None),
    ]
    step, height = 74, 52
    parts = [
        _box(40 + i * step, height, title, below, _modules(table, part)) for i, (title, below, part) in enumerate(boxes)
    ]
    arrows = [
        f'<path d="M150 {40 + i * step + height} v{step - height - 6}" class="arrow" marker-end="url(#tip)"/>'
        for i in range(len(boxes) - 1)
    ]
    rank = table[0]["a"][0] if table else 0
    below = 40 + len(boxes) * step
    total = below + (24 if note else 0)
    said = f'<text class="s" x="20" y="{below + 8}">{escape(note)}</text>' if note else ""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 640 {total}" width="640" role="img" '
        f'aria-label="Where the adapter sits, rank {rank}">'
        "<style>text{font:14px system-ui,sans-serif;fill:#1d1f23}.s{font-size:12px;fill:#5a606b}"
        ".frozen{fill:#eef0f3;stroke:#8a919c}.lora{fill:#cfe6d8;stroke:#0b6b3a;stroke-width:2}"
        ".arrow{stroke:#5a606b;fill:none}.paper{fill:#fff}</style>"
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="4" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        '<path d="M0 0 L8 4 L0 8 z" fill="#5a606b"/></marker></defs>'
        f'<rect class="paper" width="640" height="{total}"/>'
        f'<text x="20" y="22">green: adapted, W + scale B A, rank {rank}; grey: frozen</text>'
        f"{''.join(parts)}{''.join(arrows)}{said}</svg>"
    )


def _modules(table: Sequence[dict[str, Any]], part: str | None) -> list[str]:
    """What stands beside a box: the modules that are adapted, those of equal shape together."""
    shapes: dict[tuple[int, int], list[str]] = {}
    for row in table:
        if part and row["part"] == part:
            shapes.setdefault((row["b"][0], row["a"][1]), []).append(row["module"].removesuffix("_proj"))
    return [f"{', '.join(names)}: {out} x {into}" for (out, into), names in shapes.items()]


def _box(y: int, height: int, title: str, below: str, modules: Sequence[str]) -> str:
    kind = "lora" if modules else "frozen"
    beside = "".join(f'<text class="s" x="300" y="{y + 16 + 15 * i}">{line}</text>' for i, line in enumerate(modules))
    return (
        f'<rect class="{kind}" x="20" y="{y}" width="260" height="{height}" rx="6"/>'
        f'<text x="34" y="{y + 22}">{title}</text><text class="s" x="34" y="{y + 41}">{below}</text>{beside}'
    )
