"""An existing corpus checked from its files: nothing that it says of itself is believed, nothing is written.

Where a part of it is not here (sources on another machine, say), its check says so and is no failure.
"""

import io
import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl

from curate import commands, leftovers, locks, manifest, pipeline
from curate.console import printable
from curate.corpus import Corpus
from curate.errors import UserError
from curate.files import sha256
from curate.ingest import WRITTEN, roots
from curate.recipe import Recipe
from curate.report.facts import gather
from curate.verify import files as on_disk
from curate.verify import rows
from curate.verify.finding import Checked, Finding, Findings

Facts = dict[str, Any]
Watch = Callable[[str, float, float], None]
NAMED = 10  # failures that are shown of each check
DIFFERING = 5  # rows that are named where a decision differs
INGESTED = WRITTEN | {"start", "end", "licence", "attribution"}  # columns that are compared with the manifest
OF_THE_PROGRAM = ("provenance", "models", "limits", "columns")  # parts of a report that another version may word anew


def verify(corpus: Corpus, recipe: Recipe, watch: Watch) -> Facts:
    """Every check with what failed: `{"ok", "checks": [...], "to_know": [...]}`.

    A UserError where there is nothing to check: no manifest that can be read, or nothing decided yet.
    """
    if not corpus.manifest.exists():
        corpus.require(manifest=True)
    clips = manifest.read(corpus.manifest)
    if clips["broke"].is_null().all():
        raise UserError(f"nothing is decided in {corpus.folder} yet: run `curate tag {corpus.folder}` first")
    ingested, measured = _parquet(corpus.ingested), _parquet(corpus.measured)

    def hashing(what: str) -> Callable[[float, float], None]:
        return lambda done, total: watch(f"hashing {what}", done, total)

    checks = [
        on_disk.sources(clips, roots(recipe, corpus.unpacked), hashing("sources")),
        rows.ids(clips),
        *_as_ingested(clips, ingested),
        decision(corpus, recipe, measured),
        noted(corpus, recipe, clips, measured),
        rows.splits(clips, recipe.split.apart, measured, _held_out(corpus, recipe)),
        rows.texts(clips, recipe),
        on_disk.clip_sounds(clips, corpus.clips, hashing("clips")),
        on_disk.exports(clips, corpus, recipe, leftovers.exports(corpus), hashing("exports")),
        on_disk.metadata(corpus, recipe, clips),
        report(corpus, recipe, clips),
    ]
    to_know = [*rows.conflicts(clips), *leftovers.left_behind(corpus, clips)]
    return {
        "ok": not any(each.findings for each in checks),
        "checks": [each.as_json() for each in checks],
        "to_know": to_know,
    }


def _as_ingested(clips: pl.DataFrame, ingested: pl.DataFrame | None) -> list[Checked]:
    if ingested is None or not set(ingested.columns) >= INGESTED:  # of an earlier version, or none of ours
        why = "without ingested.parquet of this version nobody can tell what was read"
        return [Checked("spans", "files", skipped=why), Checked("licences", "rows", skipped=why)]
    return [rows.spans(clips, ingested), rows.terms(clips, ingested)]


def noted(corpus: Corpus, recipe: Recipe, clips: pl.DataFrame, measured: pl.DataFrame | None) -> Checked:
    """What `split.lock` and `balance.lock` list is what the manifest holds out and keeps."""
    if measured is None and not corpus.split_lock.exists():
        return Checked("locks", "rows", skipped="split.lock is not here")
    try:
        chosen = locks.chosen(corpus) if locks.chooses(recipe) else None
        return rows.noted(clips, locks.held(corpus, recipe), chosen)
    except UserError as error:
        return Checked("locks", "rows", 0, [Finding("split.lock or balance.lock", str(error))])


def _held_out(corpus: Corpus, recipe: Recipe) -> pl.DataFrame | None:
    """What split.lock holds out; None where it cannot be read, which the check of the manifest tells."""
    try:
        return locks.held(corpus, recipe)
    except UserError:
        return None


def decision(corpus: Corpus, recipe: Recipe, measured: pl.DataFrame | None) -> Checked:
    """The manifest is what rules, recipe, verdicts and locks make of the measured frame, byte for byte."""
    if measured is None:
        return Checked("manifest", "rows", skipped="without measured.parquet nothing can be decided again")
    try:
        again = commands.decide(corpus, recipe, measured)
    except UserError as error:
        return Checked("manifest", "rows", 0, [Finding("recipe, verdicts or locks", str(error))])
    now = corpus.manifest.read_bytes()
    if _bytes(again) == now:
        return Checked("manifest", "rows", again.height)
    for step in pipeline.DECISIONS[:-1]:
        if _bytes(commands.decide(corpus, recipe, measured, until=step)) == now:
            told = f"is only decided up to `{step}`: run `curate tag`, which also writes clips, exports and report anew"
            return Checked("manifest", "rows", again.height, [Finding(corpus.manifest.name, told)])
    return Checked("manifest", "rows", again.height, _differences(manifest.read(corpus.manifest), again))


def _bytes(clips: pl.DataFrame) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        manifest.write(clips, Path(folder) / "manifest.parquet")
        return (Path(folder) / "manifest.parquet").read_bytes()


def _differences(now: pl.DataFrame, again: pl.DataFrame) -> list[Finding]:
    """Which rows and columns are not what is decided."""
    decided = pl.read_parquet(io.BytesIO(_bytes(again)))
    if now.columns != decided.columns or set(now["id"]) != set(decided["id"]):
        missing, more = set(decided["id"]) - set(now["id"]), set(now["id"]) - set(decided["id"])
        columns = sorted(set(now.columns) ^ set(decided.columns))
        found = [Finding(id, "has no row any more") for id in sorted(missing)]
        found += [Finding(id, "has a row that nothing made") for id in sorted(more)]
        return found or [Finding("columns", f"are others, or in another order: {', '.join(columns) or 'order'}")]
    if now["id"].to_list() != decided["id"].to_list():
        return [Finding("rows", "stand in another order")]
    found = []
    for name in decided.columns:
        differ = now.select("id", (now[name].ne_missing(decided[name])).alias("differs")).filter("differs")["id"]
        rest = f" and {len(differ) - DIFFERING} more" if len(differ) > DIFFERING else ""
        if len(differ):
            some = ", ".join(differ[:DIFFERING])
            found.append(Finding(name, f"is not what is decided again: {some}{rest}"))
    return found or [Finding("manifest.parquet", "has the values that are decided again, written by another program")]


def report(corpus: Corpus, recipe: Recipe, clips: pl.DataFrame) -> Checked:
    """The report tells what manifest and recipe give, and its page is the one that was written with it."""
    try:
        told = json.loads((corpus.report / "report.json").read_text(encoding="utf-8"))
        checksum, page = told["provenance"]["checksums"]["manifest.parquet"], told["page_sha256"]
    except (OSError, ValueError, KeyError, TypeError):
        return Checked("report", "parts", 0, [Finding("report.json", "is missing, or is no report: run `curate tag`")])
    found = Findings()
    page_file = corpus.report / "index.html"
    if not page_file.is_file() or sha256(page_file) != page:
        found.add("index.html", "is not the page that was written with report.json: run `curate tag`")
    if checksum != sha256(corpus.manifest):
        found.add("report.json", "is of another manifest: run `curate tag`")
        return Checked("report", "parts", 1, found.listed)
    true = json.loads(json.dumps(gather(clips, recipe, folder=corpus.folder)))
    for name in (own := [each for each in true if each not in OF_THE_PROGRAM]):
        if told.get(name) != true[name]:
            found.add("report.json", f"tells other {name} than manifest and recipe: run `curate tag`")
    return Checked("report", "parts", len(own), found.listed)


def _parquet(path: Path) -> pl.DataFrame | None:
    try:
        return pl.read_parquet(path)
    except (pl.exceptions.PolarsError, OSError):
        return None


def as_text(facts: Facts) -> str:
    """The checks as a table, then what failed, then what is to be known."""
    from curate import show

    table = [["check", "", "looked at", "failed"]]
    for each in facts["checks"]:
        fate = "FAILED" if each["failed"] else "holds" if each["looked_at"] or not each["skipped"] else "-"
        table.append([each["check"], fate, f"{each['looked_at']} {each['of']}", str(each["failed"] or "")])
    lines = show.left(table)
    for each in facts["checks"]:
        if each["skipped"]:
            lines.append(f"{each['check']}: {each['skipped']}")
    for each in facts["checks"]:
        found = each["findings"]
        lines += ["", f"{each['check']}: {len(found)} failed"] if found else []
        lines += [f"  {printable(one['what'])}  {printable(one['problem'])}" for one in found[:NAMED]]
        if len(found) > NAMED:
            lines.append(f"  and {len(found) - NAMED} more; --json has all")
    if facts["to_know"]:
        lines += ["", "to know", *(f"  {line}" for line in facts["to_know"])]
    return "\n".join(lines)
