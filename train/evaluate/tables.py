"""The tables of a sweep, its plots and its page, from its evaluation and what listeners said."""

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from curate import files
from curate.errors import UserError
from train.evaluate import losses, page, plots, ratings, selection
from train.evaluate.folder import ZERO_SHOT, read_lines
from train.evaluate.plots import Panel, Point
from train.evaluate.selection import OFF, Rank
from train.validation import ClipLoss

ABOUT, MOS = "about.json", "mos.json"
EVALUATION = "evaluation"
Row = dict[str, Any]


def rate(sweep: Path, paths: Sequence[Path]) -> dict[str, Any]:
    """Take in what listeners said, where it is given, and make the tables anew.

    Raises UserError where it is of another sweep.
    """
    about = _read(sweep / ABOUT)
    if paths:
        rows = ratings.gathered(paths)
        evaluated = _read(sweep / EVALUATION / "evaluation.json")
        ratings.check_conditions(rows, [name for own in _names(about, evaluated).values() for name in own])
        _write(sweep / MOS, rows)
    return write(sweep)


def write(sweep: Path) -> dict[str, Any]:
    """Make everything anew from what is complete; returns the whole table, as it is in sweep.json."""
    about = _read(sweep / ABOUT)
    evaluated = _read(sweep / EVALUATION / "evaluation.json")
    rated = _read(sweep / MOS) if (sweep / MOS).is_file() else []
    held = _losses(sweep)
    languages = list(evaluated["languages"])
    names = _names(about, evaluated)
    rows = {language: _rows(about, evaluated, held, names, rated, language) for language in languages}
    chosen = {
        language: selection.select(
            language,
            [_candidate(row) for row in rows[language]],
            _lost(held, names, language),
            {rank: own[0] for rank, own in names.items()},
            rated,
        )
        for language in languages
    }
    banners = [about["banner"]] if "banner" in about else []
    if banners:
        chosen = {name: {**own, "because": f"{banners[0]}. {own['because']}"} for name, own in chosen.items()}
    banners += [line for language in languages if (line := selection.disagreement(language, rows[language]))]
    table = {
        **({"banner": about["banner"]} if "banner" in about else {}),
        "corpus": about["corpus"],
        "model": about["model"],
        "parameters": about["total"],
        "ranks": about["ranks"],
        "seeds": about["seeds"],
        "split": evaluated["split"],
        "disagreements": banners,
        "notes": evaluated["notes"],
        "runs": _runs(sweep, about, names),
        "languages": rows,
        "layout": about["layout"],
        "rated": bool(rated),
    }
    _write(sweep / "selection.json", chosen)
    _write(sweep / "sweep.json", table)
    drawn = _plots(table)
    for name, svg in drawn.items():
        files.write_text(sweep / f"{name}.svg", svg)
    layout = (sweep / "layout.svg").read_text(encoding="utf-8")
    shown = {"table": table, "chosen": chosen, "plots": drawn, "layout": layout, "evaluation": evaluated}
    files.write_text(sweep / "index.html", page.environment().get_template("sweep.html").render(shown) + "\n")
    return table


def _names(about: Mapping[str, Any], evaluated: Mapping[str, Any]) -> dict[Rank, list[str]]:
    """rank -> its conditions that are whole, the first seed's first; off is zero-shot."""
    there = evaluated["conditions"]
    names: dict[Rank, list[str]] = {OFF: [ZERO_SHOT] if ZERO_SHOT in there else []}
    for rank in about["ranks"]:
        wanted = [f"r{rank}" if i == 0 else f"r{rank}-seed{seed}" for i, seed in enumerate(about["seeds"])]
        names[rank] = [name for name in wanted if name in there]
    return {rank: own for rank, own in names.items() if own}


def lost_by_rank(sweep: Path, language: str) -> dict[Rank, list[ClipLoss]]:
    """rank, or off -> losses of the held-out clips of a language, the mean over seeds; of what is evaluated."""
    about = _read(sweep / ABOUT)
    evaluated = _read(sweep / EVALUATION / "evaluation.json")
    return _lost(_losses(sweep), _names(about, evaluated), language)


def _losses(sweep: Path) -> dict[str, list[ClipLoss]]:
    """condition -> losses of its held-out clips."""
    found: dict[str, list[ClipLoss]] = {}
    for line in read_lines(sweep / EVALUATION / "losses.jsonl"):
        found.setdefault(line.pop("condition"), []).append(ClipLoss(**line))
    return found


def _lost(
    held: Mapping[str, Sequence[ClipLoss]], names: Mapping[Rank, Sequence[str]], language: str
) -> dict[Rank, list[ClipLoss]]:
    """rank -> losses of the clips of a language, the mean over its seeds: clips, not seeds, are the units."""
    lost: dict[Rank, list[ClipLoss]] = {}
    for rank, own in names.items():
        seeds = [{clip.id: clip for clip in held.get(name, ()) if clip.language == language} for name in own]
        both = [key for key in seeds[0] if all(key in other for other in seeds)]
        lost[rank] = [_mean([seed[key] for seed in seeds]) for key in both]
    return lost


def _mean(clips: Sequence[ClipLoss]) -> ClipLoss:
    diff, stop = (math.fsum(getattr(clip, name) for clip in clips) / len(clips) for name in ("diff", "stop"))
    return ClipLoss(clips[0].id, clips[0].language, clips[0].patches, diff, stop)


def _rows(
    about: Mapping[str, Any], evaluated: Mapping[str, Any], held: Mapping[str, Sequence[ClipLoss]],
    names: Mapping[Rank, Sequence[str]], rated: Sequence[Mapping[str, Any]], language: str,
) -> list[Row]:  # fmt: skip
    """The rows of a language: off, then each rank."""
    lost = _lost(held, names, language)
    rows = []
    for rank, own in names.items():
        found = losses.summary(lost[rank], lost.get(OFF, []) if rank != OFF else [])
        change = found["loss_change"]
        size = about["sizes"][str(rank)] if rank != OFF else {"parameters": 0, "percent": 0.0}
        spoken = [evaluated["results"][name][language] for name in own]
        rows.append({
            "rank": rank, "conditions": list(own), **size,
            "loss": found["loss"], "diff": found["diff"], "stop": found["stop"], "clips": found["clips"],
            "loss_change": [change["low"], change["mean"], change["high"]] if change else None,
            "loss_by_seed": [_summary(each, "loss", "loss") for each in spoken],
            **_speech(spoken),
            **selection.mos_fields(rated, language, own[0]),
            "mos_interval": None,
        })  # fmt: skip
    return [{**row, "mos_interval": _around(row, rows)} for row in rows]


def _summary(found: Mapping[str, Any], name: str, part: str) -> float | None:
    value = (found.get(name) or {}).get(part)
    return None if value is None else float(value)


def _speech(spoken: Sequence[Mapping[str, Any]]) -> Row:
    """What was measured of the speech of a rank's first seed; the others, and changes, are in evaluation.json."""
    first = spoken[0]
    cer, over = first.get("cer"), (first.get("cer") or {}).get("over_natural")
    bad, same = first.get("bad"), first.get("similarity")
    return {
        "cer": cer["pooled"] if cer else None,
        "cer_over_natural": [over["low"], over["mean"], over["high"]] if over else None,
        "similarity": same["mean"] if same else None,
        "bad_cases": bad["mean"] if bad else None,
        "faults": first.get("faults", {}),
        "dnsmos_out_of_domain": _summary(first, "dnsmos", "mean"),
        "distillmos_out_of_domain": _summary(first, "distillmos", "mean"),
    }


def _around(row: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> list[float] | None:
    """Zero-shot's MOS with the interval of the change around it: what a plot of ranks against zero-shot shows."""
    change, off = row["mos_change"], next((each["mos"] for each in rows if each["rank"] == OFF), None)
    if change is None or change[0] is None or off is None:
        return None
    return [off + change[0], off + change[2]]


def _candidate(row: Mapping[str, Any]) -> Row:
    return {name: row[name] for name in ("rank", "loss", "loss_change", "mos", "mos_change", "p_holm")}


def _runs(sweep: Path, about: Mapping[str, Any], names: Mapping[Rank, Sequence[str]]) -> list[Row]:
    """Every rank and seed that was asked for: complete and evaluated, complete, begun, or not begun."""
    runs = []
    for rank in about["ranks"]:
        for i, seed in enumerate(about["seeds"]):
            name = f"r{rank}" if i == 0 else f"r{rank}-seed{seed}"
            done, place = sweep / "runs" / f"{name}.done.json", sweep / "runs" / name
            state = "trained" if done.is_file() else "half trained" if (place / "run.toml").is_file() else "not begun"
            state = "evaluated" if name in names.get(rank, ()) else state
            step = _read(done)["step"] if done.is_file() else None
            runs.append({"run": f"runs/{name}", "rank": rank, "seed": seed, "state": state, "steps": step})
    return runs


# ---- drawings


def _plots(table: Mapping[str, Any]) -> dict[str, str]:
    """loss.svg and mos.svg; captions name the runs and their seeds."""
    runs = _caption(table)
    change = [
        Panel(page.NAMES.get(language, language), _loss_points(rows), 0.0)
        for language, rows in table["languages"].items()
    ]
    drawn = {
        "loss": plots.figure(
            change,
            axis="change of held-out loss",
            lowest=True,
            caption=[f"Change from zero-shot, 95 % paired interval over clips of the split {table['split']}.", *runs],
        )
    }
    if table["rated"]:
        mos = [
            Panel(page.NAMES.get(language, language), _mos_points(rows), None)
            for language, rows in table["languages"].items()
        ]
        drawn["mos"] = plots.figure(
            mos, axis="MOS", lowest=False,
            caption=["MOS; bars: 95 % interval of the paired difference from zero-shot, around its MOS.", *runs],
        )  # fmt: skip
    return drawn


def _caption(table: Mapping[str, Any]) -> list[str]:
    evaluated = [run for run in table["runs"] if run["state"] == "evaluated"]
    by_seed = {
        seed: ", ".join(run["run"].removeprefix("runs/") for run in evaluated if run["seed"] == seed)
        for seed in table["seeds"]
    }
    lines = [f"Seed {seed}: {names}." for seed, names in by_seed.items() if names]
    means = ["Losses are means over seeds."] if len(lines) > 1 else []
    return [*([table["banner"]] if "banner" in table else []), *lines, *means]


def _loss_points(rows: Sequence[Row]) -> list[Point]:
    points = []
    for row in rows:
        low, mean, high = row["loss_change"] or (None, 0.0 if row["rank"] == OFF else None, None)
        points += [Point(str(row["rank"]), mean, low, high)] if mean is not None else []
    return points


def _mos_points(rows: Sequence[Row]) -> list[Point]:
    return [
        Point(str(row["rank"]), row["mos"], *(row["mos_interval"] or (None, None)))
        for row in rows
        if row["mos"] is not None
    ]


def _read(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(f"there is no {path}: {path.parent} is no sweep that `train sweep` has evaluated") from None
    except ValueError as problem:
        raise UserError(f"{path} is damaged ({problem}): remove it, and run `train sweep` again") from None


def _write(path: Path, value: object) -> None:
    files.write_text(path, json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False) + "\n")
