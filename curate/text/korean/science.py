"""Science in Korean: chemical formulas, powers, subscripts, functions by their short names, blood pressure.

Usage: letters of a formula by their names and its numbers in English up to twelve (씨오투, 에이치투에스오포), as 씨오투
and 에이치투오 are said; powers as in school books (십의 육제곱, 엑스 제곱); blood pressure 백이십에 팔십.
"""

import re

from curate.text.korean import latin
from curate.text.korean.amounts import unit_name
from curate.text.korean.numbers import MOST_DIGITS, sino
from curate.text.korean.particles import PARTICLE, fitted, with_particle
from curate.text.korean.patterns import AFTER, COUNTER, UNIT
from curate.text.korean.tables import PER, UNITS
from curate.text.korean.technical import TECHNICAL
from curate.text.rules import HEAD, TextRule, any_of

_ELEMENTS_TEXT = (
    "H He Li Be B C N O F Ne Na Mg Al Si P S Cl Ar K Ca Sc Ti V Cr Mn Fe Co Ni Cu Zn Ga Ge As Se Br Kr Rb Sr Y Zr "
    "Nb Mo Tc Ru Rh Pd Ag Cd In Sn Sb Te I Xe Cs Ba La Ce Pr Nd Sm Eu Gd Tb Dy Ho Er Tm Yb Lu Hf Ta W Re Os Ir Pt "
    "Au Hg Tl Pb Bi Po At Rn Fr Ra Ac Th Pa U Np Pu"
)
_ELEMENTS = frozenset(_ELEMENTS_TEXT.split())
# Formulas of capitals and one number, which might else be the name of a thing: O2 but not U2, NH3 but not BK3.
_KNOWN_TEXT = (
    "H2 N2 O2 O3 F2 H2O CO2 SO2 SO3 NO2 NO3 N2O CH4 NH3 NH4 PH3 H2S CS2 HNO3 H3O SF6 UF6 UO2 C2H2 KNO3 KOH HF HI "
    "CO3 PO4 SO4 CH3COOH CH3OH CH3CHO HCOOH HCHO CH3Cl H2CO3 H2O2 H2SO3 H3PO4 HNO2 KClO3"
)
_KNOWN = frozenset(_KNOWN_TEXT.split())
_COUNTS = ["원", "투", "스리", "포", "파이브", "식스", "세븐", "에이트", "나인", "텐", "일레븐", "트웰브"]
_SUBSCRIPTS = str.maketrans("₀₁₂₃₄₅₆₇₈₉ₙₓ", "0123456789nx")
_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺ⁿ", "0123456789-+n")
_WORDS_TEXT = "In As At No Be He Am Ho La Pa Re Po Ra Er Os Mo Co"  # signs that are words or names, too
_WORDS = frozenset(_WORDS_TEXT.split())
_METALS = "듐늄튬슘륨뮴윰븀소틴트"  # in what their Korean names end
_ATOM = re.compile(r"([A-Z][a-z]?)|(\d+)")
_FUNCTIONS = "arcsin|arccos|arctan|sinh|cosh|tanh|sin|cos|tan|cot|csc|log|ln|lim"
_COUNTER = re.compile(rf"(?:{COUNTER}){AFTER}")
_POWERS = {"2": "제곱", "3": "세제곱"}
# The terms of a formula beside a minus: m, g or k behind a number are units, and by themselves variables.
_VARIABLE = r"(?:(?:\d{1,6}(?:\.\d{1,6})?)?[xyznabc]|[a-zα-ω])(?:[²³]|\^\d)?"
_FIGURE = r"\d{1,9}(?:[.,]\d{1,9})?"
_LEFT = re.compile(
    rf"(?<![A-Za-zα-ω\d.,^])(?:(?P<variable>{_VARIABLE})|(?P<figure>{_FIGURE}))$|(?P<close>(?<=[\w²³])\))$"
)
_RIGHT = re.compile(
    rf"(?:(?P<variable>{_VARIABLE})|(?P<figure>{_FIGURE}))(?![A-Za-zα-ω\d^/]|[.,]\d)"
    r"(?=[^가-힣]|$|의|은|는|이|가|을|를|와|과|로|으로|에|일|라|도|보다)"
    r"|\((?=[\dA-Za-z])"
)
_WINDOW = 40
_EQUATED = re.compile(r"[A-Za-zα-ω)²³] ?= ?[\dA-Za-zα-ω+*/^()²³. ×−-]{1,30}$")
_EQUAL_AFTER = re.compile(r"[\dA-Za-zα-ω+*/^()²³. ×−-]{1,30}=")
_CAPITAL_LEFT, _CAPITAL_RIGHT = re.compile(r"(?<![A-Za-z])\d{0,4}[A-Z]$"), re.compile(r"\d{0,4}[A-Z](?![A-Za-z\d])")
_PRESSURE = r"\d{2,3})/(?P<low>\d{2,3})(?![\d/]|[.,]\d)"


def exponent(match: re.Match[str]) -> str:
    """1e-5, 2.5e+3 m of programs."""
    unit = f" {unit_name(match['unit'], None)}" if match["unit"] else ""
    return f"{match['n']} 곱하기 십의 {_raised(match['e'].lstrip('+'))}{unit}"


def element(match: re.Match[str]) -> str:
    """철(Fe), 헬륨(He): the sign of an element behind its name, by its letters; 비고(No) is a word."""
    sign, before = match.group(), match.string[match.start() - 2]
    return latin.letters(sign) if sign in _ELEMENTS and (sign not in _WORDS or before in _METALS) else sign


def formula(match: re.Match[str]) -> str:
    """H2SO4, Fe₂O₃, Ca²⁺; what is no formula stays."""
    written = match["formula"]
    plain = written.translate(_SUBSCRIPTS)
    if not _is_formula(plain, subscripts=plain != written or bool(match["charge"])):
        return match.group()
    spoken = "".join(latin.letters(element) if element else _count(number) for element, number in _ATOM.findall(plain))
    return spoken + _charge(match["charge"].translate(_SUPERSCRIPTS))


def _is_formula(plain: str, *, subscripts: bool) -> bool:
    elements = [element for element, _ in _ATOM.findall(plain) if element]
    if not elements or not _ELEMENTS.issuperset(elements):
        return False
    if subscripts or plain in _KNOWN:
        return True
    numbers = len(re.findall(r"\d+", plain))
    named = any(len(element) == 2 for element in elements)  # NaCl, Fe2O3
    return len(elements) > 1 and (numbers > 1 or (named and _of_many_capitals(plain)))


def _of_many_capitals(plain: str) -> bool:
    """NaCl or CaCl2, but no word: In, As, Po."""
    return sum(letter.isupper() for letter in plain) > 1 and not plain.isupper()


def _count(number: str) -> str:
    return _COUNTS[int(number) - 1] if 1 <= int(number) <= len(_COUNTS) else sino(number)


def _charge(signs: str) -> str:
    number, sign = signs.rstrip("+-"), signs[-1:]
    if not sign:
        return ""
    return (f" {sino(number)}" if number else "") + (" 플러스" if sign == "+" else " 마이너스")


def power(match: re.Match[str]) -> str:
    """10⁶, x², (a+b)^3: what is raised is read later."""
    base, exponent = match["base"], (match["raised"] or match["caret"]).translate(_SUPERSCRIPTS).strip("{}()")
    letters = re.search("[A-Za-z]+$", base)
    if letters and (f"{letters[0]}{match['raised']}" in UNITS or f"{letters[0]}2" in UNITS):
        return match.group()  # 30 cm², m^2: a unit
    unit = f" {unit_name(match['unit'], match['per'])}" if match["unit"] else ""
    if unit and match["caret"] and not base[-1].isdigit():  # x^2m: a letter
        unit = " " + match.group()[match.start("unit") - match.start() :]
    close = match.string[match.end() : match.end() + 1]
    counted = base[-1].isdigit() and _COUNTER.match(match.string, match.end())
    apart = " " if not unit and (counted or (close.isascii() and close.isalnum())) else ""
    return f"{base}{'의 ' if base[-1].isdigit() else ' '}{_raised(exponent)}{unit}{apart}"


def _raised(exponent: str) -> str:
    if exponent in _POWERS:
        return _POWERS[exponent]
    sign = "마이너스 " if exponent.startswith("-") else ""
    digits = exponent.lstrip("+-")
    if len(digits) > MOST_DIGITS:
        return f"{sign}{sino(digits)} 제곱"
    return sign + (sino(digits) if digits.isdigit() else latin.letters(digits) + " ") + "제곱"


def minus(match: re.Match[str]) -> str:
    """A minus of a formula: 2x - 1, y = a - b; between two figures 빼기; what is a dash stays."""
    before = match.string[max(0, match.start() - _WINDOW) : match.start()]
    after = match.string[match.end() : match.end() + _WINDOW]
    left, right = _LEFT.search(before), _RIGHT.match(after)
    equated = _EQUATED.search(before) or _EQUAL_AFTER.match(after)
    spaced = match.group()[0] == match.group()[-1] == " "
    if left and right and (spaced or equated):
        if left["variable"] or right["variable"]:
            return " 마이너스 "
        return " 빼기 " if equated and left["figure"] and right["figure"] else match.group()
    capital = equated and spaced and _CAPITAL_LEFT.search(before) and _CAPITAL_RIGHT.match(after)
    return " 마이너스 " if capital else match.group()


def subscript(match: re.Match[str]) -> str:
    """a₁: 에이 일, and the letter is read later."""
    plain = match["n"].translate(_SUBSCRIPTS)
    after = match.string[match.end() : match.end() + 1]
    spoken = sino(plain) if plain.isdigit() else latin.letters(plain)
    if match["equals"]:
        return f" {spoken}{fitted(spoken, '은')} "
    return f" {spoken}{' ' if after.isalnum() else ''}"


def function(match: re.Match[str]) -> str:
    """sin30°, cosθ, log₂8, sin²x: the name by itself."""
    raised = f" {_raised(match['raised'].translate(_SUPERSCRIPTS))}" if match["raised"] else ""
    return f"{TECHNICAL.get(match['name'], '로그')}{raised} "


def pressure(match: re.Match[str]) -> str:
    """120/80 of blood: the unit is read later."""
    return f"{match['before']}{sino(match['high'])}에 {match['low']}"


SCIENCE = (
    TextRule(
        "power",
        re.compile(
            rf"{HEAD}(?<![A-Za-z])(?P<n>\d{{1,9}}(?:\.\d{{1,9}})?)(?:[eE](?=[+-])|e)(?P<e>[+-]?\d{{1,3}})(?![\d.-])"
            rf"(?: ?(?P<unit>{UNIT})(?![A-Za-z\d/²³])|(?![A-Za-z]))"
        ),
        exponent,
    ),
    TextRule("formula", re.compile(r"(?<=[가-힣]\()[A-Z][a-z](?=[),])"), element),
    TextRule("pressure", re.compile(rf"(?P<before>)(?<![/-]){HEAD}(?P<high>{_PRESSURE}(?= ?mmHg)"), pressure),
    TextRule(
        "pressure",
        re.compile(rf"(?P<before>혈압(?:[은는이가을를도]|수치)? ?(?:약 )?)(?P<high>{_PRESSURE}"),
        pressure,
    ),
    TextRule(
        "formula",
        re.compile(
            r"(?<![A-Za-z\d_.-])(?P<formula>\(?[A-Z](?:[A-Za-z]|[\d₀-₉]|[()](?=[A-Z\d₀-₉])){1,24})(?P<charge>[²³]?[⁺⁻]|)"
            rf"(?![A-Za-z\d₀-₉_²³⁺⁻]){PARTICLE}"
        ),
        with_particle(formula),
    ),
    TextRule(
        "function",
        re.compile(
            rf"(?<![A-Za-z\d])(?P<name>{_FUNCTIONS})(?P<raised>[²³]|)"
            r"(?: ?(?=[θαβγφωπ√])|(?=\d|[₀-₉]| ?[A-Za-z](?![A-Za-z])| ?\(?\d))"
        ),
        function,
    ),
    TextRule(
        "power",
        re.compile(
            r"(?P<base>(?<![\d/])\d(?:[\d.,]{0,23}\d)?|(?<![A-Za-z/])[A-Za-z]{1,3}|[α-ωΑ-Ω)])"
            r"(?:(?P<raised>[⁻⁺]?[⁰¹²³⁴-⁹ⁿ]{1,12})|\^(?P<caret>-?\d{1,4}|[a-z](?![A-Za-z])|\{-?\w{1,4}\}|\(-?\w{1,4}\)))"
            rf"(?:(?<=[⁰¹²³⁴-⁹\d]) ?(?P<unit>{UNIT})(?:/(?P<per>{any_of(PER)}))?(?![A-Za-z\d/²³⁴-⁹]))?"
        ),
        power,
    ),
    TextRule("minus", re.compile(r"(?<=제곱) ?[-−] ?(?=[\dA-Za-z(])"), lambda match: " 마이너스 "),
    TextRule("minus", re.compile(r"(?<=[\w)²³]) - (?=[\w(])|(?<=[\w)²³]) ?[-−] ?(?=[\w(])"), minus),
    TextRule("subscript", re.compile(r"(?P<n>[₀-₉]{1,12}|[ₙₓ])(?P<equals> ?= ?(?=[\dA-Za-z(√-]))?"), subscript),
    TextRule("equals", re.compile(r"(?<=[α-ωΔΣΩΠΦΛΘΓ]) ?= ?(?=[\dA-Za-z(√α-ω-])"), lambda match: "은 "),  # fitted later
)
