"""The order of clips: examples to batches under a token budget, every epoch planned once, seeded and resumable.

The way of one epoch:

    clips -> `epoch_examples`: which, how often, after which reference voice
          -> `plan`: batches, one for each step of the optimizer
          -> `shard`: the part of a batch for each process, in pieces that fit its memory

Batches are counted in positions, not clips, as that is what a step costs. No padding is computed (`model.inputs`), so
lengths need not be alike for that; but attention is laid out in rectangles, and a long clip beside short ones makes
those wide. So long goes with long. Languages are merged by the rank of their lengths, so every batch has them in the
proportion of their clips, however differently their text tokenises (Khmer, split into bytes, takes up to three ids a
code point; Korean about two a syllable): the adapter is shared, and a batch of one language would pull it there.

Everything here is a pure function of the clips, the settings, the seed and the number of the epoch. So nothing of it
is stored but how far an epoch has come, and all processes come to the same batches without a word between them.
"""

import hashlib
import json
import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from train import config
from train.checkpoint import State
from train.model.inputs import seed_of

WINDOW = (
    16  # batches' worth of clips that are ordered by length together: more is more even, and shuffles less; our choice
)
BEGINNING = State(0, 0, 0)


@dataclass(frozen=True)
class Example:
    """One clip, ready to be batched; its latents stay on disk."""

    id: str
    language: str
    text: tuple[int, ...]
    patches: int
    person: str = ""  # who speaks; empty: nobody knows
    repeat: int = 0  # how often it came before in the same epoch
    reference: str = ""  # another clip of the same person, which stands before its text
    reference_patches: int = 0

    @property
    def length(self) -> int:
        """Positions that are computed: text, 101 and all patches but the last; 103, reference, 104 where there is one.

        The last patch and 102 come after everything that is predicted, and change nothing.
        """
        # 101 is one more than the text, the last patch one less than the patches
        return len(self.text) + self.patches + (self.reference_patches + 2 if self.reference else 0)


def epoch_examples(
    examples: Sequence[Example], *, temperature: float, reference: float | None, seed: int, epoch: int
) -> list[Example]:
    """What an epoch consists of; a pure function of its arguments.

    At temperature 1 it is every example once. Above it, languages come in proportion to hours^(1/temperature): the one
    with most comes once, the others again and again. A share `reference` comes after another clip of its person, drawn
    anew in each epoch; None: after the clips that the manifest names.
    """
    # A language of h hours is to come in proportion to h^(1/T), and it comes h x times hours: so times is h^(1/T - 1),
    # divided by that of the largest language, which comes once. Of times = 2.3 every clip comes twice, and 0.3 of the
    # clips, drawn anew each epoch, a third time. Patches stand for hours: 6.25 to the second, and the scale cancels.
    languages = _by_language(examples)
    patches = {language: max(1, sum(examples[i].patches for i in members)) for language, members in languages.items()}
    most = max(patches.values(), default=1)
    chosen = []
    for language, members in languages.items():
        times = (most / patches[language]) ** (1 - 1 / temperature)
        drawn = random.Random(seed_of(seed, "turns", epoch, language))  # another word here would be other batches
        once_more = set(drawn.sample(members, round((times - int(times)) * len(members))))
        chosen += [(i, repeat) for i in members for repeat in range(int(times) + (i in once_more))]
    voices: dict[str, list[Example]] = {}
    for each in examples:
        voices.setdefault(each.person, []).append(each)
    return [
        _with_reference(replace(examples[position], repeat=repeat), voices, reference, seed, epoch)
        for position, repeat in sorted(chosen)
    ]


def _with_reference(
    example: Example, voices: dict[str, list[Example]], share: float | None, seed: int, epoch: int
) -> Example:
    if share is None:
        return example
    example = replace(example, reference="", reference_patches=0)
    if not (share and example.person):
        return example
    drawn = random.Random(seed_of(seed, "reference", epoch, example.id, example.repeat))
    if drawn.random() >= share:
        return example
    others = [each for each in voices[example.person] if each.id != example.id]
    others = [each for each in others if each.text != example.text] or others  # or copying it would do
    if not others:
        return example
    voice = drawn.choice(others)
    return replace(example, reference=voice.id, reference_patches=voice.patches)


def plan(examples: Sequence[Example], *, tokens: int, seed: int, epoch: int) -> list[list[int]]:
    """One epoch: every example once, as positions in `examples`; a pure function of its arguments.

    A batch holds at most `tokens` positions; a longer example is a batch by itself.
    """
    # Clips are shuffled, and cut into windows of about WINDOW batches; only inside a window are they ordered by length.
    # So a batch has clips of like lengths in each language, but not the same ones in every epoch. Batches are shuffled
    # at the end, or each window would go from its shortest to its longest.
    drawn = random.Random(seed_of(seed, "plan", epoch))
    windows = max(1, math.ceil(sum(each.length for each in examples) / (tokens * WINDOW)))
    shuffled = {language: drawn.sample(members, len(members)) for language, members in _by_language(examples).items()}
    batches = []
    for window in range(windows):
        parts = [
            members[len(members) * window // windows : len(members) * (window + 1) // windows]
            for members in shuffled.values()
        ]
        batches += _cut(_merge(parts, examples), examples, tokens)
    drawn.shuffle(batches)
    return batches


def in_order(examples: Sequence[Example], *, tokens: int) -> list[list[int]]:
    """Every example once in a fixed order by length and id: for validation."""
    order = sorted(range(len(examples)), key=lambda i: (examples[i].length, examples[i].id))
    return _cut(order, examples, tokens)


def shard(batch: Sequence[int], examples: Sequence[Example], *, ranks: int, tokens: int) -> list[list[list[int]]]:
    """Split one batch over `ranks` processes, each part into pieces of at most `tokens` positions.

    Longest first, each to the rank that has least so far, so that no process waits long for another: two differ by no
    more than the longest clip. A pure function of its arguments.
    """
    order = sorted(batch, key=lambda i: (-examples[i].length, examples[i].id))
    shards: list[list[int]] = [[] for _ in range(ranks)]
    filled = [0] * ranks
    for position in order:
        least = filled.index(min(filled))
        shards[least].append(position)
        filled[least] += examples[position].length
    return [_cut(own, examples, tokens) for own in shards]


def over_budget(examples: Sequence[Example], tokens: int) -> list[Example]:
    """Examples that fill more than a batch by themselves; they are trained on all the same, one at a time."""
    return [example for example in examples if example.length > tokens]


class EpochPlans:
    """The batches of each epoch of a run, each epoch planned once: a pure function of (run, examples, epoch)."""

    def __init__(self, run: config.Run, examples: Sequence[Example]) -> None:
        self._run, self._examples = run, examples
        self._planned: dict[int, list[list[Example]]] = {}

    def batches(self, epoch: int) -> list[list[Example]]:
        """The batches of an epoch, in order."""
        if epoch not in self._planned:
            settings, seed = self._run.batch, self._run.train.seed
            chosen = epoch_examples(
                self._examples, temperature=settings.temperature, reference=settings.reference, seed=seed, epoch=epoch
            )
            planned = plan(chosen, tokens=settings.tokens, seed=seed, epoch=epoch)
            self._planned[epoch] = [[chosen[position] for position in batch] for batch in planned]
        return self._planned[epoch]

    def total_steps(self, at: State = BEGINNING) -> int:
        """Steps of the whole run: as asked for, or those done and the batches still to come of all epochs."""
        if self._run.train.steps is not None:
            return self._run.train.steps
        epochs = range(at.epoch, self._run.train.epochs)
        return at.step - at.batch + sum(len(self.batches(epoch)) for epoch in epochs)

    def resumed(self, at: State) -> tuple[State, list[str]]:
        """Where to go on from, and a note where the epoch's batches are no longer those that it began with.

        Batches done of one order say nothing about another, so such an epoch begins again; a complete one stays done.
        """
        if not at.plan or at.plan == _digest(self.batches(at.epoch)):
            return at, []
        if at.batch == at.batches:
            return replace(at, epoch=at.epoch + 1, batch=0), []
        why = "its batches changed with [batch], train.seed or the corpus"
        return replace(at, batch=0), [f"epoch {at.epoch + 1} begins again after step {at.step}: {why}"]

    def remaining(self, at: State, steps: int) -> Iterator[tuple[State, list[Example]]]:
        """The batches still to be trained on, each with the state the run is in once it is done."""
        step, epoch, first = at.step, at.epoch, at.batch
        while step < steps:
            batches = self.batches(epoch)
            digest = _digest(batches)
            for number in range(first, len(batches)):
                if step == steps:
                    return
                step += 1
                yield State(step, epoch, number + 1, len(batches), digest), batches[number]
            self._planned.pop(epoch)  # it is gone through
            epoch, first = epoch + 1, 0


def _digest(batches: Sequence[Sequence[Example]]) -> str:
    named = [[each.id + (f" after {each.reference}" if each.reference else "") for each in batch] for batch in batches]
    return hashlib.sha256(json.dumps(named).encode()).hexdigest()


def _by_language(examples: Sequence[Example]) -> dict[str, list[int]]:
    languages: dict[str, list[int]] = {language: [] for language in sorted({each.language for each in examples})}
    for position, example in enumerate(examples):
        languages[example.language].append(position)
    return languages


def _merge(parts: Sequence[list[int]], examples: Sequence[Example]) -> list[int]:
    """One order of all languages, shortest first: the clip at a share s of its own language stands at s of all."""
    ranked = []
    for number, part in enumerate(parts):
        by_length = sorted(part, key=lambda i: examples[i].length)
        ranked += [((rank + 0.5) / len(part), number, position) for rank, position in enumerate(by_length)]
    return [position for _, _, position in sorted(ranked)]


def _cut(order: Sequence[int], examples: Sequence[Example], tokens: int) -> list[list[int]]:
    """An order cut where the next clip would be over the budget; a clip that is over it alone is cut off alone."""
    batches: list[list[int]] = []
    filled = 0
    for position in order:
        length = examples[position].length
        if batches and filled + length <= tokens:
            batches[-1].append(position)
            filled += length
        else:
            batches.append([position])
            filled = length
    return batches
