"""What a page carries of its clips: JSON as a browser reads it, small, and the numbers as they are."""

import base64
import gzip
import json
import math

import polars as pl
import pytest

from curate.report import packing, rows

ODD = [0.1, -2.5, 4000.0, 1e-7, 123456789.123, 1e22, -0.0, math.nan, math.inf, -math.inf, None, 0.1 + 0.2, 5e-324]


def unpacked(text: str) -> object:
    return json.loads(gzip.decompress(base64.b64decode(text)).decode("utf-8", "surrogatepass"))


def test_columns_are_what_they_were_and_what_is_not_finite_is_nothing() -> None:
    plain = rows._plain(pl.Series("snr", ODD))
    found = unpacked(packing.pack({"snr": plain, "at": pl.Series([3, -1, 0]), "none": pl.Series([], dtype=pl.Int32)}))
    expected = [each if each is not None and math.isfinite(each) else None for each in ODD]
    assert found == {"snr": expected, "at": [3, -1, 0], "none": []}
    assert packing._json(plain).startswith("[0.1,-2.5,4000,")
    assert "-0" not in packing._json(plain).split(",")


@pytest.mark.parametrize(
    "value",
    [
        {},
        [],
        [{"a": [1, 2.5, None]}, {"b": "x"}],
        {"쉼": 'a"b\\c\n\x00\u2028</script>\ud800', "n": {"m": [[0, 1, 0.4]]}},
    ],
)
def test_all_else_is_json(value: object) -> None:
    assert unpacked(packing.pack({"value": value})) == {"value": value}


def test_a_number_that_json_has_not_is_refused() -> None:
    with pytest.raises(ValueError, match="JSON"):
        packing.pack({"value": [math.nan]})


PAGE = {"count": 2, "id": ["a", "b"], "texts": {"text": ["ក", None]}, "numbers": {"snr": pl.Series([1.5, 30.0])}}


def test_what_was_compressed_before_gives_the_same_bytes_once_it_is_decided() -> None:
    whole = PAGE | {"few": {"drop": {"values": ["noisy"], "at": [0, -1]}}}
    begun = packing.begin(PAGE)
    assert packing.pack(whole, begun) == packing.pack(whole) == packing.pack(whole, begun)
    assert unpacked(packing.pack(whole, begun)) == whole | {"numbers": {"snr": [1.5, 30]}}
    assert unpacked(packing.pack(PAGE, begun)) == PAGE | {"numbers": {"snr": [1.5, 30]}}


@pytest.mark.parametrize(
    "other",
    [
        PAGE | {"count": 3},
        PAGE | {"id": ["a", "c"]},
        PAGE | {"texts": {"text": ["ក", ""]}},
        PAGE | {"texts": {"spoken": ["ក", None]}},
        PAGE | {"numbers": {"snr": pl.Series([1.5, 30.1])}},
        PAGE | {"numbers": {"snr": pl.Series([1.5, 30.0, 2.0])}},
        {},
    ],
)
def test_what_was_compressed_of_other_clips_is_not_in_the_page(other: packing.Packed) -> None:
    whole = PAGE | {"few": {}}
    assert packing.pack(whole, packing.begin(other)) == packing.pack(whole)
