"""What is written for the eye and not for the ear: tags, Markdown, stage directions, references, stray quotes.

What was spoken stays (the words between two tags, the text of a link), what was not goes, and each removal is a change
with its rule. `a < b`, `3 * 4`, `[a, b]`, `snake_case` and brackets with words in them are no markup and stay.
Nothing here belongs to one language. Every repetition is bounded or stops at the sign it began with, so that a line
of nothing but opening signs takes linear time.
"""

import html
import re
from collections.abc import Callable

from curate.text.directions import ANY, EDGE, SQUARE, SURE
from curate.text.quotes import stray_quotes
from curate.text.rules import Change, TextRule, any_of, rewrite

_PASSES = 3  # what an entity spelled may be markup again: &amp;lt;b&amp;gt;
_LETTER = r"[^\W\d_]"
_IN_WORD = r"\w\u17b4-\u17dd"  # the inside of a class: letters, digits, Khmer vowels and signs
_BLOCK_NAMES = (
    "p br div li ul ol dl dt dd tr td th table thead tbody h1 h2 h3 h4 h5 h6 hr blockquote pre section article "
    "body html head header footer main nav break"
)
_INLINE_NAMES = (
    "a abbr b bdi bdo big c cite code dfn em font i img ins del kbd label mark q rt ruby rp s samp small span strike "
    "strong sub sup svg time tt u v var wbr input button form option select textarea title meta link style script "
    "video audio source figure figcaption caption speak prosody voice phoneme emphasis say-as sentence lang"
)
_BLOCKS = frozenset(_BLOCK_NAMES.split())  # these end a line or a part of one
_ATTRIBUTE = r"[\w:-]{1,30}=(?:\"[^\"<>]{0,300}\"|'[^'<>]{0,300}'|[^\s\"'<>]{1,100})"
_ANY_NAME = r"[A-Za-z][\w:-]{0,30}"
_TAG = re.compile(  # a name that we know; or any name that ends something, is empty or has attributes
    rf"</?(?P<name>{any_of([*_BLOCK_NAMES.split(), *_INLINE_NAMES.split()])})(?P<rest>(?:\s[^<>]{{0,500}})?)/?>"
    rf"|<(?:/{_ANY_NAME}\s?|{_ANY_NAME}(?:\s[^<>]{{0,500}})?/|{_ANY_NAME}(?:\s+{_ATTRIBUTE}){{1,20}}\s*"
    r"|!DOCTYPE[^<>]{0,200}|\?xml[^<>]{0,200})>",
    re.IGNORECASE,
)
_WHOLE = (  # what nobody sees either
    r"<!--(?:(?!<!--|-->).){0,2000}-->"
    r"|<(?P<hidden>script|style)(?:\s[^<>]{0,500})?>(?:(?!<(?:script|style)).){0,5000}</(?P=hidden)\s?>"
    r"|\{\\[^{}]{1,80}\}"  # of subtitles: {\an8}
    r"|^`{3,}\w{0,20}$"  # where a piece of code begins
)
_CLOCK = r"\d{1,2}:\d\d(?::\d\d)?(?:[.,]\d{1,3})?"
_ENTITY = r"[A-Za-z][A-Za-z\d]{1,30}|#\d{1,7}|#[xX][\da-fA-F]{1,6}"
_BOARD_TAG = (  # of bulletin boards: [b]words[/b]
    r"\[(?P<code>b|i|u|s|color|size|url|quote|code)(?:=[^\[\]]{1,100})?\](?P<said>[^\[\]]{0,300})\[/(?P=code)\]"
)
_WIKI = r"(?<!['\d])'{3}([^']{1,300})'{3}(?!')|(?<!['\w])''(?=[^\s'])([^']{1,300})(?<!\s)''(?!')"
_RAISED = str.maketrans("0123456789-−", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁻")
_EDGE_BEFORE = r"(?:^|(?<=[.!?…។៕,:;៖]) ?|(?<=[.!?…។៕,:;៖] ))"
_EDGE_AFTER = r"(?= ?[.!?…។៕]?$)"
_ROUND = (  # behind a Latin word they explain it: laugh (សើច)
    rf"(?<![A-Za-z])(?<![A-Za-z] )\({SURE}[.!]?\)|{_EDGE_BEFORE}\({EDGE}[.!]?\)"
    rf"|(?<= )(?<![A-Za-z] )\({EDGE}[.!]?\){_EDGE_AFTER}"
)
_OTHER_BRACKETS = (
    rf"\[{SQUARE}[.!]?\]|\{{{ANY}[.!]?\}}|<{ANY}[.!]?/?>|【{ANY}】|(?<!\*)\*{ANY}\*(?!\*)|(?<!\w)_{ANY}_(?!\w)"
)
_TARGET = r"(?:https?://|mailto:|tel:|www\.|[#/.])[^\s()]{0,300}|[\w%-]{1,100}(?:[./][\w%#?=-]{1,100}){1,9}"
_TITLE = r"(?: [\"'][^\"']{0,200}[\"'])?"
_CITED = "citation needed|cite|edit|source|ref|ត្រូវការអំណះអំណាង|កែប្រែ|ប្រភព|출처 ?필요|편집|각주|출처"
_NUMBERS = r"[1-9០-៩]\d{0,2}"
_INTERVAL = re.compile("(?:ចន្លោះ|សំណុំ|구간|범위|집합|폐구간)(?:[가-힣]{0,2}) ?$")


def _nothing(match: re.Match[str]) -> str:
    return ""


def _apart(match: re.Match[str]) -> str:
    """Nothing, and what stood beside it stays two words."""
    return " "


def _gone(match: re.Match[str]) -> str:
    """Nothing, or a space where two words would meet; punctuation stays beside the word before it."""
    return "" if match.string[match.end() : match.end() + 1] in tuple(".,!?…។៕)") else " "


def _inner(match: re.Match[str]) -> str:
    return next(group for group in match.groups() if group is not None)


def _said(match: re.Match[str]) -> str:
    return match["said"]


def _entity(match: re.Match[str]) -> str:
    """The character that is written as &name; or &#number; at whatever depth."""
    character = html.unescape(f"&{match['name']};")
    if len(character) > 2:  # a name of nothing
        return match.group()
    return " " if character.isspace() else character


def _tag(match: re.Match[str]) -> str:
    """Nothing for a tag inside a line, a space for one that breaks it. <b and c> is a comparison and no tag."""
    rest = match["rest"] or ""
    if match["name"] and rest.strip(" /") and not re.search(r"=|^\s\w+$", rest):
        return match.group()
    return " " if (match["name"] or "").lower() in _BLOCKS else ""


def _raised(match: re.Match[str]) -> str:
    """A power behind a figure or a formula's letter; behind a word it is the number of a note."""
    return match["power"].translate(_RAISED) if match["base"] is not None else ""


def _link(match: re.Match[str]) -> str:
    return "" if match["text"].strip("[]^").isdigit() else match["text"]


def _reference(match: re.Match[str]) -> str:
    """[1], [2, 3]: a note's number behind a word or by itself; a list or an interval where a formula is near."""
    text, start = match.string, match.start()
    before = text[max(0, start - 20) : start]
    if re.search(r"[=+*/<>(\[,∈-] ?$|(?<![A-Za-z])[A-Za-z]{1,2}$", before) or _INTERVAL.search(before):
        return match.group()
    apart = start == 0 or match.group().startswith(" ")
    many = not match.group().strip(" []").isdigit()
    ends = text[match.end() : match.end() + 1] in ("", ".", ",", "។", "៕")
    return match.group() if many and apart and not ends else ""


def _without_stray(text: str, changes: list[Change]) -> str:
    stray = stray_quotes(text)
    if not stray:
        return text
    changes.extend(Change("stray quote", text[at], "") for at in stray)
    return "".join(text[start + 1 : end] for start, end in zip([-1, *stray], [*stray, len(text)], strict=True))


def _read(name: str, pattern: str, read: Callable[[re.Match[str]], str], flags: int = 0) -> TextRule:
    return TextRule(name, re.compile(pattern, flags), read)


def _emphasis(sign: str) -> TextRule:
    """The words between two signs, but not behind a figure, Latin or Hangul: 2*3*4, snake_case, 김*수와 이*영."""
    first = re.escape(sign[0])
    apart = r"(?<![^\s(\"'«“\[*~])" if sign[0] == "_" else r"(?<![A-Za-z\d가-힣)\]\\%.])"
    behind = rf"(?![{_IN_WORD}])" if sign[0] == "_" else r"(?![A-Za-z\d#])"
    inside = rf"(?=[^\s\W]|[\"'(«“<\[#])([^{first}]{{1,300}})(?<![\s({first}])"
    return _read(
        "emphasis", rf"(?<!{first}){apart}{re.escape(sign)}{inside}{re.escape(sign)}(?!{first}){behind}", _inner
    )


RULES = (
    _read("entity", rf"&(?:(?:amp|#38|#x26);){{0,9}}(?P<name>{_ENTITY});", _entity),
    _read("hidden", _WHOLE, _apart, re.IGNORECASE),
    _read("timestamp", rf"{_CLOCK} ?--> ?{_CLOCK}|\[{_CLOCK}\]|<{_CLOCK}>", _apart),
    _read("stage direction", f" ?(?:{_ROUND}|{_OTHER_BRACKETS})", _gone),
    _read("music", "[♩-♬𝄞🎵🎶🎼]+", _apart),
    _read("link", rf"!\[[^\[\]]{{0,300}}\]\((?:{_TARGET}){_TITLE}\)", _apart),
    _read("link", rf"\[(?P<text>[^\[\]]{{1,300}})\]\((?:{_TARGET}){_TITLE}\)", _link),
    _read("link", r"\[\[(?:[^\[\]|:]{1,200}\|)?([^\[\]|:]{1,200})\]\]", _inner),
    _read("link", r"<((?:https?://|mailto:)[^<>\s]{1,300}|[\w.+-]{1,64}@[\w.-]{1,100})>", _inner),
    _read("power", r"(?P<base>(?<=[A-Za-z\d)]))?<sup>(?P<power>[-−]?\d{1,4})</sup>", _raised, re.IGNORECASE),
    TextRule("tag", _TAG, _tag),
    _read("tag", _BOARD_TAG, _said, re.IGNORECASE),
    _read("bracket", r"(?<![A-Za-z\d)])<([\w%$(«“][^<>=]{0,79})(?<![\s-])>(?![A-Za-z\d(])", _inner),
    _read("reference", rf" ?\[(?:\^[\w-]{{1,20}}|(?:{_CITED})(?:[: ][^\[\]]{{0,60}})?)\]:?", _nothing, re.IGNORECASE),
    _read("reference", rf" ?\[{_NUMBERS}(?:(?:, ?|-|–){_NUMBERS}){{0,9}}\]", _reference),
    _read("line break", r"\\[nNtr](?![A-Za-z\\])", _apart),
    *(_emphasis(sign) for sign in ("*", "**", "***", "_", "__", "___", "~~", "==", "`", "``", "```")),
    _read("emphasis", r"(?<!\S)\*\* ([^*\d]{1,100}) \*\*(?=\s|$)", _inner),  # ** 주의 **: meant so
    _read("emphasis", _WIKI, _inner),
    _read("heading", r"^#{1,6} +(?=\S)", _nothing),
    _read("heading", r"^(={2,6}) +([^=\s](?:[^=]{0,198}[^=\s])?) +\1$", lambda match: match[2]),  # wiki
    _read("heading", r"^= +([^=\d\s](?:[^=]{0,198}[^=\s])?) +=$", _inner),
    _read("divider", r"^(?:([*_=~#+-]) ?)(?:\1 ?){2,200}$", _nothing),
    _read("bullet", rf"^(?:=>|->|→|⇒|➜) ?(?={_LETTER})", _nothing),
    _read("quotation", rf"^>(?:>| >){{0,20}} +(?={_LETTER})", _nothing),
    _read("bullet", r"^[-*+•] \[[ xX]\] +(?=\S)", _nothing),
    _read("bullet", rf"^(?:[+*•◦‣▪■□►▶➤➢✓✔☑◆◇●○※☞★☆] +|[•◦‣▪■□►▶➤➢✓✔☑◆◇●○※☞★☆]+|\*)(?=[(«“\"]?{_LETTER})", _nothing),
    _read("note", r"(?<=[\u1780-\u17dd])(?<!ចុច)(?<!សញ្ញា)(?<!លេខ)(?<!គ្រាប់)\*{1,3}(?=[\s.,។៕)!?]|$)", _nothing),
)  # fmt: skip
_SIGNS = re.compile(r"[&<>\[\]{}()*_~=`#+'\"♩-♬𝄞🎵🎶🎼\\•◦‣▪■□►▶➤➢✓✔☑◆◇●○※☞★☆【“”«»→⇒➜]|-->|^-+ ?-")


def without_markup(text: str, canonical: Callable[[str], str]) -> tuple[str, list[Change]]:
    """Canonical text without what is only for the eye, and each removal; `canonical` mends what a removal joined."""
    changes: list[Change] = []
    for _ in range(_PASSES):
        if not _SIGNS.search(text):
            break
        after, made = rewrite(text, RULES)
        after = _without_stray(after, made)
        if not made:
            break
        changes += made
        text = canonical(after)
    return text, changes
