"""`--set` changes one value of any kind, and what cannot be set is said in one line."""

import tomllib
from pathlib import Path

import pytest

from curate import settings
from curate.errors import UserError
from tests.curate.recipes import SOURCE, read, refused


@pytest.mark.parametrize(
    ("override", "value"),
    [
        ("filter.noisy=20", "r.filter.noisy == 20.0"),
        ("filter.noisy=false", "r.filter.noisy is False"),
        (" filter.noisy = 20 ", "r.filter.noisy == 20.0"),
        ("filter.text_mismatch.max_cer=0.1", "r.filter.text_mismatch.max_cer == 0.1"),
        ("filter.text_mismatch=false", "r.filter.text_mismatch is False"),
        ("balance.hours.km=13.2", "r.balance.hours == {'km': 13.2}"),
        ("models.quality=[]", "r.models.quality == ()"),
        ('models.quality=["dnsmos"]', "r.models.quality == ('dnsmos',)"),
        ("models.asr={}", "r.models.asr == {}"),
        ("models.asr.km=some/model@abc", "r.models.asr == {'km': 'some/model@abc'}"),
        ('split.apart=["text"]', "r.split.apart == ('text',)"),
        ("models.words=khmercut.nn", "r.models.words == 'khmercut.nn'"),
        ("text.lexicon=mine.tsv", "(r.text.lexicon or '').endswith('/mine.tsv')"),
        ("tag.template=<{language}>", "r.tag.template == '<{language}>'"),
        ("tag.template=", "r.tag.template == ''"),
        ("corpus.name=a=b", "r.corpus.name == 'a=b'"),
        ("source.studio.licence=CC0-1.0", "r.source[0].licence == 'CC0-1.0'"),
        ("source.studio.path=other.csv", "r.source[0].path.endswith('/other.csv')"),
        ("source.studio.columns.audio=file", "r.source[0].columns == {'audio': 'file'}"),
    ],
)
def test_set_changes_one_value_of_any_kind(tmp_path: Path, override: str, value: str) -> None:
    assert not eval(value, {"r": read(tmp_path, SOURCE)})
    assert eval(value, {"r": read(tmp_path, SOURCE, override)})


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("filter.noisy", "write it as table.key=value"),
        ("noisy=1", "write it as table.key=value"),
        ("source=5", "write it as table.key=value"),
        ("filter..noisy=1", "write it as table.key=value"),
        ("=", "write it as table.key=value"),
        ("filter.noisy=", "filter.noisy: should be a number"),
        ("filter.noisy.x=3", "filter.noisy: should be a number"),
        ("filter.nosy=1", "unknown key filter.nosy"),
        ("fitler.noisy=1", "unknown key fitler"),
        ("source.other.path=x", "no source is called 'other'; there are studio"),
        ("source.studio=x", "write it as source.studio.key=value"),
        ("models.quality.0=x", "models.quality: should be a list"),
    ],
)
def test_a_set_that_cannot_be_is_said(tmp_path: Path, override: str, said: str) -> None:
    assert said in refused(tmp_path, SOURCE, override)


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("20", 20), ("0.5", 0.5), ("false", False), ('"a"', "a"), ("[1, 2]", [1, 2]), ("{}", {}), ("a=b", "a=b"),
        ("some/model@abc", "some/model@abc"), ("", ""), ("nan-model", "nan-model"),
    ],
)  # fmt: skip
def test_a_value_is_what_toml_reads_and_else_text(written: str, value: object) -> None:
    read = settings.value(written)
    assert (read, type(read)) == (value, type(value))


@pytest.mark.parametrize("top_level", [True, False])
def test_a_key_stands_alone_only_where_it_may(top_level: bool) -> None:
    raw: dict[str, object] = {}
    if top_level:
        settings.override(raw, "into=runs/r64", top_level=True)
        assert raw == {"into": "runs/r64"}
    else:
        with pytest.raises(UserError, match=r"--set into=runs/r64: write it as table\.key=value"):
            settings.override(raw, "into=runs/r64")
        assert raw == {}


def test_what_is_written_as_toml_reads_back_as_it_was() -> None:
    values = {"text": 'a "b" \\ ភាសា\n', "number": 0.1, "table": {"off": False, "list": ["한", "국"]}}
    assert tomllib.loads(settings.as_toml(values)) == values
