"""The adapter of a run or a folder: found, with the model that it belongs to, and exported with its model card."""

from dataclasses import replace
from pathlib import Path

from curate import files
from curate.errors import UserError
from train import checkpoint, config
from train.adapter import formats, lora
from train.export import card, facts


def adapter_of(folder: Path, step: int | None = None) -> lora.Saved:
    """The adapter of a run (its last checkpoint, or that of a step) or of a folder in either format."""
    if (folder / "run.toml").is_file():
        return lora.load(_checkpoint(folder, step))
    if step is not None:
        raise UserError(f"{folder} is no run, so it has no step {step}")
    return lora.load(folder)


def with_facts(folder: Path, step: int | None = None) -> lora.Saved:
    """The same, with what its run and corpus say of it."""
    saved = adapter_of(folder, step)
    if not (folder / "run.toml").is_file():
        return saved
    return replace(saved, facts=facts.gather(folder, int(_checkpoint(folder, step).name)))


def export(
    folder: Path,
    form: str,
    into: Path | None = None,
    *,
    step: int | None = None,
    alpha: int | None = None,
    pad_rank: int | None = None,
) -> Path:
    """Write the adapter of a run or a folder in another format, and its model card; by default to FOLDER/export/FORMAT.

    With `alpha` or `pad_rank` it is the same function at that alpha and rank: `formats.reshaped`. Raises UserError
    where the place holds anything else, such as a card that was edited, or is FOLDER itself.
    """
    if form not in lora.FORMATS:
        raise UserError(f"unknown format {form!r}; there are {', '.join(lora.FORMATS)}")
    place = into or folder / "export" / form
    if place.resolve() == folder.resolve():
        raise UserError(f"{place} holds what would be lost, the adapter that is to be exported: choose another --into")
    trained = with_facts(folder, step)
    saved = reshaped(trained, alpha, pad_rank)
    notes = [_reshaped(trained.adapter, saved.adapter)] if saved is not trained else []
    ours = lora.FILES if (place / lora.NOTES).is_file() else ()  # without the note, another trainer wrote them
    ours = (*ours, card.CARD) if card.is_untouched(place / card.CARD) else ours
    try:
        with files.replacing_folder(place, ours) as partial:
            lora.write(saved, partial, form)
            (partial / card.CARD).write_text(card.text(saved, form, notes), encoding="utf-8")
    except OSError as problem:
        reason = problem.strerror or problem
        raise UserError(f"{place} cannot be written ({reason}): choose another --into") from problem
    return place


def reshaped(saved: lora.Saved, alpha: int | None, pad_rank: int | None) -> lora.Saved:
    """The same function at that alpha and rank, where either is given. Raises UserError where it cannot be exact."""
    if not (alpha or pad_rank):
        return saved
    weights, adapter = formats.reshaped(saved.weights, saved.adapter, alpha=alpha, rank=pad_rank)
    return replace(saved, weights=weights, adapter=adapter)


def _reshaped(trained: config.Adapter, written: config.Adapter) -> str:
    """What the card says of an adapter that is written at another rank or alpha than it was trained at."""
    was = f"rank {trained.rank}, alpha {formats.peft_alpha(trained):g}{' with rsLoRA' if trained.rslora else ''}"
    factor = trained.scale / written.scale
    return (
        f"trained at {was}; written at rank {written.rank}, alpha {formats.peft_alpha(written):g}, for runtimes that "
        f"fix them: zeros up to that rank, B times {factor:g}, exactly the same function"
    )


def base_of(folder: Path, saved: lora.Saved, model: str | None) -> tuple[str, str | None]:
    """The model that an adapter belongs to, unless another is given, and its revision."""
    if model:
        return model, None
    if (folder / "run.toml").is_file():
        run: config.Run = config.read(folder)
        return run.model, run.revision
    if not saved.base:
        raise UserError(f"the adapter in {folder} does not say which model it belongs to: give --model")
    return saved.base, saved.revision


def _checkpoint(run: Path, step: int | None) -> Path:
    if step is not None and not checkpoint.path_of(run, step).is_dir():
        kept = [str(int(path.name)) for path in checkpoint.every(run)]
        raise UserError(f"{run} keeps no checkpoint of step {step}; there are {', '.join(kept) or 'none'}")
    folder = checkpoint.newest(run) if step is None else checkpoint.verified(checkpoint.path_of(run, step))
    if folder is None:
        raise UserError(f"{run} has no checkpoint yet: `train resume {run}`")
    return folder
