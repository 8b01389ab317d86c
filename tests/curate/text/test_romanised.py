"""Khmer and Korean in Latin letters, as the universal romaniser writes them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curate.text.romanised import romanised

CASES = [  # what uroman 1.3.1.1 gives
    ("ប្អូន ប្រុស របស់ ខ្ញុំ បាន ទៅ លេង នៅ", "bquuno brusa robasa khnyum baano tau lengo nau"),
    ("ទីក្រុង ម៉ានីល", "tiikrungo maaniilo"),
    ("ក ខ គ ឃ ង ច ឆ ជ ឈ ញ ដ ឋ ឌ ឍ ណ", "ka kha ko kho ngo ca cha co cho nyo da ttha do ttho nno"),
    ("កា កិ កី កឹ កឺ កុ កូ កួ", "kaa ki kii koe koe ku kuu kua"),
    ("កើ កឿ កៀ កេ កែ កៃ កោ កៅ", "koe kya kie ke kae kai koo kau"),
    ("កុំ កំ កាំ កះ ក់ ក៏ ក៌ កៈ", "kum kam kaam kah ka ka ka ka'"),
    ("ឥ ឦ ឧ ឪ ឯ ឰ", "qi qii qu quuv qe qai"),
    ("ស្រី ស្គាល់ ភ្នំពេញ ព្រះ សាច់មាន់ ម៉ែ ប៉ិក", "srii skaalo phnompenyo proh saacamaano mae pika"),
    ("그는 이리저리 피하면서 길 한", "geuneun irijeori pihamyeonseo gil han"),
    ("옆으로 걸어갔다 값 닭이", "yeopeuro geoleogassda gabs dalgi"),
    ("관 쥐 의 원 웨 읽", "gwan jwi yi weon we ilg"),
    ("Café, 5 …!", "cafe"),
    ("", ""),
]  # fmt: skip


@pytest.mark.parametrize(("text", "latin"), CASES)
def test_texts_are_romanised_letter_by_letter(text: str, latin: str) -> None:
    assert romanised(text) == latin


@given(st.text())
def test_only_letters_that_such_models_know_come_out(text: str) -> None:
    assert set(romanised(text)) <= set("abcdefghijklmnopqrstuvwxyz' ")
