"""The model card beside an exported adapter or a merged checkpoint, and what runtimes cannot do with it.

It says what was written down while training and nothing else; the licence is for a person to choose.
"""

import hashlib
import json
import logging
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from train import config, validation
from train.adapter import formats, lora
from train.model import base
from train.validation import Validation

CARD = "README.md"
MERGED = "merged"  # beside lora.FORMATS: a whole checkpoint
EXAMPLES = {"km": "សួស្តី", "ko": "안녕하세요"}  # "hello": written the same in every form
VOXCPM_DEFAULT = (8, 16, False)  # rank, alpha, projections that VoxCPM 2.0.3 assumes without a configuration
NANO_VLLM_RANK = 32  # nano-vllm-voxcpm's max_lora_rank, unless told otherwise
COMFY = (32, 16)  # rank and alpha that ComfyUI-VoxCPM fixes
ATTENTION = config.MODULES[:4]  # what runtimes adapt unless told otherwise
HASH_LINE = "<!-- samsori {} -->"  # the card's last line: sha256 of what is above, so that an edited card is known
SECONDS_AN_HOUR = 3600
log = logging.getLogger(__name__)


def limits(saved: lora.Saved, form: str) -> list[str]:
    """What is worth knowing before the adapter meets a runtime, a line each; only what applies to it."""
    adapter, folding = saved.adapter, formats.fold(saved.adapter)
    lines = []
    if form == "voxcpm":
        if (adapter.rank, folding.alpha, adapter.projections) != VOXCPM_DEFAULT:
            lines += ["VoxCPM 2.0.3 assumes rank 8, alpha 16 where lora_config is not passed: pass it with the weights"]
        if folding.factor != 1:
            lines += [_folded(adapter, folding)]
        lines += [*_nano_vllm(adapter), *_comfy_ui(adapter, folding)]
    if form != MERGED:
        lines += ["GGUF runtimes read no adapter: `train merge` for those"]
    if adapter.dropout and form != MERGED:
        lines += [
            "dropout: VoxCPM's is on the adapter's output, PEFT's on its input; the same when speaking, not in training"
        ]
    return lines


def _nano_vllm(adapter: config.Adapter) -> Iterator[str]:
    if adapter.rank > NANO_VLLM_RANK:
        known = f"nano-vllm-voxcpm takes ranks up to {NANO_VLLM_RANK} unless told otherwise"
        yield f"{known}: start it with max_lora_rank >= {adapter.rank}, or `train merge`"
    more = [*(name for name in adapter.modules if name not in ATTENTION), *formats.PROJECTIONS * adapter.projections]
    if more:
        yield f"nano-vllm-voxcpm refuses {', '.join(more)} unless its LoRAConfig names them: set it, or `train merge`"


def _comfy_ui(adapter: config.Adapter, folding: formats.Fold) -> Iterator[str]:
    """They read no lora_config.json: rank and alpha are theirs, and what they have no place for is passed over."""
    rank, alpha = COMFY
    if (adapter.rank, folding.alpha) != COMFY:
        remedy = f"`train export --alpha {alpha} --pad-rank {rank}`" if adapter.rank <= rank else "`train merge`"
        yield f"ComfyUI-VoxCPM assumes rank {rank} and alpha {alpha}, which this is not: {remedy} for it"
    if folding.alpha != max(1, adapter.rank // 2):
        half = max(1, adapter.rank // 2)
        yield f"ComfyUI-FL-VoxCPM plays it with alpha {half}, half its rank: `train export --alpha {half}` for it"
    if adapter.projections or set(adapter.modules) - set(ATTENTION):
        yield f"ComfyUI nodes pass over all but {', '.join(ATTENTION)}, silently: `train merge` for them"


def _folded(adapter: config.Adapter, folding: formats.Fold) -> str:
    how = "exactly" if folding.exact else "rounded to float32"
    was = f"alpha {formats.peft_alpha(adapter):g}" + (" with rsLoRA" if adapter.rslora else "")
    return f"VoxCPM's alpha is a whole number: {was} is written as {folding.alpha}, B times {folding.factor:g}, {how}"


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
        *_about_limits([*notes, *limits(saved, form)]),
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
        "- licence: **not chosen yet**; write it into the front matter of this file before you publish it",
        "",
    ]


def _begun_from(name: str | None) -> list[str]:
    """A line that warns of data which this card cannot account for."""
    says = f"- it began as another adapter, `{name}`: what that one was trained on is not in the table below"
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


def facts(run: Path, step: int) -> dict[str, Any]:
    """What a run and its corpus say of an adapter, as JSON: step, the corpus by language, split and source, losses.

    Without a corpus that can be read, or before any validation, that part is empty.
    """
    settings = config.read(run)
    return {
        "step": step,
        "data": list(_data_facts(settings.corpus / "manifest.parquet")),
        "losses": _loss_facts(validation.written(run), step),
    } | ({"start_from": settings.start_from.name} if settings.start_from else {})


def _data_facts(path: Path) -> Iterator[dict[str, Any]]:
    """A row for each language, split, source and licence of the clips that have a training text."""
    import polars as pl

    from curate import manifest

    if not path.is_file():
        return
    keys = ["language", "split", "source", "licence", "attribution"]
    try:
        there = pl.read_parquet_schema(path)
        wanted = ["drop", "training_text", "seconds", *(key for key in keys if key in there)]
        clips = manifest.kept(pl.read_parquet(path, columns=wanted)).filter(pl.col("training_text").is_not_null())
        clips = clips.with_columns(pl.lit(None, pl.String).alias(key) for key in keys if key not in there)
        amounts = [pl.len().alias("clips"), pl.col("seconds").sum().round(3)]
        rows = clips.group_by(keys).agg(amounts).sort(keys, nulls_last=True).to_dicts()
    except (pl.exceptions.PolarsError, OSError) as problem:
        log.warning("%s cannot be read (%s): the model card says nothing of data", path, str(problem).splitlines()[0])
        return
    yield from rows


def _loss_facts(validations: Sequence[Validation], step: int) -> dict[str, dict[str, Any]]:
    """language -> zero_shot, best, last and this: step, loss, diff, stop; those that were measured."""
    losses: dict[str, dict[str, Any]] = {}
    for language in sorted({name for each in validations for name in each.languages}):
        measured = [
            {"step": each.step, **{key: each.languages[language][key] for key in ("loss", "diff", "stop")}}
            for each in validations
            if language in each.languages
        ]
        trained = [each for each in measured if each["step"]]
        chosen = {
            "zero_shot": next((each for each in measured if not each["step"]), None),
            "best": min(trained, key=lambda each: each["loss"], default=None),
            "last": trained[-1] if trained else None,
            "this": next((each for each in trained if each["step"] == step), None),
        }
        losses[language] = {name: each for name, each in chosen.items() if each}
    return losses
