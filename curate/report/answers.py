"""What a reader asks first: may I train on it, and what is wrong with it. Answered from the other facts."""

from typing import Any

from curate.recipe import LANGUAGES
from curate.report import wording

SHORT = 0.995  # of the hours wanted: below it something is missing (the issue of record allows 0.5 %)
FEW_PERSONS = 3
LITTLE = 0.5  # hours of a language: `train` warns below it, too
MUCH_MACHINE = 0.2  # share of the kept hours
SPLIT_WORDS = {
    "speaker": "persons", "text": "texts", "recording": "recordings", "audio": "groups of clips that sound alike",
    "session": "sessions",
}  # fmt: skip


def may_train(facts: dict[str, Any]) -> dict[str, Any]:
    """A first answer by the names of the licences, with its reasons: `yes`, `limits`, `unclear` or `nothing`."""
    kept = facts["licences"]["kept"]
    flags = {flag for each in kept for flag in each["flags"]}
    unknown = [each["licence"] for each in kept if not each["known"]]
    reasons = list(facts["licences"]["conflicts"])
    if unknown:
        reasons.append(f"not licences we know, so read them: {', '.join(unknown)}")
    if "SA" in flags:
        reasons.append("share alike: what you publish from it carries the same licence")
    named = [each["id"] for each in facts["sources"] if each["kept"]["clips"] and not each["attribution"]]
    if named:
        reasons.append(f"nobody is named as author of {', '.join(named)}: fill in attribution in the recipe")
    if not kept:
        return {"answer": "nothing", "words": "There is nothing to train on", "because": reasons}
    if "ND" in flags or unknown:
        return {"answer": "unclear", "words": "Ask first", "because": reasons}
    if "NC" in flags:
        return {"answer": "limits", "words": "Yes, but not for commercial use", "because": reasons}
    if "SA" in flags:
        return {"answer": "limits", "words": "Yes, sharing alike", "because": reasons}
    return {"answer": "yes", "words": "Yes, as far as licences tell", "because": reasons}


def wrong(facts: dict[str, Any]) -> list[dict[str, str]]:
    """What is wrong with the corpus, the gravest first: `grave` or `mild`, a sentence, and where to look."""
    found = [*_leaks(facts), *_amounts(facts), *_splits(facts), *_people(facts), *_texts(facts), *_told(facts)]
    return sorted(found, key=lambda each: each["weight"] != "grave")


def _line(weight: str, says: str, where: str) -> dict[str, str]:
    return {"weight": weight, "says": says, "where": where}


def _leaks(facts: dict[str, Any]) -> list[dict[str, str]]:
    return [
        _line(
            "grave",
            f"{each['in_two']} of {each['of']} {SPLIT_WORDS[each['what']]} are in more than one split, though the "
            "recipe wants them apart.",
            "splits",
        )
        for each in facts["leaks"]
        if each["asked"] and each["in_two"]
    ]


def _amounts(facts: dict[str, Any]) -> list[dict[str, str]]:
    lines = []
    for each in facts["balance"]:
        if not each["clips"]:
            lines.append(_line("grave", f"No {each['name']} clip is kept.", "funnel"))
        elif each["share"] is not None and each["share"] < SHORT:
            missing = each["wanted"] - each["hours"]
            lines.append(
                _line(
                    "grave",
                    f"{each['name']}: {wording.duration(missing)} are missing of {each['wanted']:g} h wanted.",
                    "funnel",
                )
            )
        if 0 < each["hours"] < LITTLE:
            little = (
                f"{wording.duration(each['hours'])} are little to train on (train warns under {60 * LITTLE:.0f} min)"
            )
            lines.append(_line("mild", f"{each['name']}: {little}.", "hours"))
    return lines


def _splits(facts: dict[str, Any]) -> list[dict[str, str]]:
    empty = [
        _line("grave", f"{each['split']} is empty for {LANGUAGES[each['language']]}: {each['cause']}.", "splits")
        for each in facts["empty_splits"]
    ]
    others = [*(each["says"] for each in facts["uneven_splits"]), *facts["leaking"]]
    return empty + [_line("mild", f"{says}.", "splits") for says in others]


def _people(facts: dict[str, Any]) -> list[dict[str, str]]:
    lines, corpus = [], facts["corpus"]
    for each in facts["persons"]["languages"]:
        if each["clips"] and each["persons"] < FEW_PERSONS:
            says = "nobody knows how many persons speak" if not each["persons"] else f"{each['persons']} "
            says += "" if not each["persons"] else "person speaks" if each["persons"] == 1 else "persons speak"
            says += f" ({each['by_voice']} told by voice alone)" if each["by_voice"] else ""
            lines.append(
                _line("mild", f"{each['name']}: {says}; a voice or an accent may be learned with it.", "persons")
            )
    if corpus["speaker_conflicts"]:
        count = corpus["speaker_conflicts"]
        lines.append(_line("mild", f"{count} kept clips sound like another person than their label says.", "persons"))
    if corpus["unnamed"]:
        clips = "clip" if corpus["unnamed"] == 1 else "clips"
        lines.append(_line("mild", f"In {corpus['unnamed']} kept {clips} nobody knows who speaks.", "persons"))
    return lines


def _texts(facts: dict[str, Any]) -> list[dict[str, str]]:
    lines = []
    machine, kept = facts["machine_text"]["kept"], facts["kept"]
    if machine["clips"]:
        weight = "grave" if machine["hours"] > MUCH_MACHINE * (kept["hours"] or 1) else "mild"
        lines.append(
            _line(weight, f"The text of {machine['clips']} kept clips was written by a recogniser.", "agreement")
        )
    for each in facts["agreement"]:
        if each["asr"] is None:
            lines.append(_line("mild", f"No recogniser checks the texts of {each['name']}.", "agreement"))
    if facts["unreadable"]:
        lines.append(_line("mild", f"{len(facts['unreadable'])} rows carry an error.", "unreadable"))
    return lines


def _told(facts: dict[str, Any]) -> list[dict[str, str]]:
    """What nobody said, and what nobody asked."""
    lines = []
    silent = [each["id"] for each in facts["sources"] if each["kept"]["clips"] and not each["told"]]
    if silent:
        lines.append(
            _line("mild", f"Not told how, by whom and where it was collected: {', '.join(silent)}.", "sources")
        )
    off = [row["rule"] for row in facts["funnel"] if row["off"] and row["rule"] not in facts["later"]]
    if off:
        lines.append(_line("mild", f"Switched off in the recipe: {', '.join(off)}.", "funnel"))
    return lines
