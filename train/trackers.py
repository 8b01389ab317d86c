"""Where losses and spoken sentences can be watched beside RUN's own files: TensorBoard, trackio, wandb.

None of them is needed: metrics.jsonl holds every figure. So what a tracker cannot do ends no run: it is said once, and
the run goes on without it. trackio (MIT) keeps its data on this machine unless told otherwise (TRACKIO_SPACE_ID);
wandb (MIT) sends it away unless WANDB_MODE is offline.
"""

import contextlib
import importlib
import importlib.util
import json
import logging
import sys
import uuid
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol

from curate import files
from curate.errors import UserError
from train import config

log = logging.getLogger(__name__)
PROJECT = "samsori"
KINDS = ("trackio", "wandb")  # in the order in which `auto` looks for them
NOTE = "tracker.json"  # under which name and id a run is known to its tracker, so that a resumed one goes on there
TENSORBOARD = "tensorboard"


class Tracker(Protocol):
    """What a run shows somewhere else."""

    def figures(self, step: int, values: Mapping[str, float]) -> None:
        """Figures of a step, by name."""

    def sound(self, step: int, name: str, path: Path, text: str) -> None:
        """A WAV file that was spoken at a step, and what it says."""

    def close(self) -> None:
        """Send what is held back."""


def chosen(run: config.Run) -> str | None:
    """The tracker that a run asks for, or None. Raises UserError where it is not installed."""
    asked = run.train.tracker
    if asked == "off":
        return None
    wanted = KINDS if asked == "auto" else (asked,)
    there = [name for name in wanted if _is_installed(name)]
    if not there:
        raise UserError(
            f"train.tracker = {asked}, but {' and '.join(wanted)} {'are' if len(wanted) > 1 else 'is'} not installed: "
            f"`pip install {wanted[0]}`, or --set train.tracker=off"
        )
    return there[0]


def _is_installed(name: str) -> bool:
    """Whether there is such a library; a folder of that name, such as wandb makes, is none."""
    spec = importlib.util.find_spec(name)
    return bool(spec and spec.origin)


def _library(name: str) -> Any:
    return importlib.import_module(name)  # one of KINDS, none of which the project installs


def started(run: config.Run, step: int) -> list[Tracker]:
    """The trackers of a run that begins, or goes on after a step."""
    makers: list[tuple[str, Callable[[], Tracker]]] = []
    if run.train.tensorboard:
        makers += [("TensorBoard", lambda: TensorBoard(run, step))]
    if kind := chosen(run):
        makers += [(kind, lambda: Trackio(run, step) if kind == "trackio" else Wandb(run, step))]
    return [_Safe(name, make) for name, make in makers]


class _Safe:
    """A tracker whose failures end no run: the first is said, and it is asked no more."""

    def __init__(self, name: str, make: Callable[[], Tracker]) -> None:
        self._name = name
        self._inner: Tracker | None = None
        with self._said():
            self._inner = make()

    def figures(self, step: int, values: Mapping[str, float]) -> None:
        with self._said():
            if self._inner:
                self._inner.figures(step, values)

    def sound(self, step: int, name: str, path: Path, text: str) -> None:
        with self._said():
            if self._inner:
                self._inner.sound(step, name, path, text)

    def close(self) -> None:
        with self._said():
            if self._inner:
                self._inner.close()

    @contextlib.contextmanager
    def _said(self) -> Iterator[None]:
        try:
            with contextlib.redirect_stdout(sys.stderr):  # the result of a command is printed there, and nothing else
                yield
        except Exception as problem:  # network, login, disk: each library raises its own kinds
            self._inner = None
            reason = str(problem).strip().splitlines()[0] if str(problem).strip() else type(problem).__name__
            log.warning("%s fails (%s): the run goes on without it, metrics.jsonl has everything", self._name, reason)


class TensorBoard:
    """RUN/tensorboard, through tensorboardX (MIT)."""

    def __init__(self, run: config.Run, step: int) -> None:
        from tensorboardX import SummaryWriter

        self._writer = SummaryWriter(str(run.into / TENSORBOARD), purge_step=step + 1 if step else None)

    def figures(self, step: int, values: Mapping[str, float]) -> None:
        for name, value in values.items():
            self._writer.add_scalar(name, value, step)

    def sound(self, step: int, name: str, path: Path, text: str) -> None:
        import soundfile

        samples, rate = soundfile.read(path, dtype="float32")
        self._writer.add_audio(name, samples, step, sample_rate=rate)

    def close(self) -> None:
        self._writer.close()


class Trackio:
    """trackio's project `samsori`: `trackio show` opens it."""

    def __init__(self, run: config.Run, step: int) -> None:
        self._library = _library("trackio")
        known = _known(run, step)
        self._run = self._library.init(
            project=PROJECT,
            name=known.get("name", run.into.name),
            config=_settings(run),
            resume="allow" if known else "never",
            embed=False,
        )
        _note(run, {"tracker": "trackio", "name": self._run.name})

    def figures(self, step: int, values: Mapping[str, float]) -> None:
        self._run.log(dict(values), step=step)

    def sound(self, step: int, name: str, path: Path, text: str) -> None:
        self._run.log({name: self._library.Audio(path, caption=text)}, step=step)

    def close(self) -> None:
        self._library.finish()  # the run's own would be finished once more when Python ends, and said


class Wandb:
    """wandb's project `samsori`.

    Steps are a figure among others, for wandb's own may not go back, as those that a resumed run does again do.
    """

    def __init__(self, run: config.Run, step: int) -> None:
        self._library = _library("wandb")
        name = _known(run, step).get("name", uuid.uuid4().hex[:12])
        self._run = self._library.init(
            project=PROJECT,
            id=name,
            name=run.into.name,
            config=_settings(run),
            dir=str(run.into),
            resume="allow",
            settings={"silent": True, "console": "off"},
        )
        self._run.define_metric("*", step_metric="step")
        _note(run, {"tracker": "wandb", "name": name})

    def figures(self, step: int, values: Mapping[str, float]) -> None:
        self._run.log({"step": step, **values})

    def sound(self, step: int, name: str, path: Path, text: str) -> None:
        self._run.log({"step": step, name: self._library.Audio(str(path), caption=text)})

    def close(self) -> None:
        self._run.finish()


def _settings(run: config.Run) -> dict[str, Any]:
    """The settings that losses depend on; folders of this machine are nobody's business."""
    table = run.model_dump(mode="json")
    return {name: table[name] for name in ("adapter", "optimizer", "batch", "train")}


def _known(run: config.Run, step: int) -> dict[str, Any]:
    """What its tracker noted of a run that goes on; of one that begins, nothing, whatever an attempt has left."""
    try:
        known = dict(json.loads((run.into / NOTE).read_text(encoding="utf-8"))) if step else {}
    except (OSError, ValueError, TypeError):
        return {}
    return known if known.get("tracker") == chosen(run) else {}


def _note(run: config.Run, known: dict[str, str]) -> None:
    files.write_text(run.into / NOTE, json.dumps(known) + "\n")
