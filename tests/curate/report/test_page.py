"""The report's page in a browser: it plays, sorts, remembers, and does nothing that data ask of it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from curate import pipeline, report
from tests.curate.report import corpora

AXE = "axe_playwright_python"
COUNT = 90
Opened = Callable[..., Any]


@pytest.fixture(scope="module")
def page_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page with sounds, beside kept clips, against another corpus."""
    folder = tmp_path_factory.mktemp("mixed")
    measured, wanted = corpora.measured(COUNT, seed=4), corpora.recipe(folder)
    other = corpora.recipe(folder, "filter.noisy=30", "corpus.name=stricter")
    stricter = report.Other(pipeline.decide(other, measured), other)
    return corpora.write(folder, measured, wanted, sounds=True, other=stricter)


@pytest.fixture(scope="module")
def facts(page_file: Path) -> dict[str, Any]:
    return dict(json.loads((page_file.parent / "report.json").read_text(encoding="utf-8")))


@pytest.fixture(scope="module")
def shared(page_file: Path, opened_once: Opened) -> Any:
    """The page, opened once: for tests that leave it as it was."""
    return opened_once(page_file)


def plays(page: Any, selector: str) -> float:
    """Start a player and say where it is a moment later."""
    where = page.evaluate(
        """async (selector) => {
          const audio = document.querySelector(selector);
          await audio.play();
          for (let i = 0; i < 200 && audio.currentTime < 0.15; i++) await new Promise((done) => setTimeout(done, 25));
          audio.pause();
          return audio.currentTime;
        }""",
        selector,
    )
    return float(where)


def test_sounds_in_the_page_and_beside_it_play(page_file: Path, opened: Opened, facts: dict[str, Any]) -> None:
    page = opened(page_file)
    dropped = next(found[0]["id"] for reason, found in facts["examples"]["dropped"].items() if reason == "dropout")
    for id in (facts["examples"]["kept"][0]["id"], dropped):
        assert page.get_attribute(f'audio[data-clip="{id}"]', "src").startswith("data:audio/mpeg")
        assert plays(page, f'audio[data-clip="{id}"]') >= 0.15
    beside = sorted((page_file.parent.parent / "clips").glob("*.flac"))[0].stem
    page.locator("#table-search").fill(beside)
    page.locator(f'[data-open="{beside}"]').click()
    page.evaluate("(id) => { document.querySelector('dialog audio').src = '../clips/' + id + '.flac' }", beside)
    assert plays(page, "dialog audio") >= 0.15


def test_a_word_is_played_from_where_it_begins(shared: Any) -> None:
    page = shared
    word = page.locator(".clips button.word").first
    word.click()
    sound = word.locator("xpath=ancestor::div[@class='sound']").locator("audio")
    assert sound.evaluate("(audio) => audio.currentTime") >= float(word.get_attribute("data-from") or "nan") - 0.05


def test_numbers_are_those_of_the_json(shared: Any, facts: dict[str, Any]) -> None:
    page = shared
    for it in facts["balance"]:
        card = page.locator(f".card.{it['language']}")
        assert float(card.locator("data").first.get_attribute("value")) == it["hours"]
        cell = page.locator(f'#whatif-sum [data-language="{it["language"]}"] [data-hours]')
        rows = [row for row in facts["funnel"] if row["rule"] in facts["later"]]
        later = [row["languages"][it["language"]] for row in rows]
        assert int(cell.get_attribute("data-clips")) == it["clips"] + sum(each["clips"] for each in later)
        hours = it["hours"] + sum(each["hours"] for each in later)
        assert float(cell.get_attribute("data-hours")) == pytest.approx(hours, abs=1e-5)
    assert page.locator("#table-count").inner_text().startswith(f"{COUNT} of {COUNT} clips")
    options = page.locator('[data-filter="fate"] option').all_inner_texts()
    assert set(options) >= {row["rule"] for row in facts["funnel"] if row["dropped"]["clips"]}


AXE_RUN = """async ([rules, where]) => {
  // of what repeats, the first ones stand for all
  const exclude = ["article.clip:nth-of-type(n+2)", "#clips .clips:nth-of-type(n+4)", ".measure:nth-of-type(n+2)",
    ".panel:nth-of-type(n+4)", ".units li:nth-of-type(n+4)", "tbody tr:nth-of-type(n+4)", "option:nth-of-type(n+3)",
    ".columns label:nth-of-type(n+4)", ".detail dd:nth-of-type(n+4)", "svg > *"].map((each) => [each]);
  const options = { resultTypes: ["violations"], preload: false, ...(rules ? { runOnly: rules } : {}) };
  const found = await axe.run({ include: [[where || "html"]], exclude }, options);
  return found.violations.filter((each) => ["serious", "critical"].includes(each.impact))
    .flatMap((each) => each.nodes.map((node) => `${each.id}: ${node.target} ${node.failureSummary}`));
}"""


def test_axe_finds_nothing_serious_in_light_and_dark(tmp_path: Path, opened: Opened) -> None:
    package = pytest.importorskip(AXE, reason="axe-playwright-python is not installed")
    wanted, measured = corpora.recipe(tmp_path), corpora.measured(12, seed=4)
    other = report.Other(pipeline.decide(wanted, measured), wanted)
    page = opened(
        corpora.write(tmp_path, measured, wanted, sounds=True, other=other), bypass_csp=True, reduced_motion="reduce"
    )
    page.evaluate((Path(package.__file__).parent / "axe.min.js").read_text(encoding="utf-8"))
    page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true })")
    assert page.evaluate(AXE_RUN, [None, None]) == []
    page.evaluate("document.documentElement.dataset.theme = 'dark'")
    assert page.evaluate(AXE_RUN, [["color-contrast"], None]) == []
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    assert page.evaluate(AXE_RUN, [["target-size", "scrollable-region-focusable"], None]) == []
    page.locator("#clips-table td.c-id button").first.click()
    assert page.evaluate(AXE_RUN, [None, "dialog"]) == []


def test_verdicts_by_keyboard_outlive_a_reload_and_come_out_as_tsv(
    page_file: Path, opened: Opened, tmp_path: Path
) -> None:
    page = opened(page_file)
    page.locator("#judge").scroll_into_view_if_needed()
    first = page.locator(".judge-card code").first.inner_text()
    page.keyboard.press("d")  # nobody has said who judges
    assert page.evaluate("document.activeElement.id") == "judge-who"
    page.keyboard.type("Sokha\tK.")
    page.locator("#judge-who").fill("Sokha K.")
    page.keyboard.press("Enter")
    second = page.locator(".judge-card code").first.inner_text()
    assert second != first
    page.keyboard.press("r")
    page.keyboard.type("good, a bit of noise")
    page.keyboard.press("Enter")
    page.keyboard.press("k")
    page.keyboard.press("n")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("]")
    assert page.locator("#judge [data-speed]").input_value() == "1.25"
    page.reload()
    page.wait_for_selector("html.ready", state="attached")
    assert "2 marked: 1 keep, 1 drop" in page.locator("#judge-progress").inner_text()
    with page.expect_download() as saved:
        page.locator("#judge-save").click()
    assert saved.value.suggested_filename == "verdicts.tsv"
    saved.value.save_as(tmp_path / "verdicts.tsv")
    lines = (tmp_path / "verdicts.tsv").read_text(encoding="utf-8").splitlines()
    assert lines[0] == "clip\tverdict\treason\twho"
    assert {tuple(line.split("\t")) for line in lines[1:]} == {
        (first, "drop", "", "Sokha K."), (second, "keep", "good, a bit of noise", "Sokha K."),
    }  # fmt: skip
    page.locator("#judge-which").select_option("marked")
    page.locator('[data-verdict="none"]').click()
    assert "1 marked" in page.locator("#judge-progress").inner_text()


def test_a_verdicts_file_is_taken_in_and_one_of_another_corpus_is_told(
    page_file: Path, opened: Opened, tmp_path: Path
) -> None:
    page = opened(page_file)
    id = page.locator(".judge-card code").first.inner_text()
    (tmp_path / "v.tsv").write_text(
        f"clip\tverdict\treason\twho\n{id}\tdrop\tmusic\tA\nffff\tkeep\t\tB\n{id}\tmaybe\t\tB\n", encoding="utf-8"
    )
    page.locator("#judge-file").set_input_files(tmp_path / "v.tsv")
    page.locator("#judge-told", has_text="taken in").wait_for()
    assert (
        page.locator("#judge-told").inner_text()
        == "1 verdicts taken in, 1 are of clips that are not in this corpus, 1 say neither keep nor drop."
    )
    (tmp_path / "w.tsv").write_text("a,b\n1,2\n", encoding="utf-8")
    page.locator("#judge-file").set_input_files(tmp_path / "w.tsv")
    page.locator("#judge-told", has_text="This is no verdicts file").wait_for()


def test_keys_do_not_judge_while_one_types_or_is_elsewhere(shared: Any) -> None:
    page = shared
    page.evaluate("localStorage.clear()")
    page.locator("#table-search").focus()
    page.keyboard.type("kd")
    page.evaluate(
        "document.documentElement.style.scrollBehavior = 'auto'; document.activeElement.blur(); scrollTo(0, 0)"
    )
    assert page.evaluate("document.getElementById('judge').getBoundingClientRect().top > innerHeight")
    page.keyboard.press("k")
    assert "0 marked" in page.locator("#judge-progress").inner_text()
    assert page.locator("#judge-told").inner_text() == ""
    page.locator("#table-search").fill("")


def test_the_table_sorts_filters_searches_and_shows_few_rows_at_once(page_file: Path, opened: Opened) -> None:
    page = opened(page_file)
    assert 5 < page.locator("#clips-table tbody tr:not(.space)").count() < 60 < COUNT
    seconds = "#clips-table tbody .c-seconds"
    page.locator('[data-sort="seconds"]').click()
    page.locator('[data-sort="seconds"]').click()
    assert page.get_attribute("#clips-table th.c-seconds", "aria-sort") == "descending"
    shown = [float(text) for text in page.locator(seconds).all_inner_texts()]
    assert shown == sorted(shown, reverse=True)
    page.locator('[data-filter="fate"]').select_option(label="text_mismatch")
    fates = page.locator("#clips-table tbody .c-fate").all_inner_texts()
    assert set(fates) == {"text_mismatch"}
    page.locator('[data-filter="fate"]').select_option(label="all")
    page.locator("#table-search").fill("말 17 ")
    assert page.locator("#table-count").inner_text().startswith("1 of ")
    page.locator("details.columns summary").click()
    page.locator('[data-column="snr"]').check()
    assert page.locator("#clips-table th.c-snr").count() == 1
    page.locator("#clips-table td.c-id button").click()
    assert page.locator("dialog dt", has_text="Speech seconds").count() == 1
    page.keyboard.press("Escape")
    assert page.locator("dialog").count() == 0


def test_hostile_data_do_nothing_and_hidden_marks_are_shown(tmp_path: Path, opened: Opened) -> None:
    wanted = corpora.recipe(tmp_path)
    told = wanted.source[0].model_copy(
        update={"domain": corpora.HOSTILE, "licence": corpora.HOSTILE, "people": corpora.HOSTILE}
    )
    named = wanted.corpus.model_copy(update={"name": corpora.HOSTILE})
    wanted = wanted.model_copy(update={"source": (told,), "corpus": named})
    page = opened(corpora.write(tmp_path, corpora.hostile(), wanted))
    page.locator("#table-search").fill("window.pwned")
    page.locator("#clips-table td.c-id button").first.click()
    page.keyboard.press("Escape")
    assert page.evaluate("window.pwned") is None
    assert page.locator("script").count() == 2
    assert page.locator("img[src=x]").count() == 0
    assert "⟨U+202E⟩" in page.locator("h1").inner_text()
    assert "⟨U+202E⟩" in page.locator("#clips-table").inner_text()
    assert "⟨U+0000⟩" in page.locator("#clips-table").inner_text()
    assert "\u202e" not in page.locator("body").inner_text()


def test_names_without_a_break_do_not_make_a_phones_page_wider(tmp_path: Path, opened: Opened) -> None:
    wanted, long = corpora.recipe(tmp_path), "speaker_0123456789" * 5
    wanted = wanted.model_copy(update={"corpus": wanted.corpus.model_copy(update={"name": long})})
    measured = corpora.measured(12, seed=4).with_columns(speaker=pl.lit(long), person=pl.lit(long))
    other = report.Other(pipeline.decide(wanted, measured), wanted)
    page = opened(corpora.write(tmp_path, measured, wanted, other=other), width=320)
    assert page.evaluate("document.documentElement.scrollWidth") == 320


def test_without_scripts_everything_but_the_live_parts_is_there(page_file: Path, opened: Opened) -> None:
    page = opened(page_file, wait=False, java_script_enabled=False)
    assert page.locator("article.clip audio").count() > 20
    assert page.locator("figure.flow svg").first.is_visible()
    assert page.locator("#whatif .needs-script").is_visible()


@pytest.mark.parametrize("lang", ["km", "en"])
def test_khmer_has_letters_where_the_system_has_none(shared: Any, lang: str) -> None:
    tools = shared.context.new_cdp_session(shared)
    shared.evaluate(
        """async (lang) => {
          document.getElementById("khmer")?.remove();
          document.body.insertAdjacentHTML("beforeend", `<p id="khmer" lang="${lang}">ស្រី</p>`);
          await document.fonts.ready;
        }""",
        lang,
    )
    tools.send("DOM.enable")
    tools.send("CSS.enable")
    root = tools.send("DOM.getDocument")["root"]["nodeId"]
    node = tools.send("DOM.querySelector", {"nodeId": root, "selector": "#khmer"})["nodeId"]
    fonts = tools.send("CSS.getPlatformFontsForNode", {"nodeId": node})["fonts"]
    assert [(font["familyName"], font["isCustomFont"]) for font in fonts] == [("Noto Sans Khmer", True)]


def test_two_corpora_stand_side_by_side(shared: Any, facts: dict[str, Any]) -> None:
    page = shared
    against = facts["against"]
    assert against["settings"] == [{"key": "filter.noisy", "this": 15.0, "other": 30.0}]
    assert against["clips"]["shared"] == COUNT
    noisy = next(each for each in against["reasons"] if each["rule"] == "noisy")
    changed = sum(against["clips"][name]["clips"] for name in ("gained", "lost", "other_reason"))
    assert changed == len(against["clips"]["listed"]) == noisy["other"]["clips"] - noisy["this"]["clips"] > 0
    assert "stricter" in page.locator("#against h2").inner_text()


def test_colours_are_chosen_and_remembered(page_file: Path, opened: Opened) -> None:
    page = opened(page_file)
    paper = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(paper)
    page.locator("#theme").click()
    page.locator("#theme").click()
    assert page.evaluate(paper) != light
    page.reload()
    page.wait_for_selector("html.ready", state="attached")
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
