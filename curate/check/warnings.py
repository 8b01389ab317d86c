"""What a person should know before a run: one line for each thing that does not stop it."""

from collections.abc import Iterator

from curate import recipe as recipes
from curate.check.sources import NAMED, Facts
from curate.console import printable
from curate.ingest.place import packed
from curate.recipe import LANGUAGES, Recipe
from curate.report import licences
from curate.report.facts import PROVENANCE
from curate.report.wording import duration

SHOWN = 40  # letters of a text


def warnings_of(recipe: Recipe, facts: Facts) -> Iterator[str]:
    for source in facts["sources"]:
        yield from _about_source(source)
    for code, language in facts["languages"].items():
        yield from _about_language(recipe, code, language)
    for model in facts["models"]:
        if model["kind"] == "hub":
            yield f"models.{model['use']}: {model['name']} is on the hub; the first run needs a network, unless cached"
    if recipe.models.asr.get("km") == "bundled":
        yield "models.asr.km: the bundled whisper-base does not know Khmer; leave it out, or name a model that does"
    yield from recipes.warnings(recipe)
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
    if source["to_be_cut"]:
        cut = f"{source['to_be_cut']} rows have no text and are cut at pauses, as recordings are"
        yield f"{who}: {cut}; with their text they stay whole"
    if left := source["columns_left"]:
        yield f"{who}: no column is its text; say columns = {{ text = ... }} where one is: {', '.join(left)}"
    for each in source["foreign_texts"]:
        name = LANGUAGES[each["language"]]
        such = printable(each["first"][:SHOWN]) + ("..." if len(each["first"]) > SHOWN else "")
        counts = f"{each['texts']} of {each['of']} {name} texts have no {name} letter, such as {such}"
        yield f"{who}: {counts}; are the language and the text column right?"
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
        hours = duration(language["hours"])
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
