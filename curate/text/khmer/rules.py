"""Written Khmer to spoken Khmer: rules in the order in which they apply.

Conventions: google/language-resources km/textnorm, written anew from its published facts. Where it differs from what
Khmer news writes, we follow the news: a comma before three digits groups thousands (12,500 is twelve thousand five
hundred), and a dash between two plain numbers is ទៅ, from the less to the more.
"""

import re

from curate.text.khmer import amounts, codes, dates, formulas, ranges, symbols, times
from curate.text.khmer.latin import ELECTRONIC, HASHTAG, WORDS, house_letters
from curate.text.khmer.patterns import CURRENCY, DASH, KHMER, UNIT
from curate.text.khmer.tables import (
    ABBREVIATIONS,
    ERAS,
    KHMER_PER,
    KHMER_UNITS,
    LETTERS,
    MONEY_WORDS,
    PER,
    QUANTITIES,
    SYMBOLS,
)
from curate.text.rules import DEFAULT, HEAD, NUMBER, Options, TextRule, any_of

_END = r"(?![A-Za-z\d²³])"  # behind a Latin unit
_WORD = r"\w\u1780-\u17dd)"  # a dash behind these is no minus
_MINUS = rf"(?:(?<![{_WORD}])(?P<minus>[-−]))?"
_N = rf"(?P<n>{NUMBER})(?P<gap> ?)"
_LETTER = r"[ក-អឥ-ឳ](?:\u17d2[ក-អ]){0,2}"
_QUANTITY = rf"(?:{any_of(QUANTITIES)})(?![A-Za-z])"
_PER = any_of(PER)
_HEADS = "នាក់|គ្រួសារ|ខ្នង|ដើម|ក្បាល|គ្រឿង|ដង"  # what is counted for each of a unit: 500នាក់/km²
_KEYS = "ចុចលេខ|ចុចសញ្ញា|ចុច|សញ្ញា|គ្រាប់ចុច|គ្រាប់"  # before # and * of a telephone
_LONG_ROMAN = "(?=[IVXLCDM]*[IVX])[IVXLCDM]{4,}"
_ROMAN = "(?:[IVX]|(?=[IVXLCDM]*[IVX])[IVXLCDM]{2,})(?![IVXLCDM])"  # not C, which is a letter: ផ្នែក C
_KEYWORDS = (
    "ឆមាស|ត្រីមាស|ថ្នាក់|ប្រភេទ|ទី|ជំពូក|ភាគ|មាត្រា|កម្រិត|ផ្នែក|វគ្គ|លើក|ឧបសម្ព័ន្ធ|មេរៀន|ខណ្ឌ|សតវត្ស|សតវត្សរ៍|លំដាប់|ដំណាក់កាល|តារាង|រូប"
)


def _dotted(unit: str) -> str:
    """A Khmer unit with or without dots; gram only with its dot or behind a space: 12ក is a class of a school."""
    letters = ["ម៉?", "ការ៉េ"] if unit.endswith("ការ៉េ") else re.findall(rf"{_LETTER}[\u17b7\u17c9]?", unit)
    if unit == "ក":
        return r"ក(?=\.)|(?<= )ក"
    return r"(?:\. ?)?".join(letters)


_KHMER_UNITS = "|".join(_dotted(unit) for unit in sorted(KHMER_UNITS, key=len, reverse=True))


ALWAYS = (
    TextRule("digits", re.compile("[០-៩]+"), symbols.digits),
    TextRule("abbreviation", re.compile("(?:និង ?)?។ ?ល ?។"), symbols.and_so_on),
    TextRule("abbreviation", re.compile(rf"(?<![{KHMER}.])ឧ(?:\.|(?= ?៖))"), symbols.for_example),
    TextRule("lunar", re.compile("[\u19e0-\u19ff]"), symbols.lunar),
    TextRule("compatible", re.compile("[①-⑳㎏㎞㎝㎜㎡㎖㎎㏄]"), symbols.compatible),
    TextRule("roman", re.compile("(?P<before>)(?P<roman>[Ⅰ-ⅿ]+)"), symbols.roman_sign),
    *formulas.SUBSCRIPTS,
    *dates.NAMED_SPANS,
)
AMOUNTS = (
    TextRule(
        "compared", re.compile(rf"[<>](?= ?(?:{CURRENCY})?\d)|(?<=\d) ?[<>](?= ?[a-z](?![A-Za-z]))"), ranges.compared
    ),
    TextRule("about", re.compile(rf"(?<!\d)~ ?(?=(?:{CURRENCY})?\d)"), symbols.about),
    TextRule(
        "per",
        re.compile(
            rf"(?P<n>(?:{CURRENCY}) ?{NUMBER}|(?:(?<=\d)|(?<=\d ))(?:{CURRENCY}|{_HEADS})) ?/ ?(?P<per>{_PER}){_END}"
        ),
        amounts.price_of_one,
    ),
    TextRule(
        "per",
        re.compile(rf"(?:(?<=រៀល)|(?<=ដុល្លារ)|(?<=[$៛€])) ?/ ?(?P<per>{_KHMER_UNITS})\.?(?![\u1780-\u17d3.])"),
        amounts.price_of_one_khmer,
    ),
    TextRule(
        "per",
        re.compile(
            rf"(?P<n>\d ?[^\d/]{{1,20}}?|(?:{CURRENCY}) ?{NUMBER})(?: ?/ ?|per)(?:មួយ)?"
            rf"(?=(?:{any_of(KHMER_PER)})(?![\u17b6-\u17d3]))"
        ),
        amounts.in_one,
    ),
    TextRule("times", re.compile(rf"(?<=[\dmtg{KHMER}]) ?[xX×*] ?(?=\d)"), amounts.times),
    TextRule(
        "money",
        re.compile(rf"(?<![A-Za-z\d])(?<!\d ){_MINUS}(?P<sign>{CURRENCY}) ?{_N}(?P<quantity>{_QUANTITY})?"),
        amounts.money_before,
    ),
    TextRule(
        "money",
        re.compile(rf"{_MINUS}{_N}(?P<quantity>(?:{_QUANTITY}) ?)?(?P<sign>{CURRENCY})(?![A-Za-z])"),
        amounts.money,
    ),
    TextRule(
        "money",
        re.compile(rf"{_N}(?P<quantity>(?:{_QUANTITY}) ?)?(?P<word>{any_of(MONEY_WORDS)}){_END}", re.IGNORECASE),
        amounts.money_word,
    ),
    TextRule(
        "fraction",
        re.compile(rf"{HEAD}(?<!/)(?P<above>\d{{2,3}})/(?P<below>\d{{2,3}})(?= ?(?:mmHg|mm Hg|ម\.?ម\.?បារត))"),
        amounts.over,
    ),
    TextRule(
        "fraction",
        re.compile(rf"{HEAD}(?<!/)(?P<above>\d{{1,3}}[.,]\d{{1,2}})/(?P<below>\d{{1,3}})(?![\d/]|[.,]\d)"),
        amounts.rated,
    ),
    TextRule("measure", re.compile(r"(?<=°)(?P<m>\d{1,2})['′](?:(?P<s>\d{1,2}(?:\.\d+)?)[\"″])?"), amounts.arc),
    TextRule("measure", re.compile(rf"(?P<n>{NUMBER})['′] ?(?P<inch>{NUMBER})[\"″]"), amounts.feet),
    TextRule(
        "measure",
        re.compile(rf"{_MINUS}{_N}(?P<unit>{UNIT})(?:(?: ?/ ?| per |per)(?P<per>{_PER}))?{_END}"),
        amounts.measure,
    ),
    TextRule("measure", re.compile(rf"(?P<n>{NUMBER})\""), amounts.inches),
    TextRule(
        "measure",
        re.compile(
            rf"(?P<n>{NUMBER})(?P<gap> |(?<=\d[.,]\d)(?=s)|(?<=\d[.,]\d\d)(?=s))(?P<unit>[KNJAs])"
            r"(?![A-Za-z\d&.'’-])(?! [A-Za-z])"
        ),
        amounts.spaced_unit,
    ),
    TextRule(
        "measure",
        re.compile(
            rf"{_N}(?P<unit>{_KHMER_UNITS})(?:(?P<power>[²³]|[23](?!\d)))?(?:\.? ?/ ?(?P<per>{any_of(KHMER_UNITS)}))?"
            rf"(?:\.(?=[ ។,;)/]|$)|\.?(?=ក្នុងមួយ)|(?![{KHMER}.]))"
        ),
        amounts.khmer_measure,
    ),
)
PLAIN = (
    TextRule(
        "fraction",
        re.compile(
            rf"(?:(?<![{_WORD}/.,-])(?P<minus>[-−]))?(?:{HEAD}(?P<whole>\d{{1,9}}) )?{HEAD}(?<!/)(?<!/ )"
            r"(?P<above>\d{1,9}+(?:[.,]\d{3})*+) ?[/\u2044] ?(?P<below>\d{1,9}+(?:[.,]\d{3})*+)(?! ?/|[.,]?\d)"
        ),
        amounts.fraction,
    ),
    TextRule("divided", re.compile(r"(?<=\d) ?: ?(?=\d++(?:[.,]\d++)*+ ?=)"), lambda match: SYMBOLS["÷"]),
    TextRule("ratio", re.compile(r"(?<=\d) ?: ?(?=\d)"), ranges.against),
    TextRule("street", re.compile(r"(?<![A-Za-z])[Ss]t\.? ?(?=\d)"), symbols.street),
    TextRule("number sign", re.compile(r"#(?=\d)|№ ?(?=\d)|(?<![A-Za-z])N(?:o\.?|[°º]) ?(?=\d)"), symbols.number_sign),
    TextRule("version", re.compile(r"(?<![A-Za-z])[vV]\.?(?=\d)"), lambda match: LETTERS["V"]),
    TextRule("screen", re.compile(rf"{HEAD}(\d{{1,2}})(\d\d)(?P<scan>[pi])(?![A-Za-z\d])"), symbols.screen),
    TextRule(
        "digits", re.compile(r"(?P<name>(?<![A-Za-z])(?i:boeing|levi's) )(?P<n>\d{3})(?!\d)"), symbols.named_number
    ),
    TextRule("quantity", re.compile(rf"{_N}(?<!\s)(?P<quantity>[KkM])(?![A-Za-z\d])"), amounts.quantity),
    TextRule("times", re.compile(r"(?<=\d)x(?![A-Za-z\d])"), formulas.times_or_variable),
    TextRule("letters", re.compile(r"(?<=\d)(?P<letters>[A-Z][A-Za-z]{0,2})(?![A-Za-z\d])"), house_letters),
    TextRule("dash", re.compile(rf"(?<=[A-Za-z{KHMER}])[-–](?=\d)"), lambda match: ""),
    TextRule("number", re.compile(rf"(?<![{_WORD}.,-])(?P<minus>[-−])?(?P<n>{NUMBER})"), amounts.number),
    TextRule("number", re.compile(r"(?P<minus>)(?P<n>\d++(?:[.,]\d++)*+)"), amounts.number),
)
FIGURES = (
    *formulas.CELLS,
    TextRule("minus", re.compile(r"(?<![^\s(])–(?=\d[\d.,]{0,9} ?(?:°|℃|អង្សា))"), lambda match: "-"),
    TextRule(
        "power",
        re.compile(
            rf"{HEAD}(?<![A-Za-z])(?P<n>\d{{1,9}}(?:\.\d{{1,9}})?)(?:[eE](?=[+-])|e)(?P<e>[+-]?\d{{1,3}})(?![A-Za-z\d.-])"
        ),
        amounts.exponent,
    ),
    TextRule("decimal", re.compile(r"(?<![\w.,])\.(?=\d)(?!\d++\.)"), lambda match: "0."),
    TextRule(
        "ordinal", re.compile(rf"{HEAD}(?P<n>\d{{1,3}}(?:,\d{{3}})*)(?:st|nd|rd|th)(?![A-Za-z\d])"), amounts.ordinal
    ),
    TextRule("fraction", re.compile(r"(?<=\d) ?(?P<sign>[¼-¾⅐-⅞])"), amounts.mixed),
    TextRule("compatible", re.compile("[¼-¾⅐-⅞]"), symbols.compatible),
    TextRule(
        "power",
        re.compile(
            r"(?<=[\d)A-Za-z])(?P<power>\^[-−]?\d{1,4}+|[⁰¹²³⁴-⁹⁻]{1,5})"
            rf"(?:(?<=[\d⁰¹²³⁴-⁹])(?P<gap> ?)(?P<unit>{UNIT})(?![A-Za-z\d/²³^]))?"
        ),
        amounts.power,
    ),
)
NUMBERS = (
    *codes.CODES,
    TextRule(
        "number", re.compile(rf"{HEAD}(?<!\d )(?<![+(-])[1-9]\d{{0,2}}(?: \d{{3}})++(?! ?\d)"), amounts.spaced_number
    ),
    *ranges.RANGES,
    *AMOUNTS,
    *PLAIN,
)
# Words that abbreviations are written to without a space: នៃអ.ស.ប., មុនគ.ស.
_BEFORE = ("នៃ", "មុន", "ក្រោយ", "ក្នុង", "នៅ", "ដោយ", "របស់", "ពី", "ដល់", "ទៅ", "និង", "នឹង", "ជា", "ឆ្នាំ", "ថា")
_JOINED = "|".join(f"(?<={word})" for word in _BEFORE)
INITIALS = (
    TextRule(
        "abbreviation",
        re.compile(
            rf"(?:(?<![{KHMER}.])|{_JOINED})(?:{any_of(each for each in [*ABBREVIATIONS, *ERAS] if '.' in each)})"
            rf"(?:\.(?!{_LETTER}(?:[^{KHMER}]|$))|(?=ទី)|(?![\u1780-\u17d3.]))"  # but ។, ៕ and ៖
        ),
        symbols.abbreviation,
    ),
    TextRule(
        "abbreviation",
        re.compile(rf"(?<![{KHMER}.])(?:{any_of([*ABBREVIATIONS, *ERAS])})\.(?=[ក-ឳ])(?!{_LETTER}(?:[^{KHMER}]|$))"),
        symbols.abbreviation,
    ),
    TextRule(
        "abbreviation",
        re.compile(
            rf"(?<![{KHMER}.])(?:{any_of(ABBREVIATIONS)}|{_LETTER}(?:\.{_LETTER}){{1,6}}+)\.?+(?![\u1780-\u17d3])"
        ),
        symbols.abbreviation,
    ),
)
LATIN = (
    TextRule("abbreviation", re.compile(r"(?<![A-Za-z])P\.? ?O\.? ?[Bb]ox(?![A-Za-z])"), symbols.post_box),
    TextRule(
        "roman",
        re.compile(
            rf"(?P<before>(?:{_KEYWORDS}) ?|(?<![A-Za-z\d-]))(?P<roman>[IVX]++) ?{DASH} ?"
            rf"(?P<last>(?:ទី ?)?)(?P<to>[IVX]++)(?![A-Za-z.&'-])"
        ),
        symbols.roman_range,
    ),
    TextRule(
        "roman",
        re.compile(
            rf"(?P<before>(?:{_KEYWORDS}) ?|(?<![A-Za-z\d.&'-]))"
            rf"(?P<list>[IVX]++(?:(?:, ?| ?(?:និង|ឬ|ដល់|ទៅ) ?| )(?:ទី ?)?[IVX]++){{1,12}}+)(?![A-Za-z.&'-])"
        ),
        symbols.roman_list,
    ),
    TextRule(
        "roman", re.compile(rf"(?P<before>(?:{_KEYWORDS}) ?)(?P<roman>{_ROMAN})(?!\.?[A-Za-z])"), symbols.roman_number
    ),
    TextRule(
        "roman",
        re.compile(r"(?P<before>^)(?P<roman>[IVX]+)(?= ?[-–)/] ?[\u1780-\u17b3]|(?<=..)$)"),
        symbols.roman_number,
    ),
    TextRule("roman", re.compile(r"(?P<before>\()(?P<roman>[IVX]{2,})(?=\))"), symbols.roman_number),
    TextRule("roman", re.compile(r"(?P<before>(?<!\S))(?P<roman>[IVX]+)\.(?= (?![A-Za-z])|$)"), symbols.roman_number),
    TextRule(
        "roman",
        re.compile(rf"(?P<before>(?<=[A-Za-z{KHMER}]) )(?P<roman>[IVX]{{2,}}|{_LONG_ROMAN})(?![A-Za-z.&'-])"),
        symbols.roman_number,
    ),
    codes.BLOOD,
    *formulas.VARIABLES,
    *WORDS,
)
LAST = (
    TextRule("key", re.compile(rf"(?P<named>(?:{_KEYS}) ?)(?P<key>[#*])(?![#*\w])"), symbols.key),
    TextRule(
        "symbol", re.compile("(?<![<>=-])(?P<sign>[<>])=(?![<>=])"), lambda match: SYMBOLS["≥≤"[match["sign"] == "<"]]
    ),
    TextRule("symbol", re.compile(f"([{re.escape(''.join(SYMBOLS))}])\\1*+"), symbols.symbol),
    HASHTAG,
)


def rules_for(text: str, options: Options = DEFAULT) -> tuple[TextRule, ...]:
    """The rules that can find something in the text: those for figures and Latin letters only where there are some."""
    figures = bool(re.search(r"[\d₀-₉①-⑳¼-¾⅐-⅞]", text))
    latin = bool(re.search("[A-Za-zⅠ-ⅿ]", text))
    return (*ALWAYS, *(ELECTRONIC if latin or "#" in text else ()), *(_numbers(options) if figures else ()), *INITIALS,
            *(LATIN if latin else ()), *LAST)  # fmt: skip


def _numbers(options: Options) -> tuple[TextRule, ...]:
    return (*FIGURES, *codes.DOCUMENTS, *dates.dates(options.date_words), *times.times(options.clock), *NUMBERS)
