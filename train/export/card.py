"""The model card beside an exported adapter or a merged checkpoint.

It says what was written down while training and nothing else; the licence is for a person to choose.
"""

import hashlib
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from train.adapter import formats, lora
from train.adapter.lora import MERGED
from train.export import runtimes
from train.model import base

CARD = "README.md"
EXAMPLES = {"km": "សួស្តី", "ko": "안녕하세요"}  # "hello": written the same in every form
HASH_LINE = "<!-- samsori {} -->"  # the card's last line: sha256 of what is above, so that an edited card is known
SECONDS_AN_HOUR = 3600


def text(saved: lora.Saved, form: str, notes: Sequence[str] = ()) -> str:
    """The whole card, as Markdown with the hub's front matter; its last line is the hash of the rest.

    form is one of lora.FORMATS, or MERGED; `notes` are more lines for the known limits.
    """
    parts = [
        *_front_matter(saved, form),
        *_what(saved, form),
        *_how_to_write(saved),
        *_how_to_load(saved, form),
        *_about_data(saved.facts.get("data", [])),
        *_about_losses(saved.facts.get("losses", {})),
        *_about_limits([*notes, *runtimes.limits(saved, form)]),
    ]
    body = "\n".join(parts).rstrip() + "\n\n"
    return f"{body}{HASH_LINE.format(_digest(body))}\n"


def is_untouched(path: Path) -> bool:
    """Whether a card is as it was written: one that a person has edited is theirs."""
    try:
        body, _, last = path.read_text(encoding="utf-8").rpartition("<!-- samsori")
    except (OSError, UnicodeDecodeError):
        return False
    return f"<!-- samsori{last}" == HASH_LINE.format(_digest(body)) + "\n"


def _digest(body: str) -> str:
    return hashlib.sha256(body.encode()).hexdigest()


def _front_matter(saved: lora.Saved, form: str) -> list[str]:
    hub = base.HUB_ID.fullmatch(saved.base)
    return [
        "---",
        f"base_model: {saved.base}" if hub else "# base_model: the hub id of the base model",
        f"base_model_relation: {'finetune' if form == MERGED else 'adapter'}",
        *(["language:", *(f"- {language}" for language in sorted(saved.tags))] if saved.tags else []),
        f"library_name: {'peft' if form == 'peft' else 'voxcpm'}",
        "pipeline_tag: text-to-speech",
        "tags:",
        *(f"- {tag}" for tag in ("text-to-speech", "voxcpm", *(["lora"] if form != MERGED else []))),
        "# license: yours to choose; the licences of the base model and of the recordings below bind it",
        "---",
        "",
    ]


def _what(saved: lora.Saved, form: str) -> list[str]:
    adapter = saved.adapter
    alpha = f"alpha {formats.peft_alpha(adapter):g}{' (rsLoRA)' if adapter.rslora else ''}, scale {adapter.scale:g}"
    scope = {"lm": "base LM and residual LM", "dit": "DiT", "both": "base LM, residual LM and DiT"}[adapter.scope]
    where = f"{', '.join(adapter.modules)} of {scope}" if adapter.modules else ""
    where += " and " * bool(where) * adapter.projections + "the four projections" * adapter.projections
    step = f", {saved.facts['step']} steps" if "step" in saved.facts else ""
    kind = "A VoxCPM2 checkpoint with a LoRA adapter folded into its weights" if form == MERGED else "A LoRA adapter"
    return [
        f"# {kind} for speech in {', '.join(sorted(saved.tags)) or 'languages that were not written down'}",
        "",
        f"- base model: {_base(saved)}",
        f"- adapter: rank {adapter.rank}, {alpha}, on {where}{step}",
        *_begun_from(saved.facts.get("start_from")),
        *_quantized(saved.facts.get("quantization")),
        "- licence: **not chosen yet**; write it into the front matter of this file before you publish it",
        "",
    ]


def _begun_from(name: str | None) -> list[str]:
    """A line that warns of data which this card cannot account for."""
    says = f"- it began as another adapter, `{name}`: what that one was trained on is not in the table below"
    return [says] if name else []


def _quantized(name: str | None) -> list[str]:
    """A line that says on what other weights it was trained than those it is played on."""
    says = f"- it was trained on the base model in 4 bits ({name}), and so were the losses below taken"
    return [says] if name else []


def _base(saved: lora.Saved) -> str:
    if not saved.base:
        return "not written down"
    is_hub_id = base.HUB_ID.fullmatch(saved.base)
    name = f"`{saved.base}`" if is_hub_id else f"a local folder, `{Path(saved.base).name}`"
    return f"{name}, revision `{saved.revision}`" if saved.revision else f"{name}, revision not written down"


def _how_to_write(saved: lora.Saved) -> list[str]:
    if not saved.tags:
        return ["## Text", "", "How training text was written was not written down.", ""]
    rows = [
        f"| {language} | `{json.dumps(tag, ensure_ascii=False)}` | {saved.forms.get(language, 'spoken')} "
        f"| `{json.dumps(example(saved, language), ensure_ascii=False)}` |"
        for language, tag in sorted(saved.tags.items())
    ]
    return [
        "## Text",
        "",
        "Write it as training text was: the tag, then the sentence in its form, numbers and symbols read out.",
        "`curate text --language LANGUAGE --form FORM` makes that form. Leave VoxCPM's own normaliser off",
        "(`normalize=False`, its default): training text did not go through it.",
        "",
        "| language | tag | form | for example |",
        "|---|---|---|---|",
        *rows,
        "",
    ]


def example(saved: lora.Saved, language: str) -> str:
    """A sentence of a language as training text was written."""
    return saved.tags[language] + EXAMPLES.get(language, "...")


def _how_to_load(saved: lora.Saved, form: str) -> list[str]:
    sentence = example(saved, min(saved.tags)) if saved.tags else "..."
    return [
        "## Loading it",
        "",
        "```python",
        *_imports(saved, form),
        "",
        *_loading(saved, form),
        f"samples = model.generate({json.dumps(sentence, ensure_ascii=False)}, normalize=False)",
        'soundfile.write("out.wav", samples, model.tts_model.sample_rate)',
        "```",
        "",
    ]


def _imports(saved: lora.Saved, form: str) -> list[str]:
    if form == MERGED:
        return ["import soundfile", "from voxcpm import VoxCPM"]
    fetch = ["from huggingface_hub import snapshot_download"] * _pinned(saved)
    if form == "peft":
        return ["import soundfile", *fetch, "from peft import PeftModel", "from voxcpm import VoxCPM"]
    standard = ["import json", "from pathlib import Path", "", "import soundfile"]
    return [*standard, *fetch, "from voxcpm import VoxCPM", "from voxcpm.model.voxcpm2 import LoRAConfig"]


def _loading(saved: lora.Saved, form: str) -> list[str]:
    if form == MERGED:
        return ['model = VoxCPM.from_pretrained("merged", load_denoiser=False)  # this folder']
    origin = f'base = "{saved.base}"'
    if _pinned(saved):
        origin = f'base = snapshot_download("{saved.base}", revision="{saved.revision}")  # as it was trained on'
    elif not base.HUB_ID.fullmatch(saved.base):
        origin = f'base = "{Path(saved.base).name or "VoxCPM2"}"  # the folder of the base model'
    if form == "peft":
        load = "model = VoxCPM.from_pretrained(base, load_denoiser=False, optimize=False)"
        return [origin, load, 'PeftModel.from_pretrained(model.tts_model, "adapter")  # this folder']
    return [
        origin,
        'adapter = Path("adapter")  # this folder',
        'settings = json.loads((adapter / "lora_config.json").read_text())["lora_config"]',
        "model = VoxCPM.from_pretrained(",
        "    base, load_denoiser=False, lora_config=LoRAConfig(**settings), lora_weights_path=str(adapter)",
        ")",
    ]


def _pinned(saved: lora.Saved) -> bool:
    return bool(saved.revision and re.fullmatch(r"[\w.-]+", saved.revision) and base.HUB_ID.fullmatch(saved.base))


def _about_data(rows: Sequence[dict[str, Any]]) -> list[str]:
    if not rows:
        return [
            "## Data",
            "",
            "Hours, sources and licences are not known here: the corpus was not there.",
            "",
        ]
    return [
        "## Data",
        "",
        "Clips with a training text in the corpus's manifest, as it was when this was exported.",
        "",
        "| language | split | source | licence | attribution | clips | hours |",
        "|---|---|---|---|---|---|---|",
        *(_data_row(row) for row in rows),
        "",
    ]


def _data_row(row: dict[str, Any]) -> str:
    named = [_cell(row[key]) for key in ("language", "split", "source", "licence", "attribution")]
    return f"| {' | '.join(named)} | {row['clips']} | {row['seconds'] / SECONDS_AN_HOUR:.3f} |"


def _about_losses(losses: dict[str, dict[str, Any]]) -> list[str]:
    if not losses:
        return ["## Held-out loss", "", "Not measured, or the run is not known here.", ""]
    return [
        "## Held-out loss",
        "",
        "Mean over the patches of all held-out clips (flow matching + stop), fixed noise, no guidance dropout.",
        "",
        "| language | base model, zero-shot | best | last | this adapter |",
        "|---|---|---|---|---|",
        *(f"| {language} | {' | '.join(_loss(each.get(key)) for key in ('zero_shot', 'best', 'last', 'this'))} |"
          for language, each in losses.items()),
        "",
    ]  # fmt: skip


def _loss(measured: dict[str, Any] | None) -> str:
    if measured is None:
        return "not measured"
    at = f", step {measured['step']}" if measured["step"] else ""
    return f"{measured['loss']:.4f} ({measured['diff']:.4f} + {measured['stop']:.4f}){at}"


def _about_limits(notes: Sequence[str]) -> list[str]:
    return [
        "## Known limits",
        "",
        *(f"- {note}" for note in notes),
        "- what is not in this file was not measured: how natural, intelligible or alike in voice its speech is, other",
        "  languages, cloning from a reference or continuing a prompt",
        "",
    ]


def _cell(value: object) -> str:
    """A value inside a Markdown table."""
    return "not written down" if value is None else re.sub(r"\s+", " ", str(value)).replace("|", "\\|")
