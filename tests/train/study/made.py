"""A sweep folder, as `train sweep` leaves it, and ratings, made of numbers: what a report is filled from."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from train.listen import simulate
from train.study.settings import Study

LANGUAGES = ("km", "ko")
CLIPS = 30
TRUE_MOS = {
    "km": {"zero-shot": 3.85, "r8": 3.8, "r16": 3.8, "r32": 3.8, "r64": 4.23, "r128": 3.8},
    "ko": {"zero-shot": 4.2, "r8": 4.2, "r16": 4.2, "r32": 4.2, "r64": 4.1, "r128": 3.7},
}
LOSS = {"zero-shot": 1.0, "r8": 0.95, "r16": 0.93, "r32": 0.91, "r64": 0.90, "r128": 0.85}
PERCENT = {8: 0.1897, 16: 0.3793, 32: 0.7586, 64: 1.5173, 128: 3.0346}


def write_sweep(folder: Path, study: Study, *, corpus: str = "none", loss: Mapping[str, float] = LOSS) -> Path:
    """Losses of CLIPS clips a language around the given means; tables by the sweep's own code."""
    from train.evaluate import tables

    ranks = list(study.sweep.ranks)
    names = {"zero-shot": None} | {f"r{rank}": rank for rank in ranks}
    for rank in ranks:
        _json(folder / "runs" / f"r{rank}.done.json", {"step": 10})
    _json(folder / "about.json", {
        "corpus": "corpus_1", "model": "/somewhere/VoxCPM2", "ranks": ranks, "seeds": [0], "total": 2384218498,
        "sizes": {str(rank): {"parameters": 565248 * rank, "percent": PERCENT[rank]} for rank in ranks},
        "layout": [{"part": "base_lm", "name": "base language model", "module": "q_proj", "layers": 28,
                    "a": [max(ranks), 2048], "b": [2048, max(ranks)], "parameters": 14680064}],
    })  # fmt: skip
    _json(folder / "begun.json", {
        "base model": "ab" * 32, "corpus": corpus, "seed": 0,
        "settings": {
            "adapter": {"alpha": None, "rslora": False, "dropout": 0.0},
            "optimizer": {"learning_rate": 1e-4, "warmup_steps": 100},
            "batch": {"tokens": 4096}, "train": {"epochs": 2, "steps": None},
        },
    })  # fmt: skip
    (folder / "layout.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg"></svg>\n')
    results: dict[str, Any] = {name: {language: {} for language in LANGUAGES} for name in names}
    _json(folder / "evaluation" / "evaluation.json", {
        "languages": {language: {} for language in LANGUAGES}, "split": "test", "notes": [], "results": results,
        "conditions": {name: {"rank": rank} for name, rank in names.items()}, "losses": {"draws": 4},
        "speech": {"timesteps": 10, "guidance": 2.0, "retries": "off", "seed": 0, "takes": 2},
    })  # fmt: skip
    rng = np.random.default_rng(0)
    lines = []
    for language in LANGUAGES:
        own = rng.normal(0, 0.2, CLIPS)
        for name in names:
            for i, level in enumerate(own + loss[name] + rng.normal(0, 0.005, CLIPS)):
                lines.append({"condition": name, "id": f"{language}{i}", "language": language, "patches": 10,
                              "diff": float(level), "stop": 0.0})  # fmt: skip
    (folder / "evaluation" / "losses.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    tables.write(folder)
    return folder


def write_ratings(
    path: Path, *, mos: Mapping[str, Mapping[str, float]] = TRUE_MOS, listeners: int = 24, sentences: int = 24,
    plan: str = "", more: Mapping[str, str] | None = None,
) -> Path:  # fmt: skip
    """A full design of simulated listeners, who agree more than people do."""
    alike = simulate.Deviations(listener_condition=0.1, sentence_condition=0.1)
    fields = {"plan": plan, **(more or {})}
    lines = [",".join(["listener", "sentence", "language", "condition", "rating", *fields])]
    for number, (language, means) in enumerate(mos.items()):
        trials = [
            (f"L{i:02d}", f"s{j:02d}", name) for i in range(listeners) for j in range(sentences) for name in means
        ]
        for (who, what, name), value in zip(
            trials, simulate.rate(trials, means, deviations=alike, seed=number), strict=True
        ):
            lines.append(",".join([who, f"{language}-{what}", language, name, str(value), *fields.values()]))
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def _json(path: Path, value: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value), encoding="utf-8")
