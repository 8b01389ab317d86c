"""benchmarks/step_counts.py on the tiny configuration: it counts what a step does, which waits for nothing."""

import json

import pytest
import torch

from benchmarks import cards, counting, step_counts
from train.model import tiny


@pytest.fixture(scope="module")
def bench():
    return step_counts.Bench(rank=4, settings=tiny.configuration())


@pytest.fixture(scope="module")
def eager(bench):
    return step_counts.count_step(bench, step_counts.clips(12, 6, 3))[0]


def test_launching_a_step_waits_for_nothing_that_the_gpu_computes(eager):
    assert eager.waits == []
    assert eager.kernels > 100


def test_a_wait_would_be_counted():
    counter = counting.Counter()
    with counter:
        value = torch.zeros(3, device="meta")
        float(value.sum())
        value.cpu()
        value.to("cpu", non_blocking=True)
    assert counter.counts.waits == ["a number is read", "a tensor is read"]


def test_flops_are_those_of_the_cost_model(bench, eager):
    assert eager.flops == pytest.approx(bench.cost.of(step_counts.clips(12, 6, 3)).step, rel=1e-9)
    assert eager.computed > eager.flops  # tiles of attention


def test_a_kernels_bytes_are_what_it_reads_and_writes():
    counter = counting.Counter()
    with counter:
        one, other = torch.empty(4, 8, device="meta"), torch.empty(8, 2, device="meta")
        made = (one @ other).view(2, 4)
        made.t()
        made.add_(1)
    assert counter.counts.kernels == 2
    assert counter.counts.bytes == 4 * (32 + 16 + 8) + 4 * 8
    assert counter.counts.flops == 2 * 4 * 8 * 2


def test_attention_is_counted_in_tiles():
    query, key = torch.empty(5, 2, 88, 128, device="meta"), torch.empty(5, 2, 11, 128, device="meta")
    needed, computed = counting.work(counting.FLASH, (query, key), None)
    assert needed == 4 * 5 * 2 * 88 * 11 * 128
    assert computed == 4 * 5 * 2 * 128 * 64 * 128


def test_a_base_in_4_bits_moves_more_and_computes_the_same(bench, eager):
    small = step_counts.Bench(4, bench.settings, "nf4")
    counts, _ = step_counts.count_step(small, step_counts.clips(12, 6, 3))
    assert counts.flops == eager.flops
    assert counts.kernels > eager.kernels
    assert counts.bytes > eager.bytes
    assert counts.waits == []


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning", "ignore::FutureWarning")
def test_compiled_a_step_launches_and_moves_less_in_few_graphs(bench, eager):
    compiled, graphs = step_counts.count_step(bench, step_counts.clips(12, 6, 3), compiled=True)
    assert graphs <= 8
    assert compiled.waits == []
    assert compiled.kernels < eager.kernels
    assert compiled.bytes < eager.bytes
    assert compiled.flops == pytest.approx(eager.flops, rel=0.15)  # each graph at the sizes that it was traced with


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning", "ignore::FutureWarning")
def test_an_epoch_needs_no_more_graphs_than_torch_keeps(bench):
    row = step_counts.epoch_rows(bench, pieces=2)
    assert row["graphs"] <= 8
    assert row["shapes of attention, language models"] > 100


def test_what_was_counted_is_printed_and_written(monkeypatch, tmp_path, capsys, bench):
    made = {"none": bench, "nf4": step_counts.Bench(4, bench.settings, "nf4")}
    monkeypatch.setattr(step_counts, "Bench", lambda rank, settings=None, quantization="none": made[quantization])
    two = [cards.Card(8, "small", 1e12, 1e11, base) for base in ("none", "nf4")]
    monkeypatch.setattr(cards, "CARDS", (*two, cards.Card(0, "none", 1e12, 1e11)))
    monkeypatch.setattr(step_counts, "corpus", lambda: step_counts.clips(20, 10, 40))
    monkeypatch.setattr(step_counts, "count_step", lambda *_, **__: (counting.Counts(5, 1e9, 1e9, 2e9, 1e-3), 0))
    assert step_counts.main(["--part", "memory", "--json", str(tmp_path / "found.json")]) == 0
    found = json.loads((tmp_path / "found.json").read_text())
    assert [card["base"] for card in found["cards"]] == ["none", "nf4"]  # and nothing fits 0 GB
    for card in found["cards"]:
        assert card["micro_batch_tokens"] == step_counts.STEP
        assert not card["checkpointing"]
    plain, small = (card["GB counted"] for card in found["cards"])
    assert small < plain
    assert "memory by positions at once" in capsys.readouterr().out
