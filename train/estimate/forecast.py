"""What a run will take, before it takes it: clips, tokens, steps, memory, disk and time; nothing is written."""

import itertools
import math
import shutil
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

import torch

from train import config
from train.data import checks, corpus, dataset, latents
from train.data.dataset import Data, Survey
from train.data.sampler import BEGINNING, EpochPlans, Example, shard
from train.estimate import trial
from train.estimate.cost import STATE_BYTES, CostModel, Rates
from train.model import base, voxcpm

H200 = 790e12  # FLOP/s in bfloat16 that FACTS counts its floor with; a floor, no run reaches it
CPU_STEP = 5e11  # FLOPs: a step that a CPU takes in seconds, so that its time can be measured
PATCH_WEIGHS = 2.0  # a target patch keeps about three times what a text position does: DiT and language models, counted
TRIAL = 2  # steps that are measured, and clips whose encoding is
SPLITS = ("train", "validation")
PLANNED = 10_000  # steps that are gone through one by one; those of a longer run are taken to be like them
CHECKPOINT_BYTES = 12  # a parameter of the adapter in a checkpoint: its weight and AdamW's two moments, float32

Tick = Callable[[str, int, int], None]  # what is being done, done, total


@dataclass(frozen=True)
class RunPlan:
    """All batches of a run, summed up."""

    steps: int
    epochs: list[int]  # batches of each, as far as they were planned
    text: int  # positions that are not target patches
    patches: int
    largest: list[Example]  # the piece that takes most memory
    trial: list[list[Example]]  # batches to be measured on


def forecast(run: config.Run, *, tick: Tick) -> dict[str, Any]:
    """What `train lora` of this run will take, as JSON. Raises UserError where it could not begin.

    A model that is a hub id is fetched as for training. Memory is counted, not measured; bytes and seconds.
    """
    survey = dataset.survey(run)
    model, settings, store = survey.model, survey.settings, survey.latents
    device = dataset.pick_device(run.train.device)
    kind = dataset.precision(run, device)
    given, missing = _estimated(survey, store, tick)
    run_plan = _course(run, given.train)
    cost_model = CostModel(settings, run.adapter, kind)
    rates = cost_model.rates(*_means(run_plan, given.train))
    held = _validations(run, run_plan.steps)
    flops = rates.step(run_plan.text, run_plan.patches, checkpointing=run.train.checkpointing)
    flops += held * run.train.validation_draws * rates.forward(*_positions(given.validation))
    return {
        "corpus": str(run.corpus),
        "model": run.model,
        "rank": run.adapter.rank,
        "languages": _languages(given),
        "steps": {
            "all": run_plan.steps,
            "of_each_epoch": run_plan.epochs,
            "validations": held,
            "checkpoints": math.ceil(run_plan.steps / run.train.save_every),
        },
        "positions": {"text": run_plan.text, "audio": run_plan.patches, "of_a_step": _per(run_plan, run)},
        "to_encode": _amount(given, missing) | _encoding(given, missing, model, kind, device),
        "memory": [_memory(run, cost_model, kind, run_plan), *_on_a_gpu(run, settings, run_plan, device)],
        "disk": _disk(run, cost_model.parameters, settings, kind, given, missing),
        "time": _time(run, model, given, run_plan, rates, flops, device),
        "doubts": checks.warnings(run, given, _heard(run, given, tick)),
    }


def _encoding(given: Data, missing: Sequence[Example], model: Path, kind: torch.dtype, device: str) -> dict[str, float]:
    """Seconds that encoding will take, by clips of middling length."""
    by_length = sorted(missing, key=lambda each: (each.patches, each.id))
    chosen = [given.clips[each.id] for each in by_length[len(by_length) // 2 :][:TRIAL]]
    each_second = trial.encoding(model, chosen, kind, device) if chosen else 0.0
    return {"seconds": each_second * given.seconds(missing)}


def _estimated(survey: Survey, store: latents.Latents, tick: Tick) -> tuple[Data, list[Example]]:
    """The data as training will see it, patches estimated where there are no latents, and what is to be encoded."""
    per_second = patches_per_second(survey.settings)
    done = itertools.count(1)

    def patches(clip: corpus.Clip) -> int:
        tick("reading clips", next(done), len(survey.clips))
        if store.path(clip).is_file():  # its audio is hashed
            return store.patches(clip)
        return max(1, math.ceil(clip.seconds * per_second))

    given = survey.data(patches)
    missing = {clip.id for clip in store.missing(survey.clips)}  # equal audio is encoded once
    return given, [each for each in (*given.train, *given.validation) if each.id in missing]


def patches_per_second(settings: dict[str, Any]) -> float:
    """Patches in a second of audio: 6.25 in the published model."""
    vae = settings.get("audio_vae_config") or base.real_config()["audio_vae_config"]
    return float(vae["sample_rate"] / (settings.get("patch_size", 4) * math.prod(vae["encoder_rates"])))


def _course(run: config.Run, examples: Sequence[Example]) -> RunPlan:
    plans = EpochPlans(run, examples)
    steps = plans.total_steps()
    text = patches = 0
    weight, largest = -1.0, list[Example]()
    epochs: dict[int, int] = {}
    first: list[list[Example]] = []
    planned = min(steps, PLANNED)
    for state, batch in plans.remaining(BEGINNING, planned):
        others, targets = _positions(batch)
        text, patches = text + others, patches + targets
        epochs[state.epoch] = state.batches
        first += [batch] if len(first) < TRIAL else []
        for piece in shard(range(len(batch)), batch, ranks=1, tokens=run.batch.micro_batch_tokens or run.batch.tokens)[
            0
        ]:
            chosen = [batch[position] for position in piece]
            own, mine = _positions(chosen)
            if (heavy := own + (1 + PATCH_WEIGHS) * mine) > weight:
                weight, largest = heavy, chosen
    text, patches = text * steps // planned, patches * steps // planned
    return RunPlan(steps, [epochs[epoch] for epoch in sorted(epochs)], text, patches, largest, first)


def _positions(examples: Iterable[Example]) -> tuple[int, int]:
    """Positions that are not target patches, the reference's among them, and target patches."""
    chosen = list(examples)
    patches = sum(each.patches for each in chosen)
    return sum(each.length for each in chosen) - patches, patches


def _means(run_plan: RunPlan, examples: Sequence[Example]) -> tuple[int, int]:
    share = run_plan.text / run_plan.patches
    patches = fmean(each.patches for each in examples)
    return round(share * patches), round(patches)


def _per(run_plan: RunPlan, run: config.Run) -> int:
    return round((run_plan.text + run_plan.patches) / max(1, run_plan.steps))


def _validations(run: config.Run, steps: int) -> int:
    every = run.train.validate_every
    return 1 + math.ceil(steps / every) if every else 0  # zero-shot, and after the last step


def _languages(given: Data) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for language in sorted({each.language for each in given.train}):
        own = {split: [each for each in getattr(given, split) if each.language == language] for split in SPLITS}
        both = [*own["train"], *own["validation"]]
        tokens = sum(len(each.text) for each in both)
        found[language] = {
            **{split: _amount(given, own[split]) | _share(given, own[split], getattr(given, split)) for split in own},
            "tokens_per_second": round(tokens / given.seconds(both), 2),
            "tokens_per_character": round(tokens / sum(len(given.clips[each.id].text) for each in both), 3),
            "tag": given.reading[language].tag,
            "form": given.reading[language].form,
        }
    return found


def _amount(given: Data, examples: Sequence[Example]) -> dict[str, Any]:
    return {"clips": len(examples), "hours": round(given.seconds(examples) / 3600, 4)}


def _share(given: Data, examples: Sequence[Example], of: Sequence[Example]) -> dict[str, float]:
    return {"share": round(given.seconds(examples) / given.seconds(of), 4) if of else 0.0}


def _memory(run: config.Run, cost_model: CostModel, kind: torch.dtype, run_plan: RunPlan) -> dict[str, Any]:
    """Bytes of one device; the GPU's own context and what its allocator cannot use come on top."""
    plain, checkpointed = cost_model.peaks(run_plan.largest)
    fixed = cost_model.base_bytes + STATE_BYTES * cost_model.parameters
    return {
        "precision": voxcpm.NAMES[kind],
        "base": cost_model.base_bytes,
        "adapter": STATE_BYTES * cost_model.parameters,
        "positions": sum(each.length for each in run_plan.largest),
        "activations": plain,
        "activations_checkpointing": checkpointed,
        "total": fixed + (checkpointed if run.train.checkpointing else plain),
        "total_checkpointing": fixed + checkpointed,
    }


def _on_a_gpu(run: config.Run, settings: dict[str, Any], run_plan: RunPlan, device: str) -> list[dict[str, Any]]:
    """The same for a GPU where none is here."""
    if device != "cpu" or run.train.precision != "auto":
        return []
    return [_memory(run, CostModel(settings, run.adapter, torch.bfloat16), torch.bfloat16, run_plan)]


def _disk(
    run: config.Run,
    parameters: int,
    settings: dict[str, Any],
    kind: torch.dtype,
    given: Data,
    missing: Sequence[Example],
) -> dict[str, int]:
    patch = settings["patch_size"] * settings["feat_dim"] * 4 + settings["encoder_config"]["hidden_dim"] * kind.itemsize
    kept = run.train.keep + (len(given.reading) if run.train.validate_every else 0)
    return {
        "latents": sum(each.patches for each in missing) * patch,
        "checkpoints": (kept + 1) * CHECKPOINT_BYTES * parameters,  # one more while it is written
        "free_latents": shutil.disk_usage(_existing(run.latents_folder)).free,
        "free_run": shutil.disk_usage(_existing(run.into)).free,
    }


def _existing(folder: Path) -> Path:
    return next(place for place in (folder, *folder.parents) if place.is_dir())


def _time(
    run: config.Run,
    model: Path,
    given: Data,
    run_plan: RunPlan,
    rates: Rates,
    flops: float,
    device: str,
) -> dict[str, Any]:
    """FLOPs of the whole run, their floor on an H200, and seconds here by a few real steps where these are short."""
    found: dict[str, Any] = {
        "flops": flops,
        "per_text_position": rates.text,
        "per_patch": rates.patch,
        "floor_h200": flops / H200,
        "device": device,
        "measured": None,
        "memory_measured": None,
    }
    steps = [rates.step(*_positions(batch), checkpointing=run.train.checkpointing) for batch in run_plan.trial]
    if device == "cpu" and max(steps) > CPU_STEP:
        return found
    taken = trial.measure(run, model, given, run_plan.trial, device)
    return found | {
        "measured": flops / sum(steps) * taken.seconds,
        "memory_measured": taken.memory if device == "cuda" else None,
    }


def _heard(run: config.Run, given: Data, tick: Tick) -> dict[str, checks.Measured]:
    """What the manifest says of each clip's silence, and what its samples say where it does not."""
    known = checks.in_manifest(given.clips.values())
    unknown = [clip for clip in given.clips.values() if known[clip.id].tail is None]
    return known | checks.listened(unknown, lambda done, total: tick("listening for silence", done, total))
