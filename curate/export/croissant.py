"""Croissant 1.1 metadata with its Responsible AI fields: JSON-LD that `mlcroissant` validates and loads records with.

https://docs.mlcommons.org/croissant/docs/croissant-spec-1.1.html and croissant-rai-spec.html. What is not stated is
left out: an empty field would claim that somebody looked.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from curate.export import card
from curate.export.description import NOT_STATED, DataFile, Facts, describe
from curate.manifest import COLUMNS
from curate.recipe import Recipe
from curate.report.facts import LIMITS

Json = dict[str, Any]
CONFORMS_TO = ["http://mlcommons.org/croissant/1.1", "http://mlcommons.org/croissant/RAI/1.0"]
CONTEXT: Json = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "cr": "http://mlcommons.org/croissant/",
    "dct": "http://purl.org/dc/terms/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "sc": "https://schema.org/",
    "conformsTo": "dct:conformsTo",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "description": {"@container": "@language"},
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "name": {"@container": "@language"},
    **{
        key: f"cr:{key}"
        for key in (
            "arrayShape", "citeAs", "column", "containedIn", "equivalentProperty", "extract", "field", "fileProperty",
            "fileObject", "fileSet", "format", "includes", "isArray", "isLiveDataset", "jsonPath", "key", "md5",
            "parentField", "path", "recordSet", "references", "regex", "repeated", "replace", "samplingRate",
            "separator", "source", "subField", "transform",
        )
    },
}  # fmt: skip
TYPES = {pl.String: "sc:Text", pl.Boolean: "sc:Boolean"}
SOUND = "sc:AudioObject"  # the type of a column with sounds as Hugging Face embeds them
MEANINGS = {  # of columns that published tables have and the manifest has not
    "audio": "the sound of the clip, mono",
    "file": "the clip's file, from the folder of this description",
    "flac_sha256": "of the clip's file",
}


@dataclass(frozen=True)
class Table:
    """Parquet files of one layout that records are read from.

    `columns`: name -> Croissant type, such as "sc:Text"; `meanings` of those that are not as in the manifest. `glob`
    finds the files where there are several. `joined`: a table, and its key, that rows are looked up in by this one's
    `key`; its columns follow this one's.
    """

    files: Sequence[DataFile]
    columns: Mapping[str, str]
    key: str = "id"
    glob: str = ""
    joined: "Table | None" = None
    meanings: Mapping[str, str] = field(default_factory=dict)


def types_of(schema: Mapping[str, Any], names: Sequence[str]) -> dict[str, str]:
    """Croissant's types of a frame's columns, for `Table.columns`; those with plain values only."""
    known = {}
    for name in names:
        dtype = schema[name]
        if dtype.is_integer():
            known[name] = "sc:Integer"
        elif dtype.is_float():
            known[name] = "sc:Float"
        elif dtype in TYPES:
            known[name] = TYPES[dtype]
    return known


def render(
    clips: pl.DataFrame, recipe: Recipe, table: Table, *, others: Sequence[Json] = (), told: Facts | None = None
) -> str:
    """The JSON-LD, ending in a newline; equal input gives equal bytes. `others` are more entries of `distribution`.

    `told`: what `describe` says of these clips, where it was asked already.
    """
    facts = told or describe(clips, recipe)
    tables = [table, *([table.joined] if table.joined else [])]
    document: Json = {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": CONFORMS_TO,
        "name": facts["name"],
        "description": facts["description"] or _described(facts),
        "inLanguage": [language["code"] for language in facts["languages"]],
        "license": [each["url"] or each["licence"] for each in facts["licences"]] or [NOT_STATED],
        "keywords": ["speech", "text to speech", *(language["name"] for language in facts["languages"])],
        "isLiveDataset": False,
        **_stated(facts),
        **responsible(facts),
        "distribution": [*(file for each in tables for file in _files(each)), *others],
        "recordSet": [_record_set(table)],
    }
    return json.dumps(document, ensure_ascii=False, indent=1) + "\n"


def file_set(id: str, glob: str, format: str, description: str) -> Json:
    """Files that a glob finds, for `others`."""
    return {
        "@type": "cr:FileSet", "@id": id, "name": id, "description": description, "encodingFormat": format,
        "includes": glob,
    }  # fmt: skip


def _described(facts: Facts) -> str:
    languages = " and ".join(language["name"] for language in facts["languages"])
    return f"Speech with its text, in {languages or 'no language'}: {facts['clips']} clips, {facts['hours']:.2f} hours."


def _stated(facts: Facts) -> Json:
    """What schema.org wants and the recipe tells."""
    stated: Json = {}
    if facts["creator"]:
        creator = {"@type": "sc:Organization", "name": facts["creator"]}
        stated["creator"] = [creator | ({"url": facts["url"]} if facts["url"] else {})]
    pairs = (("url", "url"), ("version", "version"), ("published", "datePublished"), ("citation", "citeAs"))
    return stated | {theirs: facts[ours] for ours, theirs in pairs if facts[ours]}


def responsible(facts: Facts) -> Json:
    """The fields of Croissant RAI: collection, annotation, people, biases, limits, use."""
    told = [
        f"{source['id']}: {'; '.join(f'{name}: {source[name]}' for name in ('collected', 'domain', 'conditions'))}"
        for source in facts["sources"]
    ]
    people = [f"{source['id']}: {source['people']}; consent: {source['consent']}" for source in facts["sources"]]
    machine = facts["machine"]
    dropped = ", ".join(f"{name} {each['clips']}" for name, each in facts["dropped"].items()) or "none"
    annotation = ["texts are as the sources give them, normalised: numbers and signs read out"]
    if machine["clips"]:
        annotation.append(f"the text of {machine['clips']} clips was written by a speech recogniser, checked by nobody")
    models = [f"{each['use']} {each['language'] or ''}".strip() + f": {each['name']}" for each in facts["models"]]
    contact = f"requests of speakers to be taken out go to {facts['contact'] or NOT_STATED}"
    return {
        "rai:dataCollection": " | ".join(told),
        "rai:dataCollectionType": ["Secondary Data Analysis"],
        "rai:dataCollectionMissingData": f"clips dropped, by the first rule broken: {dropped}",
        "rai:dataCollectionRawData": "recordings of the sources, each with its sha256 in the manifest",
        "rai:dataPreprocessingProtocol": [
            "recordings are cut at pauses, clips trimmed to their speech with a margin, mixed to one channel",
            "every clip is measured and kept or dropped by the same rules",
        ],
        "rai:dataAnnotationProtocol": annotation,
        **({"rai:machineAnnotationTools": models} if models else {}),
        "rai:dataBiases": card.biases(facts),
        "rai:dataLimitations": list(LIMITS),
        "rai:dataUseCases": ["training and judging text-to-speech", f"not for: {' '.join(card.MISUSE)}"],
        "rai:dataSocialImpact": "Gives a voice to languages that large models speak badly; can be used to imitate the "
        "people in it.",
        "rai:personalSensitiveInformation": ["voices, which tell who speaks", *people],
        "rai:dataReleaseMaintenancePlan": contact,
    }


def _files(table: Table) -> list[Json]:
    objects = [
        {
            "@type": "cr:FileObject", "@id": file.path, "name": file.path, "contentUrl": file.path,
            "contentSize": f"{file.bytes} B", "encodingFormat": file.format, "sha256": file.sha256,
        }
        for file in table.files
    ]  # fmt: skip
    found = file_set(table.glob, table.glob, table.files[0].format, "all parts of the table") if table.glob else None
    return [*objects, *([found] if found else [])]


def _record_set(table: Table) -> Json:
    fields = [_field(table, name, type) for name, type in table.columns.items()]
    if other := table.joined:
        for each in fields:
            if each["name"] == table.key:
                each["references"] = _source(other, other.key)
        fields += [_field(other, name, type) for name, type in other.columns.items() if name not in table.columns]
    return {
        "@type": "cr:RecordSet", "@id": "clips", "name": "clips", "description": "One record per kept clip.",
        "key": {"@id": f"clips/{table.key}"}, "field": fields,
    }  # fmt: skip


def _field(table: Table, name: str, type: str) -> Json:
    column = None if name in table.meanings else COLUMNS.get(name)
    meaning = column.meaning.replace("`", "") if column else table.meanings.get(name) or MEANINGS.get(name, name)
    unit = f" ({column.unit})" if column and column.unit else ""
    # Hugging Face keeps a sound as {"bytes", "path"}
    inner = {"transform": {"jsonPath": "bytes"}} if type == SOUND else {}
    return {
        "@type": "cr:Field", "@id": f"clips/{name}", "name": name, "description": f"{meaning}{unit}", "dataType": type,
        "source": _source(table, name) | inner,
    }  # fmt: skip


def _source(table: Table, column: str) -> Json:
    place = {"fileSet": {"@id": table.glob}} if table.glob else {"fileObject": {"@id": table.files[0].path}}
    return {**place, "extract": {"column": column}}
