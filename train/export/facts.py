"""What a run and its corpus wrote down of an adapter, for its model card: steps, data by licence, held-out losses."""

import logging
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from train import config, validation
from train.validation import Validation

log = logging.getLogger(__name__)


def gather(run: Path, step: int) -> dict[str, Any]:
    """What a run and its corpus say of an adapter, as JSON: step, the corpus by language, split and source, losses.

    Also what it began from, and how the base was kept, where that is to be said.

    Without a corpus that can be read, or before any validation, that part is empty.
    """
    settings = config.read(run)
    return (
        {
            "step": step,
            "data": list(_data_facts(settings.corpus / "manifest.parquet")),
            "losses": _loss_facts(validation.written(run), step),
        }
        | ({"start_from": settings.start_from.name} if settings.start_from else {})
        | of_base(settings)
    )


def of_base(run: config.Run) -> dict[str, Any]:
    """How the base was kept that an adapter was trained on, where that is not as it is."""
    return {} if run.train.quantization == "none" else {"quantization": run.train.quantization}


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
