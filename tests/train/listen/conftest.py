"""Small stimuli, and the plan and the folder of a listening test made from them."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from train.listen import build, planning
from train.listen import plan as planned

CONDITIONS = ("zero-shot", "r8", "r64")
SENTENCES = {"km": "សួស្តី ខ្ញុំស្រឡាញ់ភាសាខ្មែរ", "ko": "안녕하세요 한국어 문장입니다"}
EACH, SECONDS, RATE = 7, 0.5, 16_000


def tone(path: Path, hertz: float, gain: float, seconds: float = SECONDS, rate: int = RATE) -> None:
    """A voice-like sound: a few harmonics, and a little noise."""
    path.parent.mkdir(parents=True, exist_ok=True)
    time = np.arange(int(seconds * rate)) / rate
    sound = sum(np.sin(2 * np.pi * hertz * k * time) / k for k in range(1, 6))
    noise = np.random.default_rng(int(hertz)).standard_normal(len(time))
    soundfile.write(path, gain * (sound / 3 + 0.05 * noise), rate)


@pytest.fixture(scope="session")
def stimuli(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of stimuli in three conditions and natural speech, of different levels and rates, and its sentences."""
    folder = tmp_path_factory.mktemp("stimuli")
    rows = ["id\tlanguage\ttext"]
    for language, text in SENTENCES.items():
        for number in range(EACH):
            rows.append(f"{language}{number}\t{language}\t{text} {number}")
            for k, condition in enumerate((*CONDITIONS, "natural")):
                rate = RATE if k else 24_000
                tone(folder / condition / f"{language}{number}.wav", 150 + 20 * k + number, 0.05 * (k + 1), rate=rate)
    (folder / "sentences.tsv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def trap_audio(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where spoken traps would be recorded: two values of each language."""
    folder = tmp_path_factory.mktemp("traps")
    for language in SENTENCES:
        for value in (2, 4):
            tone(folder / language / f"{value}.wav", 300 + value, 0.1)
    return folder


@pytest.fixture(scope="session")
def make_plan(stimuli: Path, trap_audio: Path) -> Callable[..., planned.Plan]:
    """A plan for `into`; by default of two listeners a language, with a fixed salt."""

    def make(into: Path, **changes: Any) -> planned.Plan:
        options: dict[str, Any] = {"listeners": {"": 2}, "training": 1, "anchors": 1, "salt": "0f" * 16, **changes}
        choices = planning.Choices(baseline="zero-shot", **options)
        plan = planning.make(stimuli, into, choices, trap_audio=trap_audio)
        planned.write(plan, into)
        return plan

    return make


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory, make_plan: Callable[..., planned.Plan]) -> Path:
    """A built folder: folder, folder-private and the plan's folder lie in one place. Read only."""
    place = tmp_path_factory.mktemp("built")
    make_plan(place / "plan", name="Voices")
    build.build(place / "plan", place / "site")
    return place / "site"


@pytest.fixture
def site(built: Path, tmp_path: Path) -> Path:
    """A copy of the built folder and its private one, for a test of its own."""
    shutil.copytree(built, tmp_path / "site")
    shutil.copytree(build.private_folder(built), tmp_path / "site-private")
    return tmp_path / "site"
