"""Rules for what spans several numbers: dates, times, telephones and codes, scores and ranges."""

import re

from curate.text.korean import amounts, dates
from curate.text.korean import ranges as signs
from curate.text.korean.loanwords import BOOKS
from curate.text.korean.numbers import one_by_one, sino
from curate.text.korean.patterns import COUNTER, NOT_SCORE, PARTICLE, RATIOS, SCORED, SEP, TILDE, UNIT, WEEK, WON, B, N
from curate.text.korean.tables import AREA_CODES
from curate.text.korean.tables import CODES as CUES
from curate.text.rules import HEAD, NUMBER, Rule, any_of

DATES = (
    Rule(
        "date",
        re.compile(
            rf"{HEAD}(?P<year>\d{{4}})(?P<mark>[./-]) ?(?P<month>\d{{1,2}})(?P=mark) ?(?P<day>\d{{1,2}})"
            rf"(?!\d|-\d)(?:\.(?=\(|,| ?{TILDE}| ?[가-힣]))?{WEEK}"
        ),
        dates.date,
    ),
    Rule(
        "date",
        re.compile(rf"{HEAD}(?P<month>\d{{1,2}})/(?P<swaps>(?P<day>\d{{1,2}}))/(?P<year>\d{{4}})(?![\d/]){WEEK}"),
        dates.date,
    ),
    Rule(
        "date",
        re.compile(
            rf"(?<![A-Za-z전] )(?<![\dA-Za-z.])['‘’]?(?P<year>\d\d)\. ?(?P<month>\d{{1,2}})\. ?(?P<day>\d{{1,2}})"
            rf"(?!\d|[.,]\d|[%A-Za-z])(?:\.(?=\(|,| ?{TILDE}| [가-힣]))?{WEEK}"
        ),
        dates.date,
    ),
    Rule(
        "date",
        re.compile(r"(?<![\d.,/-])(?P<year>(?:19|20)\d\d)\. ?(?P<month>1[0-2]|0?[1-9])\.(?! ?\d)"),
        dates.month_of_year,
    ),
    Rule(
        "date",
        re.compile(r"(?<![\d/.])(?P<month>\d{1,2})[./](?P<day>\d{1,2})\((?P<week>[월화수목금토일])\)"),
        dates.date,
    ),
    Rule(
        "date",
        re.compile(
            r"(?:(?<=오는 )|(?<=지난 )|(?<=올해 )|(?<=내년 )|(?<=작년 )|(?<=다음 달 ))"
            r"(?P<month>\d{1,2})/(?P<day>\d{1,2})(?![\d/])|(?<![\d/.])(?<!의 )(?P<month2>\d{1,2})/(?P<day2>\d{1,2})"
            r"(?= ?(?:까지|부터|일정|마감|개봉|출시|개강|오전|오후|예정))"
        ),
        dates.day_of_year,
    ),
    Rule(
        "date",
        re.compile(r"(?<![\d.,/-])(?P<year>(?:19|20)\d\d)[./-](?P<month>0[1-9]|1[0-2])(?![\d%]|[./,-]\d|[A-Za-z])"),
        dates.month_of_year,
    ),
    Rule(
        "date",
        re.compile(
            r"(?<![\d.,])(?<![\d.] )(?P<month>\d{1,2})(?:\. (?P<day>\d{1,2})\.?|\.(?P<day2>\d{1,2})\.)(?P<month2>)"
            r"(?= ?(?:까지|부터|자(?![가-힣]|로)|에(?![가-힣])|에는|마감))"
        ),
        dates.day_of_year,
    ),
    Rule("year", re.compile(r"['‘’](?=\d\d ?(?:년|학번))"), amounts.nothing),
    Rule(
        "from",
        re.compile(rf"(?P<day>\d{{1,2}}월 ?\d{{1,2}}일){WEEK} ?{TILDE} ?(?=\d{{1,4}} ?[년월일])"),
        dates.from_day,
    ),
    Rule(
        "from",
        re.compile(rf"(?P<before>\d{{1,2}}월 ?)(?P<a>\d{{1,2}}) ?{TILDE} ?(?=\d{{1,2}} ?일)"),
        dates.from_number,
    ),
    Rule("from", re.compile(rf"{HEAD}(?P<before>)(?P<a>\d{{2,4}}) ?{TILDE} ?(?=\d{{2,4}} ?년대)"), dates.from_number),
    Rule("weekday", re.compile(r"(?<=\d일)(?=[월화수목금토일]요일)"), lambda match: " "),
    Rule("weekday", re.compile(rf"(?<=일)\(([월화수목금토일])(?:{TILDE}([월화수목금토일]))?\)"), dates.weekday),
    Rule("score", re.compile(rf"{HEAD}(?<!:)(?P<a>\d{{1,3}}) ?: ?(?P<b>\d{{1,3}})(?![\d:]){WON}"), signs.score),
    Rule(
        "score",
        re.compile(
            rf"(?P<before>(?:{RATIOS})(?:[은는이가도]|[이가] 약)? ?)(?P<a>\d{{1,4}}) ?[:-] ?"
            r"(?P<b>\d{1,3}(?:,\d{3})+|\d{1,7})(?![\d:-]|\.\d)"
        ),
        signs.score,
    ),
    Rule(
        "score",
        re.compile(rf"{HEAD}(?<!:)(?P<a>\d{{1,4}}) ?: ?(?P<b>\d{{1,3}}(?:,\d{{3}})+|\d{{4,7}})(?![\d:]|\.\d)"),
        signs.score,
    ),
    Rule("score", re.compile(rf"{HEAD}(?<!:)\d{{1,3}}(?: ?: ?\d{{1,3}}){{2,5}}+(?![\d:])"), signs.ratios),
    Rule(
        "duration",
        re.compile(
            rf"{HEAD}(?P<h>\d{{1,2}}):(?P<m>\d\d):(?P<s>\d\d)"
            r"(?=(?:의|로|만에|이라는)? ?(?:기록|완주|골인|우승|주파|만에))"
        ),
        dates.duration,
    ),
    Rule(
        "time",
        re.compile(
            rf"(?P<before>\b[AaPp]\.?[Mm]\.? ?)?{HEAD}(?<!:)(?P<h>\d{{1,2}}):(?P<m>\d\d)(?::(?P<s>\d\d))?(?![\d:])"
            r"(?: ?분(?=[에부까쯤경정 ,.)~]|$))?(?![가-힣]{2}기)(?: ?(?P<after>[ap]\.m\.|[AaPp][Mm](?![A-Za-z])))?"
        ),
        dates.time,
    ),
    Rule("time", re.compile(r"(?<![A-Za-z])(?P<period>[AP]M) ?(?=\d{1,2} ?시(?!간))"), dates.period),
    Rule("time", re.compile(rf"{HEAD}(?P<h>\d{{1,2}}) ?(?P<after>[AaPp][Mm])(?![A-Za-z])"), dates.half_day),
    Rule(
        "half",
        re.compile(r"(?<=\d)( ?(?:시간|시|달|년|개월|살|되|말|마리|바퀴))반(?![가-힣])"),
        lambda match: match[1] + " 반",
    ),
    Rule("verse", re.compile(rf"({any_of(BOOKS)}) ?(\d{{1,3}}):(\d{{1,3}})"), dates.verse),
)

CODES = (
    Rule(
        "telephone",
        re.compile(rf"(?<![\d+])\+\d{{1,3}}{SEP}\(?\d{{1,4}}\)?(?:{SEP}\d{{2,4}}){{1,3}}(?![\d-])"),
        dates.telephone,
    ),
    Rule(
        "telephone",
        re.compile(rf"(?<![\d.-])\(?{AREA_CODES}(?:\) ?|{SEP})\d{{3,4}}{SEP}\d{{4}}(?![\d-])"),
        dates.telephone,
    ),
    Rule(
        "telephone",
        re.compile(r"(?<![\d.-])(?:\(\d{3}\)[ -]?|\d{3}[.-])\d{3}[.-]\d{4}(?![\d-])"),
        dates.telephone,
    ),
    Rule("telephone", re.compile(rf"{HEAD}1[5-9]\d\d-\d{{4}}(?![\d-])"), dates.telephone),
    Rule("telephone", re.compile(rf"{HEAD}01[016789]\d{{7,8}}(?!\d)"), dates.mobile),
    Rule(
        "telephone",
        re.compile(
            rf"{HEAD}(?:119|112|114)"
            "(?= ?(?:에 |로 |에$|로$|신고|구급|구조|소방|상황실|안전|전화|대원|치안|안내|번으?로)|$)"
        ),
        lambda match: one_by_one(match.group()),
    ),
    Rule("code", re.compile(r"(?<![\d-])\d{2,6}(?:-\d{2,7}){2,4}(?![\d-])"), dates.digits),
    Rule(
        "code",
        re.compile(
            rf"(?P<cue>{any_of(CUES)})(?P<mid>[은는이가:]{{0,2}} )?(?P<n>\d{{3,20}}(?:[ -]\d{{2,8}}){{0,4}})"
            rf"(?![\d,.]\d| ?(?:번|호|개|명|원|만|억)){PARTICLE}"
        ),
        dates.code,
    ),
    Rule("code", re.compile(r"(?<![\d-])\d{6}-\d{7}(?![\d-])"), dates.digits),
)

BETWEEN = (
    Rule("page", re.compile(r"(?<![A-Za-z])pp?\. ?(\d{1,4}) ?[-–] ?(?=\d{1,4}(?![\d-]))"), dates.first_page),
    Rule("page", re.compile(r"(?<![A-Za-z])pp?\. ?(?=\d)"), lambda match: "페이지 "),
    Rule("set", re.compile(rf"{HEAD}([1-7]) ?(?=세트 ?\d{{1,3}}[-:])"), lambda match: f"{sino(match[1])} "),
    Rule(
        "score",
        re.compile(rf"{HEAD}(?<!:)(?P<a>\d{{1,4}}(?:\.\d{{1,4}})?) ?: ?(?P<b>\d{{1,4}}\.\d{{1,4}})(?![\d:.])"),
        signs.score,
    ),
    Rule(
        "score",
        re.compile(rf"{HEAD}(?<!:)(?P<a>\d{{1,4}}\.\d{{1,4}}) ?: ?(?P<b>\d{{1,4}})(?![\d:]|\.\d)"),
        signs.score,
    ),
    Rule("score", re.compile(rf"{HEAD}(?<!:)(?P<a>\d{{1,3}}) ?: ?(?P<b>\d{{1,3}})(?![\d:])"), signs.score),
    Rule(
        "score",
        re.compile(rf"{HEAD}(?P<a>\d{{1,3}}) ?대 ?(?P<b>\d{{1,3}})(?=[^\d가-힣,.]|$|로|으로|의|{WON}| ?[승패무역])"),
        signs.score,
    ),
    Rule("minus", re.compile(rf"{N} ?[-−] ?(?=\d++(?:[.,]\d++)*+ ?=)"), signs.minus_sign),
    Rule(
        "score",
        re.compile(rf"(?P<before>(?:{SCORED}) ?)(?P<a>\d{{1,3}})-(?P<b>\d{{1,3}})(?![\d-]| ?(?:{NOT_SCORE}))"),
        signs.score,
    ),
    Rule(
        "score",
        re.compile(
            rf"{HEAD}(?<!-)(?P<a>\d{{1,3}})-(?P<b>\d{{1,3}})(?![\d-])"
            rf"(?:(?=(?:, ?\d{{1,3}}-\d{{1,3}}){{1,6}}{WON})|{WON})"
        ),
        signs.score,
    ),
    Rule(
        "range",
        re.compile(rf"(?<![A-Za-z-])(?P<a>{NUMBER}) ?{TILDE}(?P<dash>) ?{B}(?P<gap> ?)(?P<counter>{COUNTER})?"),
        signs.number_range,
    ),
    Rule(
        "range",
        re.compile(
            rf"(?<![A-Za-z-])(?P<a>{NUMBER})(?P<dash>[-–]){B}(?P<gap> ?)"
            rf"(?P<counter>(?!번지|동|호){COUNTER}|%|{UNIT})"
        ),
        signs.number_range,
    ),
    Rule("range", re.compile(rf"(?P<before>\d[가-힣%]{{0,3}}) ?{TILDE} ?(?=[\d가-힣])"), signs.from_to),
    Rule(
        "range",
        re.compile(
            rf"(?<=[가-힣A-Za-z])(?<![요다네야아어지죠]) ?{TILDE} ?(?=\d)"
            rf"|(?<=[가-힣A-Za-z])(?<![요다네야아어지죠]){TILDE}(?=[가-힣A-Za-z])"
        ),
        signs.from_to,
    ),
    Rule(
        "range",
        re.compile(
            rf"(?<=\d) ?{TILDE} ?(?=[₩$€£¥])|(?<=[년월일시분])[-–](?=\d)|(?<=[시분])[-–](?=[가-힣])"
            rf"|(?<=[년월일시분초]) ?{TILDE} ?(?=[가-힣])"
        ),
        signs.from_to,
    ),
    Rule("arrow", re.compile(r"(?<=[가-힣A-Za-z\d%]) ?(?:→|⇒|➜|->|=>) ?(?=[가-힣A-Za-z\d])"), signs.from_to),
    Rule("hyphen", re.compile(rf"{HEAD}(?<![A-Za-z-])(\d++)-(\d++)(?![.,]\d|-)"), signs.hyphen),
)
