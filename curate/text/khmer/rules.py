"""Written Khmer to spoken Khmer: rules in the order in which they apply.

Conventions: google/language-resources km/textnorm, written anew from its published facts. Where it differs from what
Khmer news writes, we follow the news: a comma before three digits groups thousands (12,500 is twelve thousand five
hundred), and a dash between two plain numbers is ទៅ, from the less to the more.
"""

import re

from curate.text.khmer import amounts
from curate.text.khmer import symbols as say
from curate.text.khmer.dates import DASH, DATES, KHMER, NAMED_SPANS, TIMES
from curate.text.khmer.latin import ELECTRONIC, HASHTAG, WORDS, house_letters
from curate.text.khmer.tables import (
    KHMER_PER,
    KHMER_UNITS,
    LETTERS,
    MONEY,
    MONEY_WORDS,
    PER,
    QUANTITIES,
    RIEL,
    SYMBOLS,
    UNITS,
)
from curate.text.rules import HEAD, NUMBER, Rule, any_of

_END = r"(?![A-Za-z\d²³])"  # behind a Latin unit
_WORD = r"\w\u1780-\u17dd)"  # a dash behind these is no minus
_MINUS = rf"(?:(?<![{_WORD}])(?P<minus>[-−]))?"
_N = rf"(?P<n>{NUMBER})(?P<gap> ?)"
_LETTER = r"[ក-អឥ-ឳ](?:\u17d2[ក-អ]){0,2}"
_SIGNS = any_of(MONEY)
_MONEY_WORDS = any_of([*MONEY_WORDS, RIEL])
_QUANTITY = rf"(?:{any_of(QUANTITIES)})(?![A-Za-z])"
_UNITS, _PER = any_of([*UNITS, "m^2", "m^3", "km^2", "cm^2", "μm", "μg"]), any_of(PER)
_KEYS = "ចុចលេខ|ចុចសញ្ញា|ចុច|សញ្ញា|គ្រាប់ចុច|គ្រាប់"  # before # and * of a telephone
_LONG_ROMAN = "(?=[IVXLCDM]*[IVX])[IVXLCDM]{4,}"
_ROMAN = "(?:[IVX]|(?=[IVXLCDM]*[IVX])[IVXLCDM]{2,})(?![IVXLCDM])"  # not C, which is a letter: ផ្នែក C
_KEYWORDS = "ទី|ជំពូក|ភាគ|មាត្រា|កម្រិត|ផ្នែក|វគ្គ|លើក|ឧបសម្ព័ន្ធ|មេរៀន|ខណ្ឌ|សតវត្ស|សតវត្សរ៍|លំដាប់|ដំណាក់កាល|តារាង|រូប"


def _dotted(unit: str) -> str:
    """A Khmer unit with or without dots; gram only with its dot or behind a space: 12ក is a class of a school."""
    letters = re.findall(rf"{_LETTER}[\u17c9]?", unit)
    if unit == "ក":
        return r"ក(?=\.)|(?<= )ក"
    return r"(?:\. ?)?".join(letters)


_KHMER_UNITS = "|".join(_dotted(unit) for unit in sorted(KHMER_UNITS, key=len, reverse=True))


def _pattern(text: str, flags: int = 0) -> re.Pattern[str]:
    return re.compile(text, flags)


ALWAYS = (
    Rule("digits", _pattern("[០-៩]+"), say.digits),
    Rule("abbreviation", _pattern("(?:និង ?)?។ ?ល ?។"), say.and_so_on),
    Rule("abbreviation", _pattern(rf"(?<![{KHMER}.])ឧ(?:\.|(?= ?៖))"), say.for_example),
    Rule("lunar", _pattern("[\u19e0-\u19ff]"), say.lunar),
    Rule("compatible", _pattern("[①-⑳㎏㎞㎝㎜㎡㎖㎎㏄]"), say.compatible),
    Rule("roman", _pattern("(?P<before>)(?P<roman>[Ⅰ-ⅿ]+)"), say.roman_sign),
    *NAMED_SPANS,
)
TELEPHONES = (
    Rule("telephone", _pattern(r"\*\d{2,4}(?:\*\d{1,6}){0,3}#"), amounts.star_code),
    Rule("telephone", _pattern(r"(?<=\d) ?\(0\) ?(?=\d)|\((?P<code>\+\d{1,3}|0\d{1,2}|855)\) ?(?=\d)"), amounts.code),
    Rule(
        "telephone",
        _pattern(rf"{HEAD}(?<!/)(?P<n>0\d{{2}}) ?/ ?(?=0\d{{2}}(?: ?/ ?0\d{{2}})* ?\d{{3}})"),
        amounts.either,
    ),
    Rule("telephone", _pattern(r"(?<![\d.,])\+\d{1,13}(?:[ .-]?\d{1,9}){0,5}+(?!\d)"), amounts.telephone),
    Rule(
        "telephone",
        _pattern(rf"{HEAD}0\d{{1,3}}(?:(?:[ .-]\d{{1,4}}){{2,4}}+|[ .-]\d{{6,7}})(?!\d)|{HEAD}0\d{{8,9}}(?!\d)"),
        amounts.telephone,
    ),
    Rule("telephone", _pattern(rf"{HEAD}\d{{3}}([ -])\d{{3}}\1\d{{4}}(?!\d)"), amounts.telephone),
)
RANGES = (
    Rule(
        "range",
        _pattern(
            rf"(?P<a>{NUMBER} ?(?P<u>{_UNITS}|{_SIGNS}|{_MONEY_WORDS})) ?{DASH} ?"
            rf"(?={NUMBER} ?(?:(?P=u)|{_MONEY_WORDS})(?![A-Za-z\d]))"
            rf"|(?P<b>(?:{_SIGNS}) ?{NUMBER}) ?{DASH} ?(?=(?:{_SIGNS}) ?\d)"
        ),
        say.joined_span,
    ),
    Rule(
        "range",
        _pattern(
            rf"(?<![A-Za-z-])(?P<sign>US\$|[$€£¥฿₩៛])?(?P<a>{NUMBER})(?P<unit>%?) ?{DASH} ?"
            r"(?P<b>\d++(?:[.,]\d++)*+)(?!-)(?P=unit)"
        ),
        say.span,
    ),
)
AMOUNTS = (
    Rule("compared", _pattern(rf"[<>](?= ?(?:{_SIGNS})?\d)"), say.compared),
    Rule("about", _pattern(rf"(?<!\d)~ ?(?=(?:{_SIGNS})?\d)"), say.about),
    Rule(
        "per",
        _pattern(rf"(?P<n>(?:{_SIGNS}) ?{NUMBER}|(?<=\d)(?:{_SIGNS})|(?<=\d )(?:{_SIGNS})) ?/ ?(?P<per>{_PER}){_END}"),
        amounts.price_of_one,
    ),
    Rule(
        "per",
        _pattern(rf"(?:(?<=រៀល)|(?<=ដុល្លារ)|(?<=[$៛€])) ?/ ?(?P<per>{_KHMER_UNITS})\.?(?![\u1780-\u17d3.])"),
        amounts.price_of_one_khmer,
    ),
    Rule(
        "per",
        _pattern(
            rf"(?P<n>\d ?[^\d/]{{1,20}}?|(?:{_SIGNS}) ?{NUMBER})(?: ?/ ?|per)(?:មួយ)?"
            rf"(?=(?:{any_of(KHMER_PER)})(?![\u17b6-\u17d3]))"
        ),
        amounts.in_one,
    ),
    Rule("times", _pattern(rf"(?<=[\dmtg{KHMER}]) ?[xX×*] ?(?=\d)"), amounts.times),
    Rule(
        "money",
        _pattern(rf"(?<![A-Za-z\d])(?<!\d ){_MINUS}(?P<sign>{_SIGNS}) ?{_N}(?P<quantity>{_QUANTITY})?"),
        amounts.money_before,
    ),
    Rule(
        "money", _pattern(rf"{_MINUS}{_N}(?P<quantity>(?:{_QUANTITY}) ?)?(?P<sign>{_SIGNS})(?![A-Za-z])"), amounts.money
    ),
    Rule(
        "money",
        _pattern(rf"{_N}(?P<quantity>(?:{_QUANTITY}) ?)?(?P<word>{any_of(MONEY_WORDS)}){_END}", re.IGNORECASE),
        amounts.money_word,
    ),
    Rule("measure", _pattern(r"(?<=°)(?P<m>\d{1,2})['′](?:(?P<s>\d{1,2}(?:\.\d+)?)[\"″])?"), amounts.arc),
    Rule("measure", _pattern(rf"(?P<n>{NUMBER})['′] ?(?P<inch>{NUMBER})[\"″]"), amounts.feet),
    Rule(
        "measure",
        _pattern(rf"{_MINUS}{_N}(?P<unit>{_UNITS})(?:(?: ?/ ?| per |per)(?P<per>{_PER}))?{_END}"),
        amounts.measure,
    ),
    Rule("measure", _pattern(rf"(?P<n>{NUMBER})\""), amounts.inches),
    Rule(
        "measure",
        _pattern(
            rf"(?P<n>{NUMBER})(?P<gap> |(?<=\d[.,]\d)(?=s)|(?<=\d[.,]\d\d)(?=s))(?P<unit>[KNJAs])"
            r"(?![A-Za-z\d&.'’-])(?! [A-Za-z])"
        ),
        amounts.spaced_unit,
    ),
    Rule(
        "measure",
        _pattern(
            rf"{_N}(?P<unit>{_KHMER_UNITS})(?:(?P<power>[²³]|[23](?!\d)))?(?:\.? ?/ ?(?P<per>{any_of(KHMER_UNITS)}))?"
            rf"(?:\.(?=[ ។,;)/]|$)|\.?(?=ក្នុងមួយ)|(?![{KHMER}.]))"
        ),
        amounts.khmer_measure,
    ),
)
PLAIN = (
    Rule(
        "fraction",
        _pattern(
            rf"(?:(?<![{_WORD}/.,-])(?P<minus>[-−]))?(?:{HEAD}(?P<whole>\d{{1,9}}) )?{HEAD}(?<!/)(?<!/ )"
            r"(?P<above>\d{1,9}+(?:[.,]\d{3})*+) ?[/\u2044] ?(?P<below>\d{1,9}+(?:[.,]\d{3})*+)(?! ?/|[.,]?\d)"
        ),
        say.fraction,
    ),
    Rule("divided", _pattern(r"(?<=\d) ?: ?(?=\d++(?:[.,]\d++)*+ ?=)"), lambda match: SYMBOLS["÷"]),
    Rule("ratio", _pattern(r"(?<=\d) ?: ?(?=\d)"), say.against),
    Rule("street", _pattern(r"(?<![A-Za-z])[Ss]t\.? ?(?=\d)"), say.street),
    Rule("number sign", _pattern(r"#(?=\d)|№ ?(?=\d)|(?<![A-Za-z])N(?:o\.?|[°º]) ?(?=\d)"), say.number_sign),
    Rule("version", _pattern(r"(?<![A-Za-z])[vV]\.?(?=\d)"), lambda match: LETTERS["V"]),
    Rule("screen", _pattern(rf"{HEAD}(\d{{1,2}})(\d\d)(?P<scan>[pi])(?![A-Za-z\d])"), say.screen),
    Rule("digits", _pattern(r"(?P<name>(?<![A-Za-z])(?i:boeing|levi's) )(?P<n>\d{3})(?!\d)"), say.named_number),
    Rule("quantity", _pattern(rf"{_N}(?<!\s)(?P<quantity>[KkM])(?![A-Za-z\d])"), amounts.quantity),
    Rule("times", _pattern(r"(?<=\d)x(?![A-Za-z\d])"), lambda match: "ដង"),
    Rule("letters", _pattern(r"(?<=\d)(?P<letters>[A-Z][A-Za-z]{0,2})(?![A-Za-z\d])"), house_letters),
    Rule("dash", _pattern(rf"(?<=[A-Za-z{KHMER}])[-–](?=\d)"), lambda match: ""),
    Rule("number", _pattern(rf"(?<![{_WORD}.,-])(?P<minus>[-−])?(?P<n>{NUMBER})"), say.number),
    Rule("number", _pattern(r"(?P<minus>)(?P<n>\d++(?:[.,]\d++)*+)"), say.number),
)
NUMBERS = (
    Rule("decimal", _pattern(r"(?<![\w.,])\.(?=\d)(?!\d++\.)"), lambda match: "0."),
    Rule("ordinal", _pattern(rf"{HEAD}(?P<n>\d{{1,3}}(?:,\d{{3}})*)(?:st|nd|rd|th)(?![A-Za-z\d])"), say.ordinal),
    Rule("fraction", _pattern(r"(?<=\d) ?(?P<sign>[¼-¾⅐-⅞])"), say.mixed),
    Rule("compatible", _pattern("[¼-¾⅐-⅞]"), say.compatible),
    Rule("power", _pattern(r"(?<=[\d)])(?P<power>\^[-−]?\d{1,4}+|[⁰¹²³⁴-⁹⁻]{1,5})"), say.power),
    *DATES,
    *TIMES,
    *TELEPHONES,
    Rule("number", _pattern(rf"{HEAD}(?<!\d )(?<![+(-])[1-9]\d{{0,2}}(?: \d{{3}})++(?! ?\d)"), say.spaced_number),
    *RANGES,
    *AMOUNTS,
    *PLAIN,
)
INITIALS = (
    Rule(
        "abbreviation",
        _pattern(rf"(?<![{KHMER}.]){_LETTER}(?:\.{_LETTER}){{1,6}}+\.?+(?![{KHMER}])"),
        say.abbreviation,
    ),
)
LATIN = (
    Rule("abbreviation", _pattern(r"(?<![A-Za-z])P\.? ?O\.? ?[Bb]ox(?![A-Za-z])"), say.post_box),
    Rule(
        "roman",
        _pattern(
            rf"(?P<before>(?:{_KEYWORDS}) ?|(?<![A-Za-z\d-]))(?P<roman>[IVX]++) ?{DASH} ?"
            rf"(?P<last>(?:ទី ?)?)(?P<to>[IVX]++)(?![A-Za-z.&'-])"
        ),
        say.roman_range,
    ),
    Rule("roman", _pattern(rf"(?P<before>(?:{_KEYWORDS}) ?)(?P<roman>{_ROMAN})(?![A-Za-z.])"), say.roman_number),
    Rule("roman", _pattern(r"(?P<before>^)(?P<roman>[IVX]+)(?= ?[-–)/] ?[\u1780-\u17b3]|(?<=..)$)"), say.roman_number),
    Rule("roman", _pattern(r"(?P<before>\()(?P<roman>[IVX]{2,})(?=\))"), say.roman_number),
    Rule("roman", _pattern(r"(?P<before>(?<!\S))(?P<roman>[IVX]+)\.(?= (?![A-Za-z])|$)"), say.roman_number),
    Rule(
        "roman",
        _pattern(rf"(?P<before>(?<=[A-Za-z{KHMER}]) )(?P<roman>[IVX]{{2,}}|{_LONG_ROMAN})(?![A-Za-z.&'-])"),
        say.roman_number,
    ),
    *WORDS,
)
LAST = (
    Rule("key", _pattern(rf"(?P<named>(?:{_KEYS}) ?)(?P<key>[#*])(?![#*\w])"), say.key),
    Rule("symbol", _pattern(f"([{re.escape(''.join(SYMBOLS))}])\\1*+"), say.symbol),
    HASHTAG,
)


def rules_for(text: str) -> tuple[Rule, ...]:
    """The rules that can find something in the text: those for figures and Latin letters only where there are some."""
    figures = bool(re.search(r"[\d①-⑳¼-¾⅐-⅞]", text))
    latin = bool(re.search("[A-Za-zⅠ-ⅿ]", text))
    return (*ALWAYS, *(ELECTRONIC if latin or "#" in text else ()), *(NUMBERS if figures else ()), *INITIALS,
            *(LATIN if latin else ()), *LAST)  # fmt: skip
