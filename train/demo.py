"""The whole of training on a tiny model, offline: latents, one adapter, exports, VoxCPM's loader, speech."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import torch

from curate.errors import UserError
from train import config, finetune
from train.adapter import lora
from train.export import adapter, say
from train.model import speaking, tiny
from train.validation import Validation

SENTENCES = {"km": "សួស្តី", "ko": "안녕하세요"}  # "hello" in both
RUN = "tiny-run"  # a name that no run of a person's own has: it is removed when the demonstration begins again
SETTINGS = (  # a tiny model on two cores: few steps, and a rate that suits random weights
    "adapter.rank=8",
    "optimizer.learning_rate=0.01",
    "optimizer.warmup_steps=5",
    "batch.tokens=320",
    "train.steps=60",
    "train.validate_every=20",
    "train.save_every=30",
    "train.device=cpu",
)


def run(into: Path, corpus: Path) -> Iterator[finetune.Event]:
    """Run the demonstration in a folder; yields what happens. It ends early where it was interrupted."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # so small a model is five times slower when two threads wait for each other
    try:
        yield from _run(into, corpus)
    finally:
        torch.set_num_threads(threads)


def fell(first: Validation, last: Validation, language: str) -> str:
    """One line: the held-out loss of a language before and after."""
    before, after = first.languages[language]["loss"], last.languages[language]["loss"]
    verb = "fell" if after < before else "did not fall"
    return f"{language}: held-out loss {verb} from {before:.3f} (step {first.step}) to {after:.3f} (step {last.step})"


def closing(into: Path, corpus: Path) -> str:
    """Where everything is and what to do next."""
    return f"""
report:     {corpus / "report" / "index.html"}
run:        {into / RUN}
adapter:    {into / "adapter-voxcpm"} (VoxCPM), {into / "adapter-peft"} (PEFT)
spoken:     {into / "spoken.wav"}: this voice is noise, for the tiny model knows nothing; only the way is real

next, with the real model and a GPU:
  train lora CORPUS --model openbmb/VoxCPM2 --rank 64 --into RUN"""


def _run(into: Path, corpus: Path) -> Iterator[finetune.Event]:
    if not (corpus / "manifest.parquet").is_file():
        raise UserError(f"no corpus at {corpus}: run `curate demo --into {into}` first, or give --corpus")
    yield f"making a tiny VoxCPM2 with random weights: {into / 'tiny-voxcpm2'}"
    model = tiny.make(into / "tiny-voxcpm2")
    shutil.rmtree(into / RUN, ignore_errors=True)  # the run of an earlier demonstration
    table = {"corpus": str(corpus.absolute()), "model": str(model.absolute()), "into": str((into / RUN).absolute())}
    finetune.start(config.build(dict(table), list(SETTINGS)))
    seen = []
    for event in finetune.train(into / RUN):
        seen += [event] if isinstance(event, Validation) else []
        yield event
        if isinstance(event, finetune.Stopped):
            return
    yield from (fell(seen[0], seen[-1], language) for language in seen[0].languages)
    yield from _hand_over(into, model)


def _hand_over(into: Path, model: Path) -> Iterator[str]:
    trained = adapter.adapter_of(into / RUN)
    places = {form: adapter.export(into / RUN, form, into / f"adapter-{form}") for form in lora.FORMATS}
    language = min(trained.tags)
    sentence = say.tagged(trained, language, SENTENCES.get(language, "hello"))
    yield f"VoxCPM's own loader reads the adapter and says {sentence!r}"
    samples, rate, loaded = speaking.speak_official(model, places["voxcpm"], sentence, seed=0)
    if loaded.keys() != trained.weights.keys() or not all(torch.equal(loaded[k], trained.weights[k]) for k in loaded):
        raise RuntimeError("what VoxCPM loaded is not what was trained")
    say.write_wav((samples, rate), into / "spoken.wav")
    yield f"it loaded what was trained, all {len(loaded)} tensors, bit for bit"
