"""`--from ADAPTER`: a run that begins from an existing adapter, of this or of any other trainer, instead of from none.

A new language can be taught later, or more hours of the same. The run takes over what makes the adapter that function:
rank, scale, modules; dropout and everything else is the run file's. Its optimizer begins anew.
"""

import logging
from pathlib import Path
from typing import Any

from curate.errors import UserError
from train import config
from train.adapter import lora
from train.data.corpus import Reading
from train.export import adapter
from train.model import base, voxcpm

log = logging.getLogger(__name__)
SHAPE = ("rank", "scope", "modules", "projections", "rslora")  # and the scale


def adopted(run: config.Run) -> config.Run:
    """The run with the shape of the adapter that it begins from, where it does from one.

    Raises UserError where that cannot be read, or the run asks for another shape.
    """
    if run.start_from is None:
        return run
    earlier = adapter.adapter_of(run.start_from).adapter
    for key in sorted(run.adapter.model_fields_set & {*SHAPE, "alpha"}):
        asked, there = getattr(run.adapter, key), getattr(earlier, key)
        if key in ("alpha", "rslora"):  # one scale is said in several ways
            if run.adapter.model_copy(update={"rank": earlier.rank}).scale == earlier.scale:
                continue
            there = f"scale {earlier.scale:g}"
        if asked != there:
            raise UserError(
                f"adapter.{key} = {_shown(asked)}, but {run.start_from} has {_shown(there)}: leave adapter.{key} out, "
                "a run that begins from an adapter takes that over"
            )
    return run.model_copy(update={"adapter": earlier.model_copy(update={"dropout": run.adapter.dropout})})


def read(run: config.Run, model: Path, *, quiet: bool = False) -> lora.Saved | None:
    """The adapter that a run begins from. Raises UserError where it is not of the model in that folder.

    A warning says where it names another base of the same shape, unless `quiet`.
    """
    if run.start_from is None:
        return None
    saved = adapter.adapter_of(run.start_from)
    fitted = voxcpm.on_meta(base.read_config(model))
    lora.attach(fitted, saved.adapter)
    try:
        lora.check_shapes(fitted, saved.weights)
    except UserError as problem:
        raise UserError(f"{run.start_from} does not fit {run.model}, so it is of another base: {problem}") from None
    origin, revision = adapter.base_of(run.start_from, saved, None) if saved.base else ("", None)
    if not quiet and origin and (origin, revision or run.revision) != (run.model, run.revision):
        named = f"{origin} at revision {revision}" if revision else origin
        log.warning(
            "%s was trained on %s: on other weights than those it begins as something else", run.start_from, named
        )
    return saved


def check_tags(earlier: lora.Saved, reading: dict[str, Reading]) -> list[str]:
    """What is to be said where a language is written otherwise now than when the adapter learned it."""
    return [
        f"{language} was written as {earlier.tags[language]!r} + {earlier.forms.get(language, 'spoken')} text when the "
        f"adapter learned it, and is {now.tag!r} + {now.form} now: it will be spoken as now"
        for language, now in sorted(reading.items())
        if language in earlier.tags
        and (earlier.tags[language], earlier.forms.get(language, "spoken")) != (now.tag, now.form)
    ]


def _shown(value: Any) -> str:
    return ", ".join(value) if isinstance(value, tuple) else str(value)
