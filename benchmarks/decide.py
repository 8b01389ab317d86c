"""Time and memory of decisions: `curate filter` and `curate tag` over synthetic measured corpora, by number of clips.

    python benchmarks/decide.py 15000 1000000 [--json]

For each number of clips a corpus is made whose `measured.parquet` looks like a real one (texts in both languages, three
spans of speech a clip, 2 % of the clips in families that sound alike, thousands of speakers, hours wanted for half of
it). Each step then runs in a process of its own through `commands.advance`, as the command does: the digest of what
was ingested, reading, deciding, writing the manifest. Start-up and imports are measured apart. The floor, in the same
run, is plain Polars reading the same measured frame and writing the manifest's columns with the same settings.
Best of two runs each; peak memory is that of the process.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # so that the project need not be installed

RECIPE = """
[[source]]
id = "made"
kind = "folder"
path = "{folder}"
language = "ko"
licence = "own"

[models]
events = false
turns = false
speaker = false
language = false
quality = ["dnsmos"]
asr = {{}}

[filter.text_mismatch]
max_cer = 0.5

[balance]
hours = {{ km = {hours}, ko = {hours} }}
max_speaker_hours = 4.0
"""
STEPS = ("filter", "tag")
RUNS = 2
SECONDS = 5.0  # of a clip, on average
SYLLABLES = {
    "km": "កខគឃងចឆជឈញដឋឌឍណតថទធនបផពភមយរលវសហឡអ",
    "ko": "가나다라마바사아자차카타파하거너더러머버서어저처커터퍼허",
}


def make(folder: Path, clips: int) -> None:
    """A corpus of so many measured clips; nothing in it was ever heard."""
    import numpy as np
    import polars as pl

    from curate import commands, files, manifest, recipe
    from curate.corpus import Corpus
    from curate.measures import catalogue

    folder.mkdir(parents=True)
    (folder / "given.toml").write_text(RECIPE.format(folder=folder, hours=clips * SECONDS / 3600 / 4), encoding="utf-8")
    wanted, corpus = recipe.load(folder / "given.toml"), Corpus(folder / "corpus")
    random = np.random.default_rng(0)
    half = random.random(clips) < 0.5
    language = np.where(half, "km", "ko")
    words = {
        code: np.array(["".join(random.choice(list(of), 3)) for _ in range(3000)]) for code, of in SYLLABLES.items()
    }
    chosen = random.integers(0, 3000, (clips, 7))
    parts = [np.where(half, words["km"][column], words["ko"][column]) for column in chosen.T]
    text = pl.select(pl.concat_str([pl.Series(part) for part in parts], separator=" ")).to_series()
    number = np.arange(clips)
    ids = pl.Series([f"{value:016x}" for value in random.permutation(clips) * 7919 + 1])
    seconds = random.gamma(4, SECONDS / 4, clips).round(4) + 0.5
    rate = 24000
    frames = (seconds * rate).astype(np.int64)
    spans = np.sort(random.random((clips, 6)), axis=1) * frames[:, None]
    ends = [pl.lit(pl.Series(spans[:, i].astype(np.int64))) for i in range(6)]
    pairs = [pl.struct(ends[i].alias("start"), ends[i + 1].alias("end")) for i in (0, 2, 4)]
    frame = pl.DataFrame({
        "id": ids, "source": ["made"] * clips, "path": pl.Series(number).cast(pl.String) + ".flac",
        "sha256": pl.Series(number // 3).cast(pl.String).str.zfill(64), "rate": np.full(clips, rate),
        "channels": np.ones(clips, np.int16), "modified": ["0 0"] * clips, "frames": frames,
        "cut_start": np.zeros(clips, np.int64), "cut_end": frames, "seconds": seconds, "language": language,
        "speaker": pl.Series(random.integers(0, max(8, clips // 300), clips)).cast(pl.String), "text": text,
        "text_from": ["given"] * clips, "licence": ["own"] * clips, "speech_seconds": (seconds * 0.8).round(3),
        "spoken": text, "words": text.str.replace_all(" ", "|"), "pronounced": text,
        "heard": text, "heard_confidence": random.random(clips).round(4), "heard_spoken": text,
        "text_rules": pl.Series([["digits"], []] * (clips // 2) + [[]] * (clips % 2), dtype=pl.List(pl.String)),
        "pace": random.normal(9, 2, clips).round(2), "cer": random.random(clips).round(4) * 0.4,
        "loudness": random.normal(-23, 4, clips).round(2), "peak": random.random(clips).round(4),
        "clipped": (random.random(clips) < 0.02) * 0.01, "noise_floor": random.normal(-60, 6, clips).round(2),
        "snr": random.normal(32, 9, clips).round(2), "bandwidth": random.normal(9000, 1800, clips).round(0),
        "pitch": random.normal(160, 40, clips).round(1), "head_edge": random.normal(-30, 9, clips).round(2),
        "tail_edge": random.normal(-30, 9, clips).round(2), "dnsmos": random.normal(3, 0.4, clips).round(3),
        "dropout": np.zeros(clips),
    })  # fmt: skip
    frame = frame.with_columns(pl.concat_list(pairs).alias("speech"), _similar(ids, random))
    frame = manifest.rounded(manifest.conform(frame)).drop("embedding", "fingerprint", "written")
    files.write_parquet(frame.select("id", "source", "path", "sha256", "rate", "frames", "seconds"), corpus.ingested)
    corpus.save_recipe(recipe.dump(wanted))
    digest = commands.measured_digest(corpus, wanted, catalogue.of(wanted))
    files.write_parquet(frame, corpus.measured, metadata={"digest": digest, "failures": "0"})


def _similar(ids, random):
    """Families of two to five copies, 2 % of the clips, as the `duplicates` measure gives them."""
    import polars as pl

    from curate.manifest import COLUMNS

    rows: list[list[dict[str, object]] | None] = [None] * len(ids)
    at = 0
    while at < len(ids) // 50:
        size = int(random.integers(2, 6))
        for one in range(at, at + size):
            rows[one] = [{"id": ids[other], "similarity": 0.9} for other in range(at, at + size) if other != one]
        at += size
    return pl.Series("similar", rows, dtype=COLUMNS["similar"].dtype)


def child(what: str, folder: Path) -> None:
    """One run in a process of its own: prints seconds of imports, seconds of work, and the peak of memory."""
    started = time.perf_counter()
    from curate.engine import one_thread

    one_thread()
    import polars as pl

    from curate import commands, manifest, recipe
    from curate.corpus import Corpus

    corpus = Corpus(folder / "corpus")
    imported = time.perf_counter()
    if what == "floor":
        frame = pl.read_parquet(corpus.measured)
        stored = [column.name for column in manifest.COLUMNS.values() if column.stored]
        frame = frame.select(stored)
        frame.write_parquet(
            folder / "floor.parquet", compression="zstd", compression_level=3, row_group_size=65536, statistics=True
        )
    else:
        commands.advance(
            corpus, recipe.load(corpus.recipe), until=what, workers=1, watch=lambda what, done, total: None
        )
    done = time.perf_counter()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"imports": imported - started, "seconds": done - imported, "peak_mb": peak}))


def measured(what: str, folder: Path) -> dict[str, float]:
    """The better of some runs."""
    command = [sys.executable, __file__, "--child", what, str(folder)]
    runs = [json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout) for _ in range(RUNS)]
    return {name: min(run[name] for run in runs) for name in runs[0]}


def main() -> None:
    """Print a line for each number of clips and step."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("clips", type=int, nargs="*", default=[15000])
    parser.add_argument("--json", action="store_true", help="a JSON object a line")
    parser.add_argument("--child", nargs=2, metavar=("WHAT", "FOLDER"), help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.child:
        child(asked.child[0], Path(asked.child[1]))
        return
    for clips in asked.clips:
        with tempfile.TemporaryDirectory() as place:
            folder = Path(place) / "made"
            make(folder, clips)
            floor = measured("floor", folder)
            for step in STEPS:
                own = measured(step, folder)
                row = {
                    "clips": clips, "step": step, "seconds": round(own["seconds"], 3),
                    "floor_seconds": round(floor["seconds"], 3), "peak_mb": round(own["peak_mb"]),
                    "times_floor": round(own["seconds"] / floor["seconds"], 2),
                    "imports_seconds": round(own["imports"], 2),
                }  # fmt: skip
                print(json.dumps(row) if asked.json else "   ".join(f"{k} {v}" for k, v in row.items()), flush=True)


if __name__ == "__main__":
    main()
