"""Settings of spoken Khmer: times on twelve hours, and where ខែ and ឆ្នាំ are said though nobody wrote them."""

import pytest

from curate.errors import UserError
from curate.text import Options, normalise, versions
from curate.text.rules import chosen

TWELVE = [
    ("21:19", "ម៉ោងប្រាំបួន ដប់ប្រាំបួននាទី យប់"),
    ("17:00", "ម៉ោងប្រាំ ល្ងាច"),
    ("24:00", "ម៉ោងដប់ពីរ អធ្រាត្រ"),
    ("0:30", "ម៉ោងដប់ពីរ សាមសិបនាទី អធ្រាត្រ"),
    ("14:00-15:00", "ម៉ោងពីរ រសៀលទៅម៉ោងបី រសៀល"),
    ("ម៉ោង ១៤:៤៥", "ម៉ោងពីរ សែសិបប្រាំនាទី រសៀល"),
    ("ម៉ោង 14.30", "ម៉ោងពីរ សាមសិបនាទី រសៀល"),
    ("8:30", "ម៉ោងប្រាំបី សាមសិបនាទី"),
    ("ម៉ោង 22:10 យប់", "ម៉ោងដប់ ដប់នាទី យប់"),
]
DATES = [  # written; under figures, always, never
    ("5 ឧសភា", "ប្រាំ ឧសភា", "ប្រាំ ខែឧសភា", "ប្រាំ ឧសភា"),
    ("មេសា 2022", "មេសា ពីរពាន់ម្ភៃពីរ", "ខែមេសា ឆ្នាំពីរពាន់ម្ភៃពីរ", "មេសា ពីរពាន់ម្ភៃពីរ"),
    ("12/10/22", "ដប់ពីរ ខែតុលា ឆ្នាំម្ភៃពីរ", "ដប់ពីរ ខែតុលា ឆ្នាំម្ភៃពីរ", "ដប់ពីរ តុលា ម្ភៃពីរ"),
    ("2000-05-20", "ម្ភៃ ខែឧសភា ឆ្នាំពីរពាន់", "ម្ភៃ ខែឧសភា ឆ្នាំពីរពាន់", "ម្ភៃ ឧសភា ពីរពាន់"),
    ("05/2000", "ខែឧសភា ឆ្នាំពីរពាន់", "ខែឧសភា ឆ្នាំពីរពាន់", "ឧសភា ពីរពាន់"),
    ("ថ្ងៃ ៥/១០", "ថ្ងៃ ប្រាំ ខែតុលា", "ថ្ងៃ ប្រាំ ខែតុលា", "ថ្ងៃ ប្រាំ តុលា"),
    ("ខែ៧ 2000", "ខែប្រាំពីរ ពីរពាន់", "ខែប្រាំពីរ ឆ្នាំពីរពាន់", "ខែប្រាំពីរ ពីរពាន់"),
    ("ខែ៧/2000", "ខែប្រាំពីរ ឆ្នាំពីរពាន់", "ខែប្រាំពីរ ឆ្នាំពីរពាន់", "ខែប្រាំពីរ ពីរពាន់"),
    ("10 តុលា ព.ស. 2500", "ដប់ តុលា ពុទ្ធសករាជ ពីរពាន់ប្រាំរយ", "ដប់ ខែតុលា ឆ្នាំពីរពាន់ប្រាំរយ ពុទ្ធសករាជ", "ដប់ តុលា ពុទ្ធសករាជ ពីរពាន់ប្រាំរយ"),
    ("1 មេសា - 3 ឧសភា", "មួយ មេសាទៅបី ឧសភា", "មួយ ខែមេសាទៅបី ខែឧសភា", "មួយ មេសាទៅបី ឧសភា"),
    ("12 May 2000", "ដប់ពីរ ឧសភា ពីរពាន់", "ដប់ពីរ ខែឧសភា ឆ្នាំពីរពាន់", "ដប់ពីរ ឧសភា ពីរពាន់"),
    ("ថ្ងៃទី៥ ខែឧសភា ឆ្នាំ២០០០", *["ថ្ងៃទីប្រាំ ខែឧសភា ឆ្នាំពីរពាន់"] * 3),
]  # fmt: skip


@pytest.mark.parametrize(("written", "spoken"), TWELVE)
def test_times_on_twelve_hours_have_the_part_of_the_day(written: str, spoken: str) -> None:
    assert normalise(written, "km", options=Options(clock="12-hour")) == spoken


@pytest.mark.parametrize(("written", "figures", "always", "never"), DATES)
def test_words_of_a_date_are_said_where_the_setting_says(written: str, figures: str, always: str, never: str) -> None:
    for value, spoken in (("figures", figures), ("always", always), ("never", never)):
        assert normalise(written, "km", options=Options(date_words=value)) == spoken
        assert normalise(spoken, "km", options=Options(date_words=value)) == spoken


def test_a_setting_is_part_of_what_answers_depend_on() -> None:
    told = {versions("km", "spoken", Options(clock=clock)) for clock in ("written", "12-hour")}
    told |= {versions("km", "spoken", Options(date_words=words)) for words in ("figures", "always", "never")}
    assert len(told) == 4
    assert versions("ko", "spoken", Options(clock="12-hour")) == versions("ko", "spoken")


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"language": "ko", "form": "spoken", "clock": "12-hour"}, "--clock is for --language km"),
        ({"language": "km", "form": "canonical", "date_words": "never"}, "--date-words is for --language km"),
        ({"language": "km", "form": "spoken", "clock": "24"}, "there are written, 12-hour"),
    ],
)
def test_a_setting_that_would_change_nothing_is_refused(asked: dict[str, str], said: str) -> None:
    with pytest.raises(UserError, match=said):
        chosen(**asked)
