"""What an analysis is told: by a plan that was hashed before the ratings, or on the command line."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from curate.errors import UserError
from train.listen import exclusions
from train.listen.exclusions import Rules
from train.listen.scales import SCALES, Scale

ALPHA, MARGIN = 0.05, 0.10


@dataclass(frozen=True)
class Settings:
    """Contrasts are conditions, each compared with the baseline; none: all that were rated."""

    baseline: str
    scale: Scale = SCALES["mos"]
    alpha: float = ALPHA
    margin: float = MARGIN
    family: str = "language"  # Holm over the contrasts of a language, or over "all"
    rules: Rules = exclusions.CONTROLS
    conditions: tuple[str, ...] = ()
    contrasts: tuple[str, ...] = ()
    plan: str | None = None  # sha256
    seed: int = 0


def of_plan(path: Path) -> Settings:
    """The settings that a plan fixed. Raises UserError where it is none."""
    path = path / "plan.json" if path.is_dir() else path
    try:
        content = path.read_bytes()
        plan = json.loads(content)
        analysis, method = plan["analysis"], plan["method"]
        rules, scale = exclusions.rules_of(analysis.get("exclusions", {})), SCALES[method]
        baseline, contrasts = str(analysis["baseline"]), tuple(analysis.get("contrasts", ()))
    except FileNotFoundError:
        raise UserError(f"there is no plan {path}") from None
    except (ValueError, KeyError, TypeError, AttributeError, OSError) as problem:
        raise UserError(f"{path} is no plan of a listening test ({type(problem).__name__}: {problem})") from None
    return Settings(
        baseline=baseline,
        scale=scale,
        alpha=_between(analysis, "alpha", ALPHA, path),
        margin=_between(analysis, "margin", MARGIN, path),
        family=analysis.get("family", "language"),
        rules=rules,
        conditions=tuple(plan.get("conditions", ())),
        contrasts=contrasts,
        plan=hashlib.sha256(content).hexdigest(),
        seed=_seed(plan),
    )


def _between(analysis: Mapping[str, Any], name: str, usual: float, path: Path) -> float:
    value = analysis.get(name, usual)
    if not isinstance(value, int | float) or not 0 < value < 10 or (name == "alpha" and value >= 0.5):
        raise UserError(f"{path}: {name} is {value!r}, which is no {name}")
    return float(value)


def _seed(plan: Mapping[str, Any]) -> int:
    seed = plan.get("seed", 0)
    return seed if isinstance(seed, int) and seed >= 0 else 0
