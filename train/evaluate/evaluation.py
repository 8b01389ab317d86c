"""`train evaluate`, top to bottom; a generator of what happens, resumable at every line that it notes.

1. what is evaluated: held-out clips, sentences, the base model, the conditions; held to what the folder was begun with;
2. the natural recordings, which everything else is compared with;
3. each condition: its held-out losses, its sentences spoken, its WAVs measured; one process holds one condition;
4. what crosses conditions or needs all of one: faults, whose voice it is; then the tables and the page.

Nothing random has a state, and every record is a line that is kept. So a killed evaluation, begun again by the same
command, ends in the same bytes; and a condition that is added later asks only about itself.
"""

import json
import time
from collections.abc import Generator, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from curate import files
from curate.errors import Busy, UserError
from train.adapter import lora
from train.adapter.lora import Vector
from train.data import latents
from train.data.dataset import Data
from train.data.latents import Progress
from train.data.sampler import Example
from train.evaluate import folder, held_out, losses, measuring, results, synthesis
from train.evaluate.conditions import Condition
from train.evaluate.folder import NATURAL, Answers, read_lines
from train.evaluate.plan import ABOUT, LOSSES, SPOKEN, Plan, Settings, is_whole, prepare, spoken_key
from train.model import voxcpm

Event = str | Progress
WAIT = 0.5  # seconds between two looks at a lock that is held for a moment


def evaluate(settings: Settings) -> Iterator[Event]:
    """Evaluate; the last event says where the page is."""
    plan = prepare(settings)
    yield from plan.held.notes
    yield from natural(plan)
    data = yield from held_data(plan)
    for condition in plan.conditions:
        yield from evaluate_condition(plan, condition, data)
    yield from finish(plan)


# ---- the natural recordings


def natural(plan: Plan) -> Iterator[Event]:
    """The recordings of the sentences, copied and measured; one process does it, others wait."""
    into, recorded = plan.settings.into, [each for each in plan.sentences if each.recording]
    if not recorded:
        yield "no sentence has a recording by a person: nothing says how well people do by the same measures"
    with waiting(into / "answers" / NATURAL / ".lock"):
        _register(into, NATURAL, folder.digest([[each.id, each.text] for each in recorded]), {})
        spoken = Answers(folder.answers(into, NATURAL, SPOKEN), spoken_key)
        lacking = [
            each for each in recorded
            if (each.id, 1) not in spoken.found or not folder.wav(into, NATURAL, each.id).is_file()
        ]  # fmt: skip
        for record in synthesis.copy_recordings(lacking, into):
            spoken.add([record])
        yield from _measure(plan, NATURAL)
        measuring.voices(held_out.speakers(plan.held), plan.meter, into)


# ---- one condition


def held_data(plan: Plan) -> Generator[Progress, None, Data]:
    """The held-out clips with their latents, encoded first where they are not; the value of this generator."""
    store = latents.Latents(
        plan.settings.latents or plan.settings.corpus / "latents", plan.model, voxcpm.default_dtype(plan.device)
    )
    yield from store.encode(plan.held.clips, device=plan.device)
    tokenize = voxcpm.Tokenizer(plan.model)
    held = [
        Example(clip.id, clip.language, tuple(tokenize(clip.text)), store.patches(clip), clip.person)
        for clip in plan.held.clips
    ]
    return Data([], held, plan.held.reading, {clip.id: clip for clip in plan.held.clips}, store)


def evaluate_condition(plan: Plan, condition: Condition, data: Data) -> Iterator[Event]:
    """Losses, speech and measures of one condition. Raises Busy where another process is at it."""
    into = plan.settings.into
    with folder.locked(into, condition.name):
        _register(into, condition.name, condition.identity, condition.facts)
        lost = Answers(folder.answers(into, condition.name, LOSSES), lambda line: str(line["id"]))
        spoken = Answers(folder.answers(into, condition.name, SPOKEN), spoken_key)
        lacks_losses = any(each.id not in lost.found for each in data.validation)
        wanted = {
            (each.id, take)
            for each in plan.sentences
            for take in range(1, plan.settings.speaking.takes + 1)
            if (each.id, take) not in spoken.found or not folder.wav(into, condition.name, each.id, take).is_file()
        }
        if lacks_losses or wanted:
            yield f"{condition.name}: loading {condition.model}"
            model, vector = _load(condition, plan.device)
            if lacks_losses:
                lost.add(losses.measure(model, vector, data, _held(plan, condition, data), draws=plan.settings.draws))
            done = 0
            for record in synthesis.speak(
                model, condition, plan.sentences, plan.settings.speaking, into, lambda id, take: (id, take) in wanted
            ):
                spoken.add([record])
                yield Progress(done := done + 1, len(wanted), f"{condition.name} speaks")
            del model, vector
        yield from _measure(plan, condition.name)


def _load(condition: Condition, device: str) -> tuple[Any, Vector | None]:
    """The model as the trainer has it, so that losses are those of a validation; and the adapter's weights."""
    model = voxcpm.load(condition.model, device=device, training=True)
    if condition.saved is None:
        return model, None
    lora.load_onto(model, condition.saved)
    return model, Vector(model, condition.saved.adapter)


def _held(plan: Plan, condition: Condition, data: Data) -> list[Example]:
    """The held-out clips with the text that this condition is given."""
    texts = {}
    for clip in plan.held.clips:
        own = plan.held.reading[clip.language]
        same = condition.reading.get(clip.language) == own
        texts[clip.id] = clip.text if same else condition.text(held_out.sentence_of(clip, own))
    return losses.examples(data, voxcpm.Tokenizer(plan.model), texts)


def _measure(plan: Plan, name: str) -> Iterator[Event]:
    """Ask about the WAVs of a condition: their sound, then what a recogniser hears."""
    into, meter = plan.settings.into, plan.meter
    spoken = folder.read_lines(folder.answers(into, name, SPOKEN))
    for done, total in measuring.sounds(into, name, spoken, plan.by_id, meter):
        yield Progress(done, total, f"measuring {name}")
    for done, total in measuring.hearings(into, name, spoken, plan.by_id, plan.recognisers):
        yield Progress(done, total, f"transcribing {name}")


def _register(into: Path, name: str, identity: str, facts: Mapping[str, Any]) -> None:
    """Note which weights a condition is of. Raises UserError where its name was taken by others."""
    path = into / "answers" / name / ABOUT
    if path.is_file():
        before = json.loads(path.read_text(encoding="utf-8"))
        if before["identity"] != identity:
            raise UserError(
                f"{name} was evaluated in {into} with other weights, tags or recordings: give it another name "
                "(NAME=FOLDER), or choose another --into"
            )
        return
    files.write_text(path, json.dumps({"identity": identity, **facts}, indent=2) + "\n")


# ---- all of it


def finish(plan: Plan) -> Iterator[Event]:
    """Read all answers and write the tables and the page; several processes take turns."""
    with waiting(plan.settings.into / "answers" / ".lock"):
        yield from results.write(plan)


@contextmanager
def waiting(path: Path) -> Iterator[None]:
    """Hold a lock that others hold for moments only."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with ExitStack() as held:
        while True:
            try:
                held.enter_context(files.locked(path, ""))
                break
            except Busy:
                time.sleep(WAIT)
        yield


def is_measured(plan: Plan, name: str) -> bool:
    """Whether nothing is left to do for a condition."""
    if not is_whole(plan, name):
        return False
    into, spoken = plan.settings.into, read_lines(folder.answers(plan.settings.into, name, SPOKEN))
    sounds = folder.answers(into, name, f"sound-{plan.meter.fingerprint}")
    heard = [measuring.heard_path(into, name, language, each) for language, each in plan.recognisers.items()]
    known = {spoken_key(line) for line in read_lines(sounds)}
    transcribed = sum(len({spoken_key(line) for line in read_lines(path)}) for path in heard)
    wanted = [each for each in spoken if plan.by_id[each["sentence"]].language in plan.recognisers]
    there = all(folder.wav(into, name, *spoken_key(each)).is_file() for each in spoken)
    return there and {spoken_key(each) for each in spoken} <= known and transcribed >= len(wanted)
