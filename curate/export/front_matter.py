"""The front matter of a dataset card: YAML that the Hugging Face Hub and `datasets` read."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from curate.export.description import Facts, size_category
from curate.report import licences

# What the hub's `license` key knows of what speech corpora come under; anything else is `other`.
HUB_LICENCES = re.compile(
    r"cc0-1\.0|cc-by(-nc)?(-nd|-sa)?-[2-4]\.[05]|cc-by-nd-4\.0|apache-2\.0|mit|pddl|odc-by|odbl|cdla-sharing-1\.0"
)
# marks of direction, and control characters that JSON lets stand
UNSEEN = re.compile("[\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]")


def front_matter(
    facts: Facts,
    data_files: Mapping[str, str | Sequence[str]],
    features: Sequence[Mapping[str, Any]],
    config: str,
    sizes: Mapping[str, int],
) -> str:
    """YAML between the two lines of dashes."""
    values: dict[str, Any] = {
        "pretty_name": facts["name"],
        "language": [language["code"] for language in facts["languages"]],
        "license": _hub_licences(facts),
    }
    if "other" in values["license"]:
        values["license_name"] = "see-the-licences-below"
        values["license_link"] = "README.md"
    values |= {
        "multilinguality": ["multilingual" if len(facts["languages"]) > 1 else "monolingual"],
        "size_categories": [size_category(facts["clips"])],
        "task_categories": ["text-to-speech", "automatic-speech-recognition"],
        "annotations_creators": ["machine-generated"] if facts["machine"]["clips"] else ["found"],
        "tags": ["audio", "speech", "voxcpm2", *(language["name"].lower() for language in facts["languages"])],
    }
    if data_files:
        listed = [{"split": split, "path": path} for split, path in data_files.items()]
        values["configs"] = [{"config_name": config, "data_files": listed}]
    if features:
        info: dict[str, Any] = {"config_name": config, "features": list(features)}
        if sizes:
            info["splits"] = [
                {"name": name, "num_bytes": sizes[name], "num_examples": facts["splits"][name]["clips"]}
                for name in sizes
            ]
            info |= {"download_size": sum(sizes.values()), "dataset_size": sum(sizes.values())}
        values["dataset_info"] = info
    return "".join(f"{line}\n" for key, value in values.items() for line in _yaml(key, value))


def _hub_licences(facts: Facts) -> list[str]:
    found = []
    for each in facts["licences"]:
        proper = (licences.spdx(each["licence"]) or each["licence"]).strip().lower()
        found.append(proper if HUB_LICENCES.fullmatch(proper) else "other")
    return list(dict.fromkeys(found)) or ["unknown"]


def _quoted(value: Any) -> str:
    """As in JSON; marks that nobody sees are written out, so that they turn nothing around for who reads the file."""
    return UNSEEN.sub(lambda found: f"\\u{ord(found[0]):04x}", json.dumps(value, ensure_ascii=False))


def _yaml(key: str, value: Any, indent: str = "") -> Iterator[str]:
    """A key and its value as YAML; text is quoted as in JSON, which YAML reads the same."""
    if isinstance(value, Mapping):
        yield f"{indent}{key}:"
        for name, each in value.items():
            yield from _yaml(name, each, indent + "  ")
    elif isinstance(value, Sequence) and not isinstance(value, str):
        yield f"{indent}{key}:{'' if value else ' []'}"
        for each in value:
            if isinstance(each, Mapping):
                lines = [line for name, inner in each.items() for line in _yaml(name, inner, indent + "  ")]
                yield f"{indent}- {lines[0].removeprefix(indent + '  ')}"
                yield from lines[1:]
            else:
                yield f"{indent}- {_quoted(each)}"
    else:
        yield f"{indent}{key}: {_quoted(value)}"
