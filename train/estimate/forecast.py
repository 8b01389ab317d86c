"""What a run will take, before it takes it: clips, tokens, steps, memory, disk and time; nothing is written."""

import itertools
import math
import shutil
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

import torch

from train import config, warm_start
from train.data import checks, corpus, dataset, latents
from train.data.dataset import Data, Survey
from train.data.sampler import BEGINNING, EpochPlans, Example, shard
from train.estimate import cost, fit
from train.estimate.cost import AVERAGE_BYTES, CostModel, Rates
from train.model import base, voxcpm

H200 = 790e12  # FLOP/s: four fifths of the 989e12 that its data sheet states for dense bfloat16; docs/training.md
CPU_STEP = 5e11  # FLOPs: a step that a CPU takes in seconds, so that its time can be measured
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

    Clips, positions and steps are those of the run itself: its manifest is read and its batches are planned. FLOPs are
    these positions times what `CostModel.rates` counts for one; a validation goes forward alone. Memory is counted for
    the one piece of all batches that takes most. Time is that of a few real steps, times the run's FLOPs over theirs.
    """
    survey = dataset.survey(run)
    model, settings, store = survey.model, survey.settings, survey.latents
    warm_start.read(run, model)
    device = dataset.pick_device(run.train.device)
    kind = dataset.precision(run, device)
    data, missing = _estimated(survey, store, tick)
    run, _ = fit.fitted(run, survey, data.train)  # on a GPU, where the run names no budget
    run_plan = _plan(run, data.train)
    cost_model = cost.model_of(run, settings, kind)
    patches = fmean(each.patches for each in data.train)
    rates = cost_model.rates(round(run_plan.text / run_plan.patches * patches), round(patches))
    every = run.train.validate_every
    validations = 1 + math.ceil(run_plan.steps / every) if every else 0  # zero-shot, and after the last step
    flops = rates.step(run_plan.text, run_plan.patches, checkpointing=run.train.checkpointing)
    flops += validations * run.train.validation_draws * rates.forward(*_positions(data.validation))
    memory = [_memory(run, cost_model, kind, run_plan)]
    if device == "cpu" and run.train.precision == "auto":  # the same for a GPU, where none is here
        gpu = torch.bfloat16
        memory += [_memory(run, cost.model_of(run, settings, gpu), gpu, run_plan)]
    return {
        "corpus": str(run.corpus),
        "model": run.model,
        "rank": run.adapter.rank,
        "languages": _languages(data, voxcpm.Tokenizer(model).byte_ids),
        "steps": {
            "all": run_plan.steps,
            "of_each_epoch": run_plan.epochs,
            "validations": validations,
            "checkpoints": math.ceil(run_plan.steps / run.train.save_every),
        },
        "positions": {
            "text": run_plan.text,
            "audio": run_plan.patches,
            "of_a_step": round((run_plan.text + run_plan.patches) / max(1, run_plan.steps)),
        },
        "to_encode": _amount(data, missing) | _encoding(data, missing, model, kind, device),
        "memory": memory,
        "disk": _disk(run, cost_model.parameters, settings, kind, data, missing),
        "time": _time(run, model, data, run_plan, rates, flops, device),
        "doubts": checks.warnings(run, data, _silences(data, tick)),
    }


def _encoding(data: Data, missing: Sequence[Example], model: Path, kind: torch.dtype, device: str) -> dict[str, float]:
    """Seconds that encoding will take, by clips of middling length."""
    by_length = sorted(missing, key=lambda each: (each.patches, each.id))
    chosen = [data.clips[each.id] for each in by_length[len(by_length) // 2 :][:TRIAL]]
    each_second = cost.encoding(model, chosen, kind, device) if chosen else 0.0
    return {"seconds": each_second * data.seconds(missing)}


def _estimated(survey: Survey, store: latents.Latents, tick: Tick) -> tuple[Data, list[Example]]:
    """The data as training will see it, patches estimated where there are no latents, and what is to be encoded."""
    per_second = patches_per_second(survey.settings)
    done = itertools.count(1)

    def patches(clip: corpus.TrainingClip) -> int:
        tick("reading clips", next(done), len(survey.clips))
        if store.path(clip).is_file():  # its audio is hashed
            return store.patches(clip)
        return max(1, math.ceil(clip.seconds * per_second))

    data = survey.data(patches)
    missing = {clip.id for clip in store.missing(survey.clips)}  # equal audio is encoded once
    return data, [each for each in (*data.train, *data.validation) if each.id in missing]


def patches_per_second(settings: dict[str, Any]) -> float:
    """Patches in a second of audio: 6.25 in the published model."""
    vae = settings.get("audio_vae_config") or base.real_config()["audio_vae_config"]
    return float(vae["sample_rate"] / (settings.get("patch_size", 4) * math.prod(vae["encoder_rates"])))


def _plan(run: config.Run, examples: Sequence[Example]) -> RunPlan:
    """The run's batches, as training will make them, gone through and summed up; of a very long run the first."""
    tokens = run.batch.micro_batch_tokens or run.batch.tokens
    plans = EpochPlans(run, examples)
    steps = plans.total_steps()
    text = patches = 0
    largest = list[Example]()
    epochs: dict[int, int] = {}
    first: list[list[Example]] = []
    planned = min(steps, PLANNED)
    for state, batch in plans.remaining(BEGINNING, planned):
        others, targets = _positions(batch)
        text, patches = text + others, patches + targets
        epochs[state.epoch] = state.batches
        first += [batch] if len(first) < TRIAL else []
        for piece in shard(range(len(batch)), batch, ranks=1, tokens=tokens)[0]:
            largest = max(largest, [batch[position] for position in piece], key=fit.weight)
    text, patches = text * steps // planned, patches * steps // planned
    return RunPlan(steps, [epochs[epoch] for epoch in sorted(epochs)], text, patches, largest, first)


def _positions(examples: Iterable[Example]) -> tuple[int, int]:
    """Positions that are not target patches, the reference's among them, and target patches."""
    chosen = list(examples)
    patches = sum(each.patches for each in chosen)
    return sum(each.length for each in chosen) - patches, patches


def _languages(data: Data, byte_ids: Collection[int]) -> dict[str, Any]:
    """language -> clips and hours of each split with their shares, how text tokenises, how it is written.

    byte_fallback is the share of text tokens that stand for one byte of a letter, for which there is no piece.
    """
    table: dict[str, Any] = {}
    for language in sorted({each.language for each in data.train}):
        own = {split: [each for each in getattr(data, split) if each.language == language] for split in SPLITS}
        both = [*own["train"], *own["validation"]]
        tokens = sum(len(each.text) for each in both)
        table[language] = {
            **{split: _amount(data, own[split]) | _share(data, own[split], getattr(data, split)) for split in own},
            "tokens_per_second": round(tokens / data.seconds(both), 2),
            "tokens_per_character": round(tokens / sum(len(data.clips[each.id].text) for each in both), 3),
            "byte_fallback": round(sum(token in byte_ids for each in both for token in each.text) / max(1, tokens), 4),
            "tag": data.reading[language].tag,
            "form": data.reading[language].form,
        }
    return table


def _amount(data: Data, examples: Sequence[Example]) -> dict[str, Any]:
    return {"clips": len(examples), "hours": round(data.seconds(examples) / 3600, 4)}


def _share(data: Data, examples: Sequence[Example], of: Sequence[Example]) -> dict[str, float]:
    return {"share": round(data.seconds(examples) / data.seconds(of), 4) if of else 0.0}


def _memory(run: config.Run, cost_model: CostModel, kind: torch.dtype, run_plan: RunPlan) -> dict[str, Any]:
    """Bytes of one device; the GPU's own context and what its allocator cannot use come on top."""
    plain, checkpointed = cost_model.peaks(run_plan.largest)
    fixed = cost_model.fixed
    return {
        "precision": voxcpm.NAMES[kind],
        "quantization": run.train.quantization,
        "base": cost_model.base_bytes,
        "adapter": cost_model.state_bytes,
        "positions": sum(each.length for each in run_plan.largest),
        "activations": plain,
        "activations_checkpointing": checkpointed,
        "total": fixed + (checkpointed if run.train.checkpointing else plain),
        "total_checkpointing": fixed + checkpointed,
    }


def _disk(
    run: config.Run,
    parameters: int,
    settings: dict[str, Any],
    kind: torch.dtype,
    data: Data,
    missing: Sequence[Example],
) -> dict[str, int]:
    patch = settings["patch_size"] * settings["feat_dim"] * 4 + settings["encoder_config"]["hidden_dim"] * kind.itemsize
    kept = run.train.keep + (len(data.reading) if run.train.validate_every else 0)
    return {
        "latents": sum(each.patches for each in missing) * patch,
        "checkpoints": (kept + 1) * _checkpoint(run) * parameters,  # one more while it is written
        "free_latents": shutil.disk_usage(_existing(run.latents_folder)).free,
        "free_run": shutil.disk_usage(_existing(run.into)).free,
    }


def _checkpoint(run: config.Run) -> int:
    """Bytes of a parameter; where an average is kept, the adapter is it, and state holds it and the weights as well."""
    return CHECKPOINT_BYTES + 2 * AVERAGE_BYTES * bool(run.optimizer.ema_decay)


def _existing(folder: Path) -> Path:
    return next(place for place in (folder, *folder.parents) if place.is_dir())


def _time(
    run: config.Run,
    model: Path,
    data: Data,
    run_plan: RunPlan,
    rates: Rates,
    flops: float,
    device: str,
) -> dict[str, Any]:
    """FLOPs of the whole run, their floor on an H200, and seconds here by a few real steps where these are short."""
    table: dict[str, Any] = {
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
        return table
    taken = cost.measure(run, model, data, run_plan.trial, device)
    return table | {
        "measured": flops / sum(steps) * taken.seconds,
        "memory_measured": taken.memory if device == "cuda" else None,
    }


def _silences(data: Data, tick: Tick) -> dict[str, checks.Measured]:
    """What the manifest says of each clip's silence, and what its samples say where it does not."""
    known = checks.in_manifest(data.clips.values())
    unknown = [clip for clip in data.clips.values() if known[clip.id].tail is None]
    return known | checks.listened(unknown, lambda done, total: tick("listening for silence", done, total))
