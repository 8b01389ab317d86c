"""What lies on the disk against what the manifest says of it: sources, clips, exports, card."""

import json
import os
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import polars as pl
import soundfile

from curate import files, manifest, outputs
from curate.corpus import Corpus
from curate.export import clips as clip_files
from curate.export import contents, formats
from curate.export import folder as export_folder
from curate.export.definition import Clips, select
from curate.files import Root
from curate.recipe import Recipe
from curate.verify.finding import Checked, Finding, Findings

Progress = Callable[[float, float], None]


def sources(clips: pl.DataFrame, roots: Mapping[str, Root], progress: Progress) -> Checked:
    """Files of the sources that are here have the bytes that were ingested; those that are not here are counted."""
    wanted = clips.filter(pl.col("sha256").is_not_null()).unique(("source", "path"), maintain_order=True)
    rows = list(wanted.select("source", "path", "sha256").iter_rows())
    places = [roots[source] / path if source in roots else None for source, path, _ in rows]
    here = [(row, place) for row, place in zip(rows, places, strict=True) if place is not None and place.is_file()]
    hashes = _hashes([place for _, place in here], progress)
    found = [
        Finding(f"{source} {path}", f"has other bytes than were ingested ({now[:12]}, not {sha256[:12]})" if now else
                "cannot be read")
        for ((source, path, sha256), _), now in zip(here, hashes, strict=True)
        if now != sha256
    ]  # fmt: skip
    absent = len(rows) - len(here)
    return Checked(
        "sources", "files", len(here), found, f"{absent} of {len(rows)} files are not here" if absent else ""
    )


def clip_sounds(clips: pl.DataFrame, folder: Path, progress: Progress) -> Checked:
    """Each kept clip has its file, with the bytes that were written for its span and the span's length and rate."""
    kept = manifest.kept(clips)
    index = clip_files.read_index(folder)
    if index is None:
        return Checked("clips", "files", 0, [Finding("clips/", "has no index that can be read: run `curate tag`")])
    found = Findings()
    identity = clip_files.IDENTITY
    for id in kept.join(index, on=identity, how="anti", nulls_equal=True)["id"]:
        found.add(id, "was not cut from the span that the manifest gives")
    for id in sorted({path.stem for path in folder.glob("*.flac")} - set(kept["id"])):
        found.add(id, "has a file in clips/ and is not kept")
    for name in _others(folder, [clip_files.INDEX]):
        if "/" in name or not name.endswith(".flac"):
            found.add(f"clips/{name}", "is no clip of this corpus")
    rows = kept.select("id", "rate", (pl.col("cut_end") - pl.col("cut_start")).alias("samples"))
    rows = rows.join(index.select("id", "flac_sha256"), on="id", how="left", maintain_order="left")
    paths = [folder / f"{id}.flac" for id in rows["id"]]
    hashes = _hashes(paths, progress)
    for (id, rate, samples, sha256), path, now in zip(rows.iter_rows(), paths, hashes, strict=True):
        if problem := _sound_problem(path, now, sha256, rate, samples):
            found.add(id, problem)
    return Checked("clips", "files", kept.height, found.listed)


def _sound_problem(path: Path, now: str | None, sha256: str | None, rate: int, samples: int) -> str:
    """What is wrong with one clip's file; empty where nothing is."""
    if now is None:
        return "has no file in clips/" if not path.exists() else "its file cannot be read"
    try:
        info = soundfile.info(str(path))
    except (soundfile.LibsndfileError, RuntimeError) as error:
        return f"its file is no sound ({error})"
    if (info.samplerate, info.frames) != (rate, samples):
        return f"its file has {info.frames} samples at {info.samplerate} Hz, its span {samples} at {rate} Hz"
    return "its file has other bytes than were written" if now != sha256 else ""


def exports(clips: pl.DataFrame, corpus: Corpus, recipe: Recipe, names: Sequence[str], progress: Progress) -> Checked:
    """Exports hold the kept clips that have a text, all of them and no others, in the bytes that were written.

    And these are what the manifest gives now: the same texts, in the same splits.
    """
    wanted = set(manifest.kept(clips).filter(pl.col("training_text").is_not_null())["id"])
    found, count, unknown = Findings(), 0, []
    for name in names:
        folder = corpus.export(name)
        held = contents.ids(folder)
        if more := held - wanted:
            found.add(f"export/{name}", f"holds {len(more)} clips that are not kept: {contents.named(more)}")
        if problem := _index_problem(corpus, name):
            found.add(f"export/{name}", problem)
            continue
        for what, less in _lacking(folder, name, wanted).items():
            found.add(f"export/{what}", f"lacks {len(less)} kept clips: {contents.named(less)}")
        again = f"`curate export {corpus.folder} --to {name}`"
        if (export_folder.settings_of(folder) or {}).get("complete") is False:
            found.add(f"export/{name}", f"is half made: {again} goes on with it")
        if not (listed := _written(corpus, name)):
            unknown.append(name)
            continue
        if held == wanted and (old := _outdated(clips, corpus, recipe, name)):
            what = f"has {len(old)} files of another manifest or recipe, such as {old[0]}"
            found.add(f"export/{name}", f"{what}: {again} renews it")
        count += len(listed)
        for path in _others(folder, [export_folder.INDEX, *listed]):
            found.add(f"export/{name}/{path}", "is no part of the export")
        paths = [folder / path for path in listed]
        for (path, sha256), now in zip(listed.items(), _hashes(paths, progress), strict=True):
            if now != sha256:
                problem = "is missing" if now is None else "has other bytes than were written"
                found.add(f"export/{name}/{path}", problem)
    skipped = f"no checksums of {', '.join(unknown)}" if unknown else "" if names else "none is here"
    return Checked("exports", "files", count, found.listed, skipped)


def _index_problem(corpus: Corpus, format: str) -> str:
    """What is wrong with the index of an export, so that nobody can tell what was written; empty where nothing is."""
    folder = corpus.export(format)
    header = export_folder.settings_of(folder)
    again = f"remove {folder}, and `curate export {corpus.folder} --to {format}` makes it anew"
    if format not in formats.FORMATS:
        return ""
    if header is None:
        return f"has no index ({export_folder.INDEX}) of what was written: {again}"
    if header["format"] != format:
        return f"has the index of an export for {header['format']}: {again}"
    if header.get("complete") is not False and not _written(corpus, format):
        return f"has an index ({export_folder.INDEX}) that lists no file: {again}"
    return ""


def _lacking(folder: Path, format: str, wanted: Collection[str]) -> dict[str, set[str]]:
    """Kept clips that an export lacks: by the export's name where all of it does, else by the place in it."""
    known = formats.FORMATS.get(format)
    places = known.places if known else ("**/*",)
    lacks = contents.lacking(folder, places, wanted)
    everywhere = set.intersection(*lacks.values()) if len(lacks) == len(places) else set()
    rest = {f"{format}/{place}": ids - everywhere for place, ids in lacks.items() if ids - everywhere}
    return {**({format: everywhere} if everywhere else {}), **rest}


def _outdated(clips: pl.DataFrame, corpus: Corpus, recipe: Recipe, name: str) -> list[str]:
    """Files of an export whose content, by its key, is not what the clips give now with the sound that it has."""
    settings = export_folder.settings_of(corpus.export(name))
    if name not in formats.FORMATS or settings is None or settings.get("complete") is False:
        return []
    sound = formats.same_sound(name, settings)
    made = formats.named(name).files(Clips(select(clips), corpus.clips, sound, clips, recipe))
    now = {each.name: each.key for each in made}
    then = {file: entry.key for file, entry in export_folder.entries(corpus.export(name)).items()}
    return sorted(file for file in now.keys() | then.keys() if now.get(file) != then.get(file))


def _written(corpus: Corpus, format: str) -> dict[str, str]:
    """The sha256 of an export's files, by path in its folder, as whatever wrote them noted it; empty where nothing did.

    The index inside the folder: a line of settings, then a JSON object a file.
    """
    try:
        lines = (corpus.export(format) / export_folder.INDEX).read_text(encoding="utf-8").splitlines()[1:]
        noted = [json.loads(line) for line in lines]
        return {each["file"]: each["sha256"] for each in noted if each.get("sha256")}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def metadata(corpus: Corpus, recipe: Recipe, clips: pl.DataFrame) -> Checked:
    """The Croissant metadata tells the sha256 of the files beside it, and both it and the card say what they should."""
    found, count = Findings(), 0
    if not corpus.card.is_file():
        found.add(corpus.card.name, "is missing: run `curate tag`")
    try:
        listed = json.loads(corpus.croissant.read_text(encoding="utf-8"))["distribution"]
        told = {each["contentUrl"]: each["sha256"] for each in listed if "sha256" in each}
    except (OSError, ValueError, KeyError, TypeError):
        return Checked("card", "files", 0, [*found, Finding(corpus.croissant.name, "is missing, or is no Croissant")])
    for path, sha256 in told.items():
        count += 1
        now = _hash(corpus.folder / path)
        if now != sha256:
            found.add(path, "is not the file that croissant.json describes: run `curate tag`")
    if found.listed:
        return Checked("card", "files", count, found.listed)
    try:
        pages = outputs.metadata(corpus, recipe, clips)
    except OSError:  # what the metadata should have told the hash of is not here
        return Checked("card", "files", count, [Finding(corpus.croissant.name, "tells no hash of a file it should")])
    for path, text in pages.items():
        count += 1
        if path.read_text(encoding="utf-8") != text:
            found.add(path.name, "is not what manifest and recipe say: run `curate tag`")
    return Checked("card", "files", count, found.listed)


def _others(folder: Path, ours: Iterable[str]) -> list[str]:
    """Files and links below a folder, by their path from there, that are not ours nor half written by us."""
    known = {*ours, *export_folder.IGNORED}
    names = [path.relative_to(folder) for path in folder.rglob("*") if path.is_symlink() or not path.is_dir()]
    return sorted(
        each.as_posix() for each in names
        if each.as_posix() not in known and each.name not in export_folder.IGNORED
        and not files.PARTIALS.fullmatch(each.name)
    )  # fmt: skip


def _hashes(paths: list[Path], progress: Progress) -> list[str | None]:
    """The sha256 of each file; None where it cannot be read."""
    hashes = []
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for done, each in enumerate(pool.map(_hash, paths), 1):
            hashes.append(each)
            progress(done, len(paths))
    return hashes


def _hash(path: Path) -> str | None:
    try:
        return files.sha256(path)
    except OSError:
        return None
