"""The power of a test of this size for a difference that the study fixed: not for the one that was found."""

from dataclasses import dataclass

from curate.errors import UserError
from train.listen import analysis
from train.listen import power as simulated
from train.study.inputs import Material


@dataclass(frozen=True)
class Power:
    """Of one language; `text` says how it was got, or why it is not stated."""

    language: str
    text: str
    chance: float | None = None


def of(material: Material) -> list[Power]:
    """Simulated with the variances that these ratings show, each language alone."""
    return [_of(material, language) for language in material.study.study.languages]


def _of(material: Material, language: str) -> Power:
    rated, asked = material.rated, material.study.power
    rows = [row for row in rated.kept if row.language == language and row.kind in analysis.COMPARED]
    row = rated.described(language, rated.settings.baseline)
    try:
        mos, deviations = simulated.of_pilot(rows, rated.settings)[language]
        design = "latin" if _once(material, language) else "full"
        question = simulated.Question(
            mos=mos, difference=asked.difference, margin=rated.settings.margin, alpha=rated.settings.alpha,
            comparisons=len(material.study.conditions) - 1, deviations=deviations,
            design="latin" if design == "latin" else "full", conditions=len(material.study.conditions),
            replicates=asked.replicates, seed=asked.seed,
        )  # fmt: skip
        found = simulated.power(question, [row["listeners"] if row else 0], [_sentences(material, language)])[0]
    except (UserError, KeyError) as problem:
        return Power(language, f"power not stated ({problem}).")
    rounded = f"{found['listeners']} listeners and {found['sentences']} sentences, {design}"
    return Power(
        language,
        f"power for a difference of {asked.difference:+g}, fixed beforehand, at Holm's first step: "
        f"{found['power']:.2f} ± {found['power_error']:.2f}; for no loss of {question.margin:g} where there is none: "
        f"{found['power_non_inferiority']:.2f} ± {found['power_non_inferiority_error']:.2f}. {asked.replicates} "
        f"simulated tests of {rounded}, seed {asked.seed}, with the variances of these ratings.",
        found["power"],
    )


def _once(material: Material, language: str) -> bool:
    """Whether listeners heard sentences in one condition each."""
    if material.rated.plan:
        return material.rated.plan.design == "latin"
    seen = [(row.listener, row.sentence) for row in material.rated.kept
            if row.language == language and row.kind in analysis.COMPARED]  # fmt: skip
    return len(set(seen)) == len(seen)


def _sentences(material: Material, language: str) -> int:
    return len({row.sentence for row in material.rated.kept
                if row.language == language and row.kind in analysis.COMPARED})  # fmt: skip
