"""The evaluation's page in a browser: every sound plays, nothing is complained of."""

from tests.train.evaluate.browser import findings, needs_browser, opened

LOADED = """async () => {
  const sounds = [...document.querySelectorAll("audio")];
  const ready = sounds.map(each => new Promise(done => {
    each.addEventListener("loadedmetadata", () => done(each.duration));
    each.addEventListener("error", () => done(-1));
    each.preload = "metadata"; each.load();
  }));
  return Promise.all(ready);
}"""


@needs_browser
def test_every_sound_of_the_page_can_be_played_from_a_file(evaluated):
    with opened(evaluated / "index.html") as (page, said):
        seconds = page.evaluate(LOADED)
        assert len(seconds) == 36
        assert min(seconds) > 0
        assert page.locator("th[scope=row] bdi[lang=km]").count() == 2
        assert page.evaluate("getComputedStyle(document.body).fontFamily").startswith("system-ui,")  # the style is read
        assert page.evaluate("document.fonts.load('16px \"Samsori Khmer\"', 'ខ្មែរ').then(found => found.length)") == 1
        assert findings(page) == []
        assert said == []


@needs_browser
def test_a_phone_scrolls_tables_and_not_the_page(evaluated):
    with opened(evaluated / "index.html", width=390) as (page, _):
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
