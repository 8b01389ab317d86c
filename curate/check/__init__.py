"""Is a recipe sound, before hours are spent: sources listed, a few files opened, models looked for; nothing is written.

What would stop a run is a UserError; what a person should know first is a warning.
"""

from collections.abc import Iterator
from pathlib import Path

from curate import verdicts
from curate.check.models import model_facts
from curate.check.sources import (
    Facts,
    language_facts,
    licence_facts,
    listed_sources,
    source_facts,
)
from curate.check.warnings import warnings_of
from curate.recipe import LANGUAGES, Recipe
from curate.report.facts import PROVENANCE
from curate.report.wording import duration
from curate.steps import rule_catalogue
from curate.text.korean import lexicon


def check(recipe: Recipe, *, file: Path | None = None) -> Facts:
    """What the sources hold and who would listen to them, with warnings; a UserError where a run would stop.

    `file` is the recipe's own, for the command that fetches what is missing.
    """
    if recipe.corpus.verdicts is not None:
        verdicts.read(Path(recipe.corpus.verdicts))
    models = list(model_facts(recipe))
    if recipe.text.lexicon is not None:
        lexicon.lexicon(Path(recipe.text.lexicon))
    listed = listed_sources(recipe, file)
    sources = [source_facts(*each) for each in listed]
    languages = language_facts(recipe, [(source, rows) for source, rows, _ in listed], sources)
    off = [rule.name for rule in recipe.RULES if not rule.later and rule_catalogue.is_off(rule, recipe)]
    facts = {
        "corpus": recipe.corpus.name, "sources": sources, "languages": languages,
        "licences": licence_facts(listed, sources), "models": models, "rules_off": off,
    }  # fmt: skip
    return {**facts, "warnings": list(warnings_of(recipe, facts))}


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
    count = len(facts["warnings"])
    lines += ["", f"{count} {'thing' if count == 1 else 'things'} to know" if count else "nothing to warn of"]
    return "\n".join([*lines, *(f"  - {line}" for line in facts["warnings"])])


def _licence_line(licence: Facts) -> str:
    flags = f" ({', '.join(licence['flags'])})" if licence["flags"] else ""
    return f"{licence['licence']}{flags}: about {duration(licence['hours'])}"


def _language_line(language: Facts) -> str:
    wanted = "all" if language["wanted"] is None else f"{language['wanted']:g} h"
    hours = f"about {duration(language['hours'])} found, {wanted} wanted"
    return f"{language['name']}: {hours}; recogniser {language['asr'] or 'none'}"


def _source_lines(source: Facts) -> Iterator[str]:
    present = source["files"] - source["missing"]["files"]
    yield f"source {source['id']} ({source['kind']}), licence {source['licence']}"
    yield f"  {present} of {source['files']} files are there"
    hours = source["hours"]
    how = "all opened" if hours["exact"] else f"estimated from {hours['opened']} files and the sizes of the rest"
    yield f"  {'' if hours['exact'] else 'about '}{duration(hours['hours'])} ({how})"
    languages = ", ".join(f"{count} {LANGUAGES[code]}" for code, count in source["languages"].items() if count)
    yield f"  rows: {source['rows']} ({languages or 'no known language'})"
    yield f"  with text {source['with_text']}; speakers named {source['speakers']}"
    for name in PROVENANCE:
        if source[name]:
            yield f"  {name}: {source[name]}"
