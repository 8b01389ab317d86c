"""Khmer words: joined they are the text, by either model, and the fast one finds what khmer-nltk finds."""

import logging
import re
import warnings

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curate.text import Options, normalise, words
from curate.text.rules import WORDS

MODELS = pytest.mark.parametrize("model", WORDS)
ANY = st.text(st.characters(), max_size=60)  # surrogates too
KHMER = st.text("កគងតដបមយរសហអឱ្្្ាិីឹុូើេែោំះ៉៊៌់័៍ៗ ។០១២៣៤៥៦៧៨៩0123456789.,:/-+%$៛ kmABC\u200b\u17d2\u17d2", max_size=30)
KHMER_TEXTS = [
    "ឃាត់ខ្លួនជនសង្ស័យបួននាក់ ករណីលួចខ្សែភ្លើង នៅស្រុកព្រៃនប់",
    "ស្ពានកំពង់ចម្លងអ្នកលឿងនៅព្រៃវែងជាស្ពានវែងជាងគេក្នុងព្រះរាជាណាចក្រកម្ពុជា",
    "ខ្ញុំចូលចិត្តភាសាខ្មែរ។ like this",
    "ាំ្ក",
]


@MODELS
@settings(max_examples=60, deadline=None)
@given(text=st.one_of(KHMER, ANY))
def test_khmer_words_joined_are_the_text(model: str, text: str) -> None:
    found = words(text, "km", model=model)
    assert "".join(found) == normalise(text, "km").replace(" ", "")
    assert all(found)


@settings(max_examples=60, deadline=None)
@given(text=KHMER)
def test_the_finer_model_never_cuts_a_cluster(text: str) -> None:
    options = Options(words="khmercut.nn")
    spoken = normalise(text, "km")
    cut = [word for word in normalise(text, "km", "words", options).split("|") if re.match("[\u17b6-\u17d3]", word)]
    assert len(cut) <= len([word for word in spoken.split() if re.match("[\u17b6-\u17d3]", word)])


def test_the_default_finds_the_words_of_khmer_nltk() -> None:
    with warnings.catch_warnings():  # it writes "\\(" in plain strings
        warnings.simplefilter("ignore")
        import khmernltk

        logging.getLogger("khmer-nltk").setLevel(logging.WARNING)
        for text in KHMER_TEXTS:
            assert words(text, "km") == [word for word in khmernltk.word_tokenize(text) if word.strip()]
