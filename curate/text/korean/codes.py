"""Numbers that name and do not count: verses of the Bible, telephone numbers, codes and numbers of accounts."""

import re

from curate.text.korean.labels import AREA_CODES, CODED, DIALLED, NUMBERED
from curate.text.korean.names import BOOKS
from curate.text.korean.numbers import DIGITS, one_by_one, sino
from curate.text.korean.particles import PARTICLE, fitted
from curate.text.korean.patterns import AFTER, COUNTER, UNIT
from curate.text.rules import HEAD, TextRule, any_of

_ALL = any_of(DIALLED)
_NO_AMOUNT = rf"(?<![A-Za-z₩$€£#№=+×÷<>-])(?<!제)(?<![=+×÷<>-] ){HEAD}"
_NOT_COUNTED = rf"(?![\d%-]|[.,]\d| ?(?!등 )(?:(?:{COUNTER}){AFTER}|(?:{UNIT})(?![A-Za-z])|%))"
_SEP = r"[ .-]"
_SECRETS = "비밀번호|비번|암호|패스워드|아이디|(?<![A-Za-z])(?:ID|PW|id|pw)"
_KOREAN = re.compile(rf"(?:\+82[ .-]?)?\(?{AREA_CODES}\D|\+82[ .-]?[1-7]\d?\D")


def telephone(match: re.Match[str]) -> str:
    """A telephone number group by group; zero is 공 in Korea's and 영 in others (NeMo)."""
    number = match.group()
    names = (
        "공" + DIGITS[1:] if _KOREAN.match(number) or (not number.startswith(("+", "(")) and _bare(number)) else DIGITS
    )
    groups = re.findall(r"\d+", number)
    if number.startswith("+"):
        return f"국가번호 {one_by_one(groups[0], names)} " + " ".join(one_by_one(group, names) for group in groups[1:])
    return " ".join(one_by_one(group, names) for group in groups)


def _bare(number: str) -> bool:
    return re.fullmatch(r"1[5-9]\d\d-\d{4}", number) is not None


def mobile(match: re.Match[str]) -> str:
    """A number without signs: 01012345678."""
    number = match.group()
    return " ".join(one_by_one(group) for group in (number[:3], number[3:-4], number[-4:]))


def local(match: re.Match[str]) -> str:
    """전화 234-5678: without the number of the region."""
    return f"{match['mid'].rstrip()} {' '.join(map(one_by_one, match['n'].split('-')))}"


def digits(match: re.Match[str]) -> str:
    """Groups of digits one by one; zero is 공."""
    return digits_in(match.group()).replace("-", " ")


def dialled(match: re.Match[str]) -> str:
    """112, 119 or 1339 after what tells that it is dialled, or in a list of such numbers."""
    return (
        (match.groupdict().get("cue") or "") + digits_in(match["n"]) + " " * match.string.startswith("번", match.end())
    )


def service(match: re.Match[str]) -> str:
    """120번 where telephony is spoken of: digit by digit; a bus, a room, or so many times stays."""
    before = match.string[max(0, match.start() - _NEAR) : match.start()]
    after = match.string[match.end() : match.end() + _NEAR]
    if _OTHER_THING.match(after):
        return match.group()
    free = _TOLL_FREE.search(before) or _DIRECTED.match(after) or _NAMED_LINE.match(after)
    told = _SERVICE_BEFORE.search(before) and not _TIMES.match(after)
    return f"{one_by_one(match['n'])} " if free or told else match.group()


def figures(match: re.Match[str]) -> str:
    """4-3-3, figure by figure."""
    return " ".join(sino(figure) for figure in match.group().split("-"))


def listed(match: re.Match[str]) -> str:
    """A list of dialled numbers with one at least that everyone knows."""
    return digits_in(match["n"]) if re.search(r"(?<!\d)11[29](?!\d)", match["n"]) else match.group()


def digits_in(text: str) -> str:
    return re.sub(r"\d+", lambda group: one_by_one(group[0]), text)


def code(match: re.Match[str]) -> str:
    spoken = " ".join(one_by_one(group) for group in re.findall(r"\d+", match["n"]))
    return match["cue"] + (match["mid"] or " ") + spoken + (fitted(spoken, match["p"]) if match["p"] else "")


def secret(match: re.Match[str]) -> str:
    """A password or a name of a user with letters before its digits; the letters are read as any others."""
    return f"{match['cue']}{match['letters']} {one_by_one(match['n'])}"


def plate(match: re.Match[str]) -> str:
    """123가 4567 or 12가3456 of a car, figure by figure."""
    apart = " " if match.string[: match.start()].endswith(tuple(_REGIONS.split("|"))) else ""
    return apart + re.sub(r"\d+", lambda group: f" {one_by_one(group[0])} ", match["n"]).strip().replace("  ", " ")


def verse(match: re.Match[str]) -> str:
    return f"{match[1]} {sino(match[2])} 장 {sino(match[3])} 절"


_NEAR = 40  # characters in which a word of telephony is looked for
_LINES = "전화|상담|콜 ?센터|신고|문의|긴급|핫라인|센터|안내|대표번호|연락처|민원|구조|다이얼|국번 ?없이"
_TOLL_FREE = re.compile(r"국번 ?없이[ ☎(]{0,3}(?:[가-힣]{1,6} ){0,2}$")
_SERVICE_BEFORE = re.compile(
    rf"(?:{_LINES})(?:전화|번호|센터)?(?:[은는]|인)?[ :,☎(]{{0,3}}"
    r"(?:[\d공일이삼사오육칠팔구]{3,4} ?번?(?:, ?|·|/|[과와나] |이나 | (?:또는|혹은|및) )){0,3}$"
)
# Behind the number and 번: 번으로 언제든 전화, 번 여성긴급전화.
_CONTACT = "전화|문의|신고|연락|상담|도움|제보|접수"
_DIRECTED = re.compile(
    r"번\)?(?:으로|로|에|에다)(?:[는도만])? (?!걸쳐)(?:(?!버스|방|가는|갈아)[가-힣]{1,8} ){0,2}"
    rf"(?:긴급 ?)?(?:{_CONTACT})"
)
_NAMED_LINE = re.compile(
    r"번\)? ?[가-힣]{0,8}(?:(?:상담|신고|긴급|안내|민원|구조|문의|직통) ?전화|콜 ?센터|센터|핫라인)(?![가-힣]{3})"
)
_OTHER_THING = re.compile(
    rf"번(?: ?(?:{any_of(NUMBERED)}|방|객실|호실|병실|회의실|교실|집|좌석|노선)"
    r"|째|씩|이나(?! ?[\d일])|이상|정도|가량|넘|만에|꼴|(?:으로|에|을)? ?(?:가는 |오는 )?버스)"
)
_TIMES = re.compile(  # how often it was done, and no number called
    "번(?:[이도]나?|은|을|만)? ?"
    "(?:넘|걸[었려린]|하[고며는자여]|했|해|받|왔|오[고는]|울[렸리려]|들어|시도|반복|이상|정도|가량|접수|이뤄|있[었다는]|"
    "전화|문의|신고|상담|통화|출동|방문|연락)"
)
_PLATES = "가나다라마거너더러머버서어저고노도로모보소오조구누두루무부수우주아바사자하허호배"  # letters of number plates
_REGIONS = "서울|부산|대구|인천|광주|대전|울산|세종|경기|강원|충북|충남|전북|전남|경북|경남|제주"  # before older plates
_GENERATION = r"(?= ?(?:세대|여성|남성|청년|직장인|남녀|고객|소비자|유권자|싱글)(?![가-힣]{3}))"
CODES = (
    TextRule(
        "plate",
        re.compile(
            rf"{HEAD}(?<![A-Za-z-])(?P<n>\d{{3}}[{_PLATES}] ?\d{{4}}|\d{{2}}[{_PLATES}]\d{{4}}"
            rf"|(?:(?<={_REGIONS})|(?<=(?:{_REGIONS}) ))\d{{2}}[{_PLATES}] \d{{4}})"
            rf"(?![\d-]|[.,]\d| ?(?:[십백천만억조]|(?:{COUNTER}){AFTER}))"
        ),
        plate,
    ),
    TextRule("generation", re.compile(rf"{HEAD}(?:(?:[1-7]0){{2}}|[2-8]86){_GENERATION}"), digits),
    TextRule("verse", re.compile(rf"({any_of(BOOKS)}) ?(\d{{1,3}}):(\d{{1,3}})"), verse),
    TextRule(
        "telephone",
        re.compile(rf"(?<![\d+])\+\d{{1,3}}{_SEP}\(?\d{{1,4}}\)?(?:{_SEP}\d{{2,4}}){{1,3}}(?![\d-])"),
        telephone,
    ),
    TextRule(
        "telephone",
        re.compile(rf"(?<![\d.-])\(?{AREA_CODES}(?:\) ?|{_SEP})\d{{3,4}}{_SEP}\d{{4}}(?![\d-])"),
        telephone,
    ),
    TextRule(
        "telephone",
        re.compile(r"(?<![\d.-])(?:\(\d{3}\)[ -]?|\d{3}[.-])\d{3}[.-]\d{4}(?![\d-])"),
        telephone,
    ),
    TextRule("telephone", re.compile(rf"{HEAD}1[5-9]\d\d-\d{{4}}(?![\d-])"), telephone),
    TextRule("telephone", re.compile(rf"{HEAD}01[016789]\d{{7,8}}(?!\d)"), mobile),
    TextRule(
        "telephone",
        re.compile(
            r"(?:(?<=전화)|(?<=전화번호)|(?<=연락처)|(?<=팩스)|(?<=문의)|(?<=☎)|(?<=[Tt]el)|(?<=TEL)|(?<=[Ff]ax)|(?<=FAX))"
            r"(?P<mid>[은는.:]{0,2} ?)(?P<n>[2-9]\d{2,3}-\d{4})(?![\d-])"
        ),
        local,
    ),
    TextRule(
        "telephone",
        re.compile(rf"{_NO_AMOUNT}(?P<n>(?:{_ALL})(?:(?:, ?|[·/]| (?:및|또는|혹은) )(?:{_ALL})){{1,9}}){_NOT_COUNTED}"),
        listed,
    ),
    TextRule(
        "telephone",
        re.compile(
            rf"{HEAD}(?P<n>119|112|114)"
            "(?= ?(?:에 |로 |에$|로$|신고|구급|구조|소방|상황실|안전|전화|대원|치안|안내|번으?로)|$)"
        ),
        dialled,
    ),
    TextRule(
        "telephone",
        re.compile(
            rf"{_NO_AMOUNT}(?P<n>11[29])(?:(?=(?:을|를|이|가|은|는|과|와|나|의|도|에서|에도|에게|라고|라는|입니다|이다|였다|번|야|요|죠|지요"
            r"|예요|인데요?|인가요?|인지|거든요?|입니까|로|에)(?![가-힣])| (?:좀 )?(?:불러|부르|부를|불렀|신고|빨리))"
            rf"|(?=[.!?)\"'”’](?!\d))|$){_NOT_COUNTED}"
        ),
        dialled,
    ),
    TextRule(  # 화재는 119, 범죄는 112로
        "telephone",
        re.compile(
            rf"{_NO_AMOUNT}(?P<n>11[29])"
            rf"(?=[,·;] ?[^\d.,·;]{{1,20}}(?:11[29](?!\d| ?(?:{COUNTER}))|일일[이구](?![가-힣]{{3}})))"
        ),
        dialled,
    ),
    TextRule(
        "telephone",
        re.compile(
            r"(?P<cue>(?:콜 ?센터|전화|상담|신고|문의|안내|핫라인|다이얼|긴급|국번 ?없이|대표번호)"
            r"(?:[은는]|번호)?[ :☎]{1,3})"
            rf"(?P<n>{_ALL}){_NOT_COUNTED}"
        ),
        dialled,
    ),
    TextRule(
        "telephone",
        re.compile(rf"{_NO_AMOUNT}(?P<n>{_ALL})(?=(?:번)?(?:으로|로|에) ?(?:긴급 )?(?:전화|문의|신고|연락|상담))"),
        dialled,
    ),
    TextRule("telephone", re.compile(rf"{_NO_AMOUNT}(?P<n>{_ALL})(?=번)"), service),
    TextRule("code", re.compile(r"(?<=IS[BS]N[ :])\d{1,7}(?:-\d{1,7}){1,4}(?:-?X)?(?![\d-])"), digits),
    TextRule("code", re.compile(r"(?<![\w-])\d(?:-\d){2,4}(?![\w-])"), figures),
    TextRule("code", re.compile(r"(?<![\w-])([1-9]0)-\1(?= ?클럽)"), figures),  # 30-30 클럽
    TextRule("code", re.compile(r"(?<![\d-])\d{2,6}(?:-\d{2,7}){2,4}(?![\d-])"), digits),
    TextRule(
        "code",
        re.compile(
            rf"(?P<cue>{any_of(CODED)})(?P<mid>[은는이가:]{{0,2}} [\[('\"]?)?"
            r"(?P<n>\d{3,20}+(?:[ -]\d{2,8}+){0,4}+)"
            rf"(?![\d,.]\d| ?(?:번|호|개|명|원|만|억)|[가-힣]{{1,3}}\d){PARTICLE}"  # 2024고합123 of a court
        ),
        code,
    ),
    TextRule(
        "code",
        re.compile(
            rf"(?P<cue>(?:{_SECRETS})[은는이가:]{{0,2}} ?)(?P<letters>[A-Za-z]{{1,20}})"
            r"(?P<n>\d{2,20})(?![\dA-Za-z@.])"
        ),
        secret,
    ),
    TextRule("code", re.compile(r"(?<![\d-])\d{6}-\d{7}(?![\d-])"), digits),
)
