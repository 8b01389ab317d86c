"""README.md of a Hugging Face export: the front matter that the hub and `datasets` read, and the page below it."""

import re
from collections.abc import Mapping
from typing import Any

from curate.export.definition import Clips, language_name, one_line, person

# Licences that the hub knows by a name of its own: the SPDX id in small letters. Others are "other".
HUB_LICENCES = re.compile(
    r"cc0-1\.0|cc-by-(?:sa-|nc-|nd-|nc-sa-|nc-nd-)?[234]\.[05]|apache-2\.0|mit|pddl|odc-by|odbl|bsd-[23]-clause"
)
SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))
TASKS = ("text-to-speech", "automatic-speech-recognition")


def page(clips: Clips, features: Mapping[str, Any]) -> str:
    """The whole page."""
    return f"---\n{front_matter(clips, features)}---\n\n{body(clips)}"


def front_matter(clips: Clips, features: Mapping[str, Any]) -> str:
    """YAML: licences, languages, tasks, size, and which files are which split."""
    licences = sorted({_hub_licence(str(row["licence"])) for row in clips.rows})
    lines = [
        *_list("license", licences or ["other"]),
        *_list("language", sorted({str(row["language"]) for row in clips.rows})),
        *_list("task_categories", TASKS),
        f"pretty_name: {_quoted(clips.name)}",
        *_list("size_categories", [_size(len(clips.rows))]),
        "configs:",
        "- config_name: default",
        "  data_files:" if clips.rows else "  data_files: []",
    ]
    for split in clips.splits():
        lines += [f"  - split: {split}", f"    path: data/{split}-*.parquet"]
    return "\n".join([*lines, *_dataset_info(features)]) + "\n"


def body(clips: Clips) -> str:
    """What stands below: hours by language and split, sources with licences, how to load it."""
    lines = [f"# {one_line(clips.name)}", "", "| language | split | clips | hours | people |", "|---|---|---|---|---|"]
    for language in sorted({str(row["language"]) for row in clips.rows}):
        for split in clips.splits():
            if rows := [row for row in clips.of(split) if row["language"] == language]:
                hours = sum(clips.seconds(row) for row in rows) / 3600
                people = len({person(row) for row in rows} - {""})
                lines.append(f"| {language_name(rows[0])} | {split} | {len(rows)} | {hours:.2f} | {people} |")
    lines += ["", "| source | licence | attribution |", "|---|---|---|"]
    named = {
        tuple(one_line(str(row[name] or "")) for name in ("source", "licence", "attribution")): 0 for row in clips.rows
    }
    lines += [f"| {' | '.join(each.replace('|', '&#124;') for each in names)} |" for names in named]
    lines += ["", "Every row names its source, licence and attribution; `sources.tsv` sums them up.", ""]
    return "\n".join(lines)


def _dataset_info(features: Mapping[str, Any]) -> list[str]:
    lines = ["dataset_info:", "  features:"]
    for name, each in features.items():
        if each["_type"] == "Audio":
            rate = each.get("sampling_rate")
            lines += [f"  - name: {name}", *(["    dtype:", "      audio:", f"        sampling_rate: {rate}"]
                                             if rate else ["    dtype: audio"])]  # fmt: skip
        else:
            lines += [f"  - name: {name}", f"    dtype: {each['dtype']}"]
    return lines


def _hub_licence(licence: str) -> str:
    small = licence.strip().lower()
    return small if HUB_LICENCES.fullmatch(small) else "other"


def _size(count: int) -> str:
    return next((name for most, name in SIZES if count < most), "n>1M")


def _list(key: str, each: list[str] | tuple[str, ...]) -> list[str]:
    return [f"{key}:", *(f"- {value}" for value in each)]


def _quoted(text: str) -> str:
    """As YAML reads it whatever is in it: JSON's way of writing text is one of YAML's."""
    import json

    return json.dumps(one_line(text), ensure_ascii=False)
