"""The manifest: a Polars frame with one row per clip; rows are never deleted, only marked with a reason.

`COLUMNS` declares every column once: its type, unit, meaning and who writes it. `docs/columns.md` is generated from it.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from json.encoder import encode_basestring
from pathlib import Path

import polars as pl

from curate import files
from curate.errors import UserError

SPLITS = ("train", "validation", "test")  # values of `split`
SPANS = pl.List(pl.Struct({"start": pl.Int64, "end": pl.Int64}))
EVENTS = pl.List(pl.Struct({"start": pl.Int64, "end": pl.Int64, "label": pl.String}))
EDITS = pl.List(pl.Struct({"place": pl.String, "given": pl.String, "heard": pl.String}))
WORD_TIMES = pl.List(pl.Struct({"word": pl.String, "start": pl.Int64, "end": pl.Int64, "probability": pl.Float64}))
TURNS = pl.List(pl.Struct({"start": pl.Int64, "end": pl.Int64, "speaker": pl.Int64}))


@dataclass(frozen=True)
class Column:
    """One declared column; floats are rounded to `digits` decimals when a manifest is written."""

    name: str
    dtype: pl.DataType | type[pl.DataType]
    writer: str
    meaning: str
    unit: str = ""
    digits: int = 3
    stored: bool = True  # False: lives in the frame while it is curated, and in the answers; not in the manifest


def _columns(*columns: Column) -> dict[str, Column]:
    return {column.name: column for column in columns}


COLUMNS = _columns(
    Column("id", pl.String, "ingest", "16 hex digits of sha256(source, path, start, end); `-2`... for repeats"),
    Column("source", pl.String, "ingest", "which `[[source]]` of the recipe it came from"),
    Column("path", pl.String, "ingest", "the audio file, relative to the source"),
    Column("sha256", pl.String, "ingest", "of the audio file's bytes"),
    Column("rate", pl.Int32, "ingest", "sample rate of the file", "Hz"),
    Column("channels", pl.Int16, "ingest", "channels of the file"),
    Column("channel", pl.Int16, "ingest", "which channel of the file, from 1, where the source is split; null: all"),
    Column(
        "channel_mix",
        pl.String,
        "ingest",
        "channels of the file that are heard: `1+2` their mean, `1-2` the second turned over, `1|2` they differ",
    ),
    Column(
        "dc_offset", pl.Float64, "ingest", "mean of the file's samples, taken off where it is over 0.0005", "linear", 6
    ),
    Column(
        "channel_offsets",
        pl.List(pl.Float64),
        "ingest",
        "mean of each channel, where there are several",
        "linear",
        stored=False,
    ),
    Column(
        "modified",
        pl.String,
        "ingest",
        "size, time and inode of the file, to see that it has not changed since",
        stored=False,
    ),
    Column("codec", pl.String, "ingest", "container and codec of the file, such as WAV/PCM_16"),
    Column("frames", pl.Int64, "ingest", "length of the whole file", "samples"),
    Column("start", pl.Int64, "ingest, segment", "first sample this row accounts for; null: the whole file", "samples"),
    Column("end", pl.Int64, "ingest, segment", "one past the last sample; null: the whole file", "samples"),
    Column("cut_start", pl.Int64, "segment", "first sample written to `clips/`, inside the row's span", "samples"),
    Column("cut_end", pl.Int64, "segment", "one past the last sample written to `clips/`", "samples"),
    Column("seconds", pl.Float64, "ingest, segment", "length of the clip as cut", "s", 4),
    Column("language", pl.String, "ingest", "declared language: km or ko"),
    Column("speaker", pl.String, "ingest, speakers", "who speaks: as given, else the estimated `voice`"),
    Column("session", pl.String, "ingest", "the sitting it was recorded in, where its source names one"),
    Column("given_split", pl.String, "ingest", "its split in the corpus as published, where that is told"),
    Column("text", pl.String, "ingest", "the transcript as given, never changed"),
    Column("text_from", pl.String, "ingest, hear", "`given` or `heard`: where the words come from; null: no text"),
    Column("licence", pl.String, "ingest", "licence of the clip: its source's, unless its row names its own"),
    Column("attribution", pl.String, "ingest", "whom to name"),
    Column("url", pl.String, "ingest", "where the source is published"),
    Column("error", pl.String, "ingest, measure", "why a file could not be read or a measure could not be taken"),
    Column(
        "file_speech", SPANS, "listen", "where voice was found in the whole file", "samples at 16 kHz", stored=False
    ),
    Column("file_pauses", SPANS, "listen", "short pauses inside speech", "samples at 16 kHz", stored=False),
    Column("file_dips", SPANS, "listen", "quiet moments inside speech", "samples at 16 kHz", stored=False),
    Column("file_sounds", SPANS, "listen", "sounds beside speech, not heard as it", "samples at 16 kHz", stored=False),
    Column(
        "file_events", EVENTS, "listen", "music, singing, voice... in the whole file", "samples at 16 kHz", stored=False
    ),
    Column("file_turns", TURNS, "listen", "who speaks when in the whole file", "samples at 16 kHz", stored=False),
    Column("speech", SPANS, "segment", "where voice was found (silero-vad)", "samples of the file"),
    Column("speech_seconds", pl.Float64, "segment", "speech inside the clip", "s", 3),
    Column("music", pl.Float64, "segment", "share of the clip that is music", "0..1", 3),
    Column("noise", pl.Float64, "segment", "share of the clip that is sound but neither voice nor music", "0..1", 3),
    Column("voices", pl.Int16, "segment", "speakers heard in the clip (diarization)"),
    Column(
        "second_voice",
        pl.Float64,
        "segment",
        "share of the speech by others than the main voice (diarization)",
        "0..1",
        3,
    ),
    Column(
        "other_voice",
        pl.Float64,
        "overlap",
        "the same within 10 s, by the segmentation model, of others who do not sound like the main voice",
        "0..1",
        3,
    ),
    Column(
        "voice_similarity",
        pl.Float64,
        "speakers",
        "lowest cosine similarity between parts of the clip's speech (signed CAM++ embeddings): two groups of 1.5 s "
        "windows, two speakers that it is split into (both less 0.015), or the mean of all pairs of 1 s windows (plus "
        "0.14); low: several people; null under 2.5 s of speech",
        "-1..1",
        3,
    ),
    Column(
        "overlap",
        pl.Float64,
        "overlap",
        "probability that two speak at once, mean over the speech and 1.7 s of one speaker",
        "0..1",
        3,
    ),
    Column("loudness", pl.Float64, "signal", "integrated loudness (BS.1770)", "LUFS", 2),
    Column("peak", pl.Float64, "signal", "largest absolute sample", "linear", 4),
    Column("clipped", pl.Float64, "signal", "share of samples flattened at the clip's ceiling", "0..1", 5),
    Column("noise_floor", pl.Float64, "signal", "level of the background", "dBFS", 2),
    Column("snr", pl.Float64, "signal", "speech level over background level", "dB", 2),
    Column("bandwidth", pl.Float64, "signal", "highest frequency with content", "Hz", 0),
    Column("pitch", pl.Float64, "signal", "median fundamental frequency of voiced speech", "Hz", 1),
    Column("head_edge", pl.Float64, "signal", "level at the first samples, relative to the speech", "dB", 2),
    Column("tail_edge", pl.Float64, "signal", "level at the last samples, relative to the speech", "dB", 2),
    Column("dropout", pl.Float64, "signal", "longest gap of lost samples inside words", "ms", 1),
    Column("dnsmos", pl.Float64, "quality", "DNSMOS overall, predicted; not trained on Khmer or Korean", "1..5", 3),
    Column("distillmos", pl.Float64, "quality", "DistillMOS, predicted; not trained on Khmer or Korean", "1..5", 3),
    Column("language_probability", pl.Float64, "hear", "probability of the declared language (speech only)", "0..1", 4),
    Column("other_language", pl.String, "hear", "the likeliest other language"),
    Column("other_probability", pl.Float64, "hear", "probability of that other language", "0..1", 4),
    Column("heard", pl.String, "hear", "what the speech recogniser wrote"),
    Column("heard_confidence", pl.Float64, "hear", "exp of the mean log probability of its tokens", "0..1", 4),
    Column("heard_spoken", pl.String, "text", "`heard`, normalised like `spoken`"),
    Column("cer", pl.Float64, "hear", "character error rate of `heard_spoken` against `spoken`", "", 4),
    Column(
        "text_edits",
        EDITS,
        "hear",
        "words that only the text or only the audio has, in order: where (start, inside, end; whole), the text's words "
        "there, and what was heard instead; one of the two may be empty",
    ),
    Column("unheard", pl.Float64, "hear", "share of the text in words without sound or of another text", "0..1", 4),
    Column("extra", pl.Float64, "hear", "share of what was heard beyond the text or where it is another", "0..1", 4),
    Column("wrong_words", pl.Int32, "hear", "words of the text that were not heard, or heard as others"),
    Column("aligned", pl.Float64, "align", "mean probability of the transcript's words in the audio", "0..1", 4),
    Column(
        "ctc_score",
        pl.Float64,
        "align",
        "geometric mean probability of the transcript's letters, by a CTC model",
        "0..1",
        4,
    ),
    Column(
        "word_times",
        WORD_TIMES,
        "align",
        "where each word was said, and its mean probability: by the CTC aligner where the recipe names one, else by "
        "Whisper's attention",
        "samples of the file",
    ),
    Column("heard_again", pl.String, "hear", "where the text was heard: what a second hearing wrote"),
    Column("heard_again_spoken", pl.String, "text", "`heard_again`, normalised like `spoken`", stored=False),
    Column(
        "heard_agreement", pl.Float64, "hear", "1 less the character error rate between the two hearings", "0..1", 4
    ),
    Column(
        "written", pl.String, "hear", "what is normalised: `text`, or `heard` where the source says so", stored=False
    ),
    Column("spoken", pl.String, "text", "the words as spoken: canonical, numbers and symbols read out"),
    Column("words", pl.String, "text", "`spoken` in words, joined by |"),
    Column("pronounced", pl.String, "text", "how `spoken` sounds, word by word: Korean in Hangul, Khmer in IPA"),
    Column("unreadable", pl.String, "text", "characters of the text that could not be read"),
    Column("text_rules", pl.List(pl.String), "text", "which kinds of change the normaliser made"),
    Column("pace", pl.Float64, "text", "characters of `spoken`, spaces aside, per second of speech", "1/s", 2),
    Column("phone_pace", pl.Float64, "text", "sounds of `pronounced` per second of speech", "1/s", 2),
    Column(
        "pace_z",
        pl.Float64,
        "text",
        "robust deviations of the logarithm of `phone_pace` from its speaker's median, or from its source's where that "
        "is nearer; null with fewer than 10 clips",
        "",
        2,
    ),
    Column("embedding", pl.List(pl.Float32), "speakers", "speaker embedding (CAM++), signed, length 1", stored=False),
    Column(
        "voice", pl.String, "speakers", "estimated speaker across files, from the embeddings; null: not surely one's"
    ),
    Column("person", pl.String, "speakers", "who speaks, across names, voices and sources; null: nobody knows"),
    Column("speaker_conflict", pl.String, "speakers", "whom a clip sounds like where that is not whom its label names"),
    Column(
        "person_candidates",
        pl.List(pl.String),
        "speakers",
        "persons that the clip may be of besides `person`; empty: nobody known, or others are like it; null: sure",
    ),
    Column("fingerprint", pl.Binary, "duplicates", "acoustic fingerprint", stored=False),
    Column(
        "similar",
        pl.List(pl.Struct({"id": pl.String, "similarity": pl.Float64})),
        "duplicates",
        "clips that sound the same, and how much",
        "0..1",
        stored=False,
    ),
    Column("duplicate_of", pl.String, "duplicates", "id of the clip that this one repeats"),
    Column(
        "sounds_like",
        pl.String,
        "duplicates",
        "one of the kept clips that sound the same, as the name of them all; null: there is no other",
    ),
    Column("verdict", pl.String, "verdicts", "what a person said of the clip: keep or drop; null: nobody did"),
    Column("verdict_reason", pl.String, "verdicts", "why, in their words"),
    Column("verdict_who", pl.String, "verdicts", "who said so"),
    Column("broke", pl.List(pl.String), "select, balance", "every rule the clip broke, in the order of the rules"),
    Column(
        "drop",
        pl.String,
        "select, balance",
        "the first of them that no person's keep overrules; null: the clip is kept",
    ),
    Column("split", pl.String, "split", "train, validation or test"),
    Column("control", pl.String, "tag", "control words in its tag, where the recipe asks for them: `speaking slowly`"),
    Column("training_text", pl.String, "tag", "language tag and `spoken`: what the model is shown"),
    Column("reference", pl.String, "tag", "id of a clip of the same person and split, heard before it as a reference"),
)


# Columns that manifests of earlier versions do not have: they are opened all the same.
ADDED = (
    "channel", "channel_mix", "dc_offset", "codec", "url", "other_voice", "overlap", "dropout", "text_edits", "unheard",
    "extra", "wrong_words", "ctc_score", "word_times", "heard_again", "heard_agreement", "phone_pace", "pace_z",
    "person", "speaker_conflict", "session", "given_split", "sounds_like", "control", "reference", "verdict",
    "verdict_reason", "verdict_who", "voice_similarity", "person_candidates",
)  # fmt: skip


def clip_id(source: str, path: str, start: int | None, end: int | None, channel: int | None = None) -> str:
    """The first 16 hex digits of sha256 over the values, as JSON; the channel only where the source is split."""
    # written by hand, as json.dumps(..., ensure_ascii=False) writes it: it is asked of every file
    numbers = [start, end] if channel is None else [start, end, channel]
    span = ", ".join("null" if each is None else str(each) for each in numbers)
    text = f"[{encode_basestring(source)}, {encode_basestring(path)}, {span}]"
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def number_repeats(ids: Iterable[str]) -> list[str]:
    """Ids with `-2`, `-3`... appended to the second, third... of equals, in order."""
    seen: dict[str, int] = {}
    numbered = []
    for each in ids:
        seen[each] = seen.get(each, 0) + 1
        numbered.append(each if seen[each] == 1 else f"{each}-{seen[each]}")
    return numbered


def conform(frame: pl.DataFrame) -> pl.DataFrame:
    """Every declared column, absent ones as null, then the source's own; declared types."""
    absent = [pl.lit(None, dtype=c.dtype).alias(c.name) for c in COLUMNS.values() if c.name not in frame.columns]
    declared = [pl.col(c.name).cast(c.dtype) for c in COLUMNS.values()]
    extra = [name for name in frame.columns if name not in COLUMNS]
    return frame.with_columns(absent).select(*declared, *extra)


def rounded(frame: pl.DataFrame) -> pl.DataFrame:
    """Floats rounded as their columns declare, so that equal work gives equal bytes."""
    floats = [c for c in COLUMNS.values() if c.dtype == pl.Float64 and c.name in frame.columns]
    # + 0.0 turns -0.0 into 0.0
    return frame.with_columns((pl.col(c.name).round(c.digits) + 0.0).alias(c.name) for c in floats)


def check(frame: pl.DataFrame) -> None:
    """Raise ValueError where a frame is no manifest: a column missing or of another type, an id twice."""
    for column in COLUMNS.values():
        if column.stored and frame.schema.get(column.name) != column.dtype:
            raise ValueError(f"column {column.name} should be {column.dtype}, is {frame.schema.get(column.name)}")
    if frame["id"].n_unique() != frame.height:
        raise ValueError("ids repeat")


def write(frame: pl.DataFrame, path: Path) -> None:
    """Write a manifest as Parquet, whole or not at all; equal frames give equal bytes."""
    stored = rounded(conform(frame).drop(c.name for c in COLUMNS.values() if not c.stored))
    check(stored)
    files.write_parquet(stored, path)


def read(path: Path) -> pl.DataFrame:
    """Read a manifest; a UserError where there is none or it is not one."""
    if not path.is_file():
        raise UserError(f"no manifest at {path}; make one with `curate run RECIPE --into {path.parent}`")
    try:
        frame = pl.read_parquet(path)
        absent = [COLUMNS[name] for name in ADDED if name not in frame.columns]
        frame = frame.with_columns(pl.lit(None, dtype=column.dtype).alias(column.name) for column in absent)
        check(frame)
    except (pl.exceptions.PolarsError, ValueError) as error:
        why = (str(error).splitlines() or [""])[0]
        raise UserError(f"{path} is not a manifest of this version ({why}); run `curate run` again") from None
    return frame


def kept(frame: pl.DataFrame) -> pl.DataFrame:
    """The rows no rule has dropped."""
    return frame.filter(pl.col("drop").is_null())


def hours(frame: pl.DataFrame) -> float:
    """Hours of audio in a frame."""
    return float(frame["seconds"].sum() or 0.0) / 3600
