"""The store of answers: nothing given is lost, nothing old is believed, a broken file is named with its remedy."""

from pathlib import Path

import polars as pl
import pytest

from curate.engine import store as storing
from curate.engine.store import Buffer, Store
from curate.errors import UserError
from curate.measures.definition import Measure, corpus_key, keys
from tests.curate.frames import clips

SNR = Measure("signal", "clip", ("snr",), "1", list, inputs=("speech",))
VOICES = Measure("voices", "corpus", ("voice",), "1", list, inputs=("embedding",))


def answers(store: Store, asked: Measure = SNR) -> dict[str, object]:
    return dict(store.read(asked).rows())


def shards(store: Store) -> list[Path]:
    return sorted((store.folder / "signal").iterdir())


def test_what_is_added_is_read_and_the_first_answer_stands(tmp_path: Path) -> None:
    store = Store(tmp_path)
    assert answers(store) == {}
    store.add(SNR, [("a", {"snr": 1.0}), ("b", {"snr": None}), ("c", {})])
    store.add(SNR, [])
    store.add(SNR, [("a", {"snr": 9.0}), ("d", {"snr": 4.0})])
    assert set(answers(store)) == {"a", "b", "c", "d"}
    assert answers(store)["b"] is None
    assert len(shards(store)) == 2


def test_a_long_run_has_few_files_and_loses_nothing(tmp_path: Path) -> None:
    store = Store(tmp_path)
    most = 0
    for i in range(300):
        store.add(SNR, [(f"k{i}", {"snr": float(i)})])
        most = max(most, len(shards(store)))
    assert most <= 5 * storing.FAN_OUT  # 300 flushes are at most five levels
    assert answers(Store(tmp_path)) == {f"k{i}": float(i) for i in range(300)}


def test_the_first_answer_stands_after_merging_too(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.add(SNR, [("a", {"snr": 1.0})])
    for i in range(20):
        store.add(SNR, [("a", {"snr": 2.0 + i}), (f"k{i}", {"snr": 0.0})])
    assert answers(store)["a"] == 1.0


def test_killed_between_merging_and_deleting_nothing_counts_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", lambda self, missing_ok=False: (_ for _ in ()).throw(KeyboardInterrupt))
        for i in range(storing.FAN_OUT - 1):
            store.add(SNR, [(f"k{i}", {"snr": float(i)})])
        with pytest.raises(KeyboardInterrupt):
            store.add(SNR, [(f"k{storing.FAN_OUT - 1}", {"snr": storing.FAN_OUT - 1.0})])
    expected = {f"k{i}": float(i) for i in range(storing.FAN_OUT)}
    assert answers(Store(tmp_path)) == expected
    for i in range(storing.FAN_OUT, 40):
        store.add(SNR, [(f"k{i}", {"snr": float(i)})])
    assert answers(Store(tmp_path)) == {f"k{i}": float(i) for i in range(40)}


def test_shards_of_a_version_that_did_not_merge_become_one_when_read(tmp_path: Path) -> None:
    store = Store(tmp_path)
    count = storing.MANY_SHARDS + 10
    for i in range(count):
        frame = pl.DataFrame({"key": [f"k{i}"], "snr": [float(i)]}, schema=SNR.schema())
        (tmp_path / "signal").mkdir(exist_ok=True)
        frame.write_parquet(tmp_path / "signal" / f"{i:024x}-{10**18 + i:x}.parquet")
    before = answers(store)
    assert len(shards(store)) == 1
    assert answers(Store(tmp_path)) == before == {f"k{i}": float(i) for i in range(count)}


def test_answers_about_texts_are_read_from_disk_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spoken = Measure("spoken-ko", "text", ("spoken",), "1", list, inputs=("written",))
    Store(tmp_path).add(spoken, [("a", {"spoken": "x"})])
    store = Store(tmp_path)
    assert store.read(spoken).rows() == [("a", "x")]
    monkeypatch.setattr(storing, "_read_file", lambda path: pytest.fail("read again"))
    store.add(spoken, [("b", {"spoken": "y"}), ("a", {"spoken": "z"})])
    assert store.read(spoken).rows() == [("a", "x"), ("b", "y")]


def test_answers_to_an_older_question_are_asked_for_again(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.add(SNR, [("a", {"snr": 1.0})])
    wider = Measure("signal", "clip", ("snr", "peak"), "1", list)
    assert answers(store, wider) == {}
    store.add(wider, [("a", {"snr": 1.0, "peak": 0.5})])
    assert store.read(wider).rows() == [("a", 1.0, 0.5)]


@pytest.mark.parametrize("content", [b"", b"PAR1 rubbish PAR1", b"\x00" * 500])
def test_a_broken_shard_is_one_line_that_names_it(tmp_path: Path, content: bytes) -> None:
    store = Store(tmp_path)
    store.add(SNR, [("a", {"snr": 1.0})])
    shards(store)[0].write_bytes(content)
    with pytest.raises(UserError, match=r"delete .*\.parquet and run again") as caught:
        store.read(SNR)
    assert "\n" not in str(caught.value)
    shards(store)[0].unlink()
    assert answers(store) == {}


def test_a_file_that_was_being_written_is_not_read(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.add(SNR, [("a", {"snr": 1.0})])
    (tmp_path / "signal" / "x.parquet.123.partial").write_bytes(b"half")
    assert answers(store) == {"a": 1.0}


def test_an_answer_about_the_corpus_is_kept_checked_and_named_when_broken(tmp_path: Path) -> None:
    store = Store(tmp_path)
    assert store.read_table(VOICES, "k") is None
    answer = pl.DataFrame({"id": ["a"], "voice": ["voice-001"]})
    store.write_table(VOICES, "k", answer)
    found = store.read_table(VOICES, "k")
    assert found is not None
    assert found.equals(answer)
    assert store.read_table(VOICES, "other") is None
    store.write_table(VOICES, "k", answer.rename({"voice": "who"}))
    assert store.read_table(VOICES, "k") is None
    (tmp_path / "voices" / "k.parquet").write_bytes(b"rubbish")
    with pytest.raises(UserError, match=r"delete .*k\.parquet and run again"):
        store.read_table(VOICES, "k")


def test_the_key_is_what_was_listened_to_and_who_listened() -> None:
    base = clips([{}])

    def key(frame: pl.DataFrame = base, asked: Measure = SNR) -> str:
        return keys(frame, asked)[0]

    same = clips([{"id": "other", "path": "copy.wav", "source": "t", "snr": 1.0, "drop": "noisy"}])
    assert key(same) == key()
    for changed in ({"sha256": "e"}, {"cut_start": 1}, {"cut_end": 1}, {"speech": [{"start": 0, "end": 1}]}):
        assert key(clips([changed])) != key()
    assert key(asked=Measure("signal", "clip", ("snr",), "2", list, inputs=("speech",))) != key()
    assert key(asked=Measure("other", "clip", ("snr",), "1", list, inputs=("speech",))) != key()
    text = Measure("spoken", "text", ("spoken",), "1", list, inputs=("written",))
    assert key(clips([{"written": "말", "sha256": "e"}]), text) == key(clips([{"written": "말"}]), text)
    assert key(clips([{"written": "말1"}]), text) != key(clips([{"written": "말"}]), text)


def test_the_corpus_key_is_every_clip_in_order() -> None:
    frame = clips([{"embedding": [0.5]}, {"embedding": [0.25]}])
    assert corpus_key(frame, VOICES) == corpus_key(frame.clone(), VOICES)
    others = [frame[:1], frame[::-1], clips([{"embedding": [0.5]}, {"embedding": [0.26]}])]
    assert len({corpus_key(each, VOICES) for each in [frame, *others]}) == 4


def test_a_buffer_writes_what_it_has_also_when_something_breaks(tmp_path: Path) -> None:
    store = Store(tmp_path)

    def stopped() -> None:
        with Buffer(store, [SNR]) as buffer:
            buffer.add("signal", "a", {"snr": 1.0})
            assert answers(store) == {}
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stopped()
    assert answers(store) == {"a": 1.0}


def test_a_buffer_writes_every_few_seconds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storing, "FLUSH_SECONDS", -1.0)
    store = Store(tmp_path)
    with Buffer(store, [SNR]) as buffer:
        buffer.add("signal", "a", {"snr": 1.0})
        assert answers(store) == {"a": 1.0}
