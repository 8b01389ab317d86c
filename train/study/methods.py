"""The paragraphs for a methods section: the referee's four points, answered from the files and from nothing else.

What the files do not say stands there as "not stated".
"""

from collections.abc import Mapping
from typing import Any

from train.listen.plan import Plan, group_of
from train.listen.tables import number
from train.messages import counted
from train.study import power
from train.study.corpus import FIELDS, NOT_STATED, CorpusFacts, balance, hours_text
from train.study.formats import markdown
from train.study.inputs import Material
from train.study.tables import LANGUAGES, named

TOLD = {"native": "native speakers", "region": "region", "device": "device", "headphones": "headphones"}
COLLECTED = {"collected": "Collected", "people": "People", "domain": "Domain", "conditions": "Recording conditions",
             "consent": "Consent"}  # fmt: skip


def page(material: Material, corpus: CorpusFacts) -> str:
    """methods.md."""
    banner = [f"> **{markdown(material.study.study.banner.upper())}**", ""] if material.study.study.banner else []
    parts = [
        ["# Methods", "", *banner],
        ["Made from the files of the study; what they do not say stands as “not stated”.", ""],
        ["## Corpus", "", *_corpus(material, corpus), ""],
        ["## Runs, figures and tables", "", *_runs(material), ""],
        ["## Adapter", "", *_adapter(material), ""],
        ["## Listeners", "", *_listeners(material), ""],
        ["## Listening test", "", *_test(material), ""],
        ["## Statistics", "", *_statistics(material), ""],
        ["## Where this departs from the study", "", *_departures(material, corpus), ""],
    ]
    return "\n".join(line for part in parts for line in part).rstrip() + "\n"


# ---- (a) the corpus


def _corpus(material: Material, corpus: CorpusFacts) -> list[str]:
    told = "" if corpus.measured else ", by its recipe; no corpus was counted"
    lines = [f"The corpus is {markdown(corpus.name or NOT_STATED)}{told}. Its sources:", ""]
    lines += [_source(each, corpus) for each in corpus.sources] or [f"- {NOT_STATED}"]
    lines += ["", "Balance, after curation:", ""]
    for language in material.study.study.languages:
        lines.append(f"- {LANGUAGES[language]}: {balance(corpus, language)}.")
    wanted = ", ".join(f"{LANGUAGES[name]} {value:g} h" for name, value in material.study.corpus.hours.items())
    lines += ["", f"Aimed at: {wanted or NOT_STATED}. What no two splits share: {markdown(corpus.apart)}."]
    return lines


def _source(each: Mapping[str, str], corpus: CorpusFacts) -> str:
    hours = [
        f"{LANGUAGES.get(language, language)} {hours_text(value)}"
        for (source, language), value in corpus.source_hours.items()
        if source == each["id"]
    ]
    told = [f"{COLLECTED[name]}: {markdown(each.get(name) or NOT_STATED).rstrip('.')}." for name in FIELDS]
    licence = markdown(each.get("licence") or NOT_STATED)
    whose = markdown(each.get("attribution") or NOT_STATED)
    return f"- **{markdown(each['id'])}** ({', '.join(hours) or NOT_STATED}; {licence}; {whose}). {' '.join(told)}"


# ---- (b) runs and seeds


def _runs(material: Material) -> list[str]:
    table, begun, evaluation = material.swept.table, material.swept.begun["settings"], material.swept.evaluation
    train, batch, rate = begun["train"], begun["batch"], begun["optimizer"]["learning_rate"]
    length = counted(train["steps"], "step") if train.get("steps") else counted(train["epochs"], "epoch")
    speech = evaluation["speech"]
    return [
        f"One run for each rank and seed, equal in all else. {named(material)} Each: {length}, batches of "
        f"{batch['tokens']} tokens, learning rate {rate:g} after {begun['optimizer']['warmup_steps']} warm-up "
        f"steps; base model {markdown(material.swept.model)} (sha256 {str(material.swept.begun['base model'])[:12]}).",
        "",
        "Figures loss and layout and the tables share, loss, adapter and runs are of these runs. Figure and table mos "
        f"and the comparison with published figures are of seed {table['seeds'][0]} and of the ratings with sha256 "
        f"{material.rated.sha256[:12]}. Losses are over the split {markdown(table['split'])} with "
        f"{evaluation['losses']['draws']} fixed draws of time and noise, shared by all conditions. Speech: "
        f"{speech['timesteps']} steps, guidance {speech['guidance']:g}, retries {speech['retries']}, seed "
        f"{speech['seed']} and seeds shared by all conditions; the first of {speech['takes']} takes is rated.",
    ]


# ---- (c) the adapter


def _adapter(material: Material) -> list[str]:
    adapter, layout = material.swept.begun["settings"]["adapter"], material.swept.table["layout"]
    parts: dict[str, list[str]] = {}
    for row in layout:
        shapes = f"A {row['a'][0]} x {row['a'][1]}, B {row['b'][0]} x {row['b'][1]}"
        parts.setdefault(f"{row['name']}, {counted(row['layers'], 'layer')}", []).append(f"{row['module']} ({shapes})")
    where = "; ".join(f"{name}: {', '.join(modules)}" for name, modules in parts.items())
    sizes = ", ".join(
        f"rank {row['rank']}: {row['parameters']:,} ({row['percent']:.2f} %)"
        for row in material.swept.rows(material.study, material.study.study.languages[0])
        if row["rank"] != "off"
    )
    rank = layout[0]["a"][0] if layout else NOT_STATED
    alpha = "equal to the rank" if adapter["alpha"] is None else str(adapter["alpha"])
    return [
        f"LoRA: W + (alpha / {'sqrt rank' if adapter['rslora'] else 'rank'}) B A, alpha {alpha}, dropout "
        f"{adapter['dropout']:g}. At rank {rank}, in {markdown(where)}. All other parameters are frozen. Trainable "
        f"parameters: {sizes}, of {material.swept.table['parameters']:,}.",
    ]  # fmt: skip


# ---- (d) listeners, test, statistics


def _listeners(material: Material) -> list[str]:
    lines = []
    for language, told in material.rated.facts["listeners"].items():
        said = [f"{words} {_counts(told.get(name), told['rated'])}" for name, words in TOLD.items()]
        lines.append(
            f"- {LANGUAGES.get(language, markdown(language))}: {counted(told['rated'], 'listener')} rated, "
            f"{told['excluded']} excluded, {told['rated'] - told['excluded']} analysed. {'; '.join(said)}."
        )
    excluded = [
        f"{markdown(each['listener'])} ({markdown(each['rule'])}: {markdown(each['why'])})"
        for each in material.rated.facts["excluded"]
    ]
    rules = ", ".join(f"{name} {value}" for name, value in material.rated.facts["method"]["exclusion_rules"].items())
    fixed = "fixed in the plan before a rating existed" if material.rated.plan else "of the analysis, no plan given"
    return [
        *lines, "", f"How listeners were recruited and paid: {NOT_STATED}. Rules of exclusion, {fixed}: "
        f"{markdown(rules or 'none')}. Excluded: {', '.join(excluded) or 'nobody'}.",
    ]  # fmt: skip


def _counts(counts: Mapping[str, int] | None, everyone: int) -> str:
    if not counts:
        return NOT_STATED
    told = ", ".join(f"{markdown(name)} {count}" for name, count in sorted(counts.items()))
    silent = everyone - sum(counts.values())
    return f"{told}{f', {NOT_STATED} {silent}' if silent > 0 else ''}"


def _test(material: Material) -> list[str]:
    facts = material.rated.facts
    sizes = []
    for language in material.study.study.languages:
        rows = [material.rated.described(language, name) for name in material.study.conditions]
        there = [row for row in rows if row]
        stimuli = {(row.stimulus) for row in material.rated.kept if row.language == language and row.kind == "test"}
        ratings = sum(row["ratings"] for row in there)
        sizes.append(
            f"{LANGUAGES[language]}: {_span(row['sentences'] for row in there)} sentences in each condition, {ratings} "
            f"ratings, {ratings / max(1, len(stimuli)):.3g} a stimulus"
        )
    anchors = sorted({row["condition"] for row in facts["conditions"] if row["kind"] == "anchor"})
    lines = [
        f"Conditions: {', '.join(material.study.conditions)}. {'; '.join(sizes)}. Anchors that were rated and are not "
        f"compared: {markdown(', '.join(anchors) or 'none')}.",
        "",
    ]
    return [*lines, *(_planned(material.rated.plan) if material.rated.plan else [
        f"Design, order, scale text and loudness: {NOT_STATED} (no plan was given).",
    ])]  # fmt: skip


def _planned(plan: Plan) -> list[str]:
    text = "shown" if plan.show_text else "not shown"
    design = "Latin square: a listener hears each sentence in one condition" if plan.design == "latin" else (
        "full: a listener hears each sentence in every condition"
    )  # fmt: skip
    natural, low = (markdown(name or "none") for name in (plan.anchors.natural, plan.anchors.low))
    traps, repeats = counted(plan.traps_each, "spoken trap"), counted(plan.repeats, "repeat")
    lines = [
        f"Design: {design}; order by sha256 with seed {plan.seed}. Stimuli at {plan.loudness:g} LUFS (BS.1770), "
        f"lowered for all alike where one would clip; the sentence was {text}. Natural speech: {natural}; low anchor: "
        f"{low}. Each listener also met {traps} and {repeats}.",
        "",
        "Question, scale and instructions, in each language of the page:",
        "",
    ]
    for language, question in plan.question.items():
        labels = plan.scale.labels.get(language, ())
        scale = "; ".join(f"{value} {markdown(label)}" for value, label in zip(plan.scale.values, labels, strict=False))
        said = markdown(plan.instructions.get(language, NOT_STATED))
        lines.append(f"- {markdown(language)}: {markdown(question)} {scale}. {said}")
    for language in plan.groups:
        group = group_of(plan, language)
        counts = f"{counted(len(group.training), 'training item')}, {counted(len(group.gold), 'gold item')}"
        lines.append(f"- {LANGUAGES[language]}: {counted(group.listeners, 'listener')} planned, {counts}.")
    return lines


def _statistics(material: Material) -> list[str]:
    method, settings = material.rated.facts["method"], material.rated.settings
    over = "the conditions of a language" if settings.family == "language" else "conditions and languages"
    plan = f"plan sha256 {settings.plan}" if settings.plan else f"plan {NOT_STATED}"
    return [
        f"{plan[0].upper()}{plan[1:]}. The published test: Wilcoxon's signed rank over listeners' differences of mean "
        "ratings from the baseline "
        f"{markdown(settings.baseline)}; the same over sentences. {markdown(method['signed_rank']).capitalize()}. The "
        f"headline: {markdown(method['crossed'])}. Holm's correction over {over}, of the p of the headline; the "
        f"signed-rank tests have families of their own. Level {settings.alpha:g}; no loss and no gain: the "
        f"{100 * (1 - 2 * settings.alpha):g} % interval within {settings.margin:g} points.",
        "",
        *(f"- {LANGUAGES[each.language]}: {each.text}" for each in power.of(material)),
    ]


# ---- departures


def _departures(material: Material, corpus: CorpusFacts) -> list[str]:
    study, plan, settings = material.study, material.rated.plan, material.rated.settings
    pairs: list[tuple[str, Any, Any]] = [
        ("base model's parameters", f"{study.model.parameters:,}", f"{material.swept.table['parameters']:,}"),
        ("seeds", _joined(study.sweep.seeds), _joined(material.swept.table["seeds"])),
        ("alpha", study.tests.alpha, settings.alpha),
        ("margin", study.tests.margin, settings.margin),
        ("Holm's family", study.tests.family, settings.family),
    ]
    for language in study.study.languages:
        told = material.rated.facts["listeners"][language]
        row = material.rated.described(language, study.listening.baseline)
        name = LANGUAGES[language]
        pairs.append((f"listeners, {name}", study.listening.listeners, told["rated"] - told["excluded"]))
        pairs.append((f"sentences, {name}", study.listening.sentences, row["sentences"] if row else 0))
        wanted = study.corpus.hours.get(language)
        if corpus.measured and wanted:
            found = sum(hours for key, hours in corpus.hours.items() if key[0] == language)
            if abs(found - wanted) > 0.05 * wanted:
                pairs.append((f"hours, {name}", number(wanted), number(found)))
    if plan:
        pairs += [
            ("design", study.listening.design, plan.design),
            ("order's seed", study.listening.order_seed, plan.seed),
        ]
    lines = [f"- {name}: {wanted} in the study, {found} here." for name, wanted, found in pairs if wanted != found]
    return [*lines, *(f"- {markdown(note)}." for note in material.notes)] or ["Nowhere that the files tell."]


def _joined(values: Any) -> str:
    return ", ".join(map(str, values))


def _span(values: Any) -> str:
    found = sorted(set(values))
    return f"{found[0]}" if len(found) == 1 else f"{found[0]} to {found[-1]}" if found else "0"
