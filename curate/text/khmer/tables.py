"""Khmer words for months, money, units, letters, signs and Latin words, and what is written for them.

Names of units, currencies and signs: google/language-resources km/textnorm (Apache-2.0), written without inner spaces.
"""

MONTHS = ("មករា", "កុម្ភៈ", "មីនា", "មេសា", "ឧសភា", "មិថុនា", "កក្កដា", "សីហា", "កញ្ញា", "តុលា", "វិច្ឆិកា", "ធ្នូ")
MONTH_NAMES = (*MONTHS, "មិនា", "កុម្ភះ")  # two spellings that are met besides
_ENGLISH_MONTHS = "January February March April May June July August September October November December"
ENGLISH_MONTHS = {
    name: number for number, month in enumerate(_ENGLISH_MONTHS.split(), start=1) for name in (month, month[:3])
}
_COUNTED = (  # behind a number that officials write with a zero: ០៣នាក់ is three people
    "វិនាទី នាទី ម៉ោង ថ្ងៃ យប់ សប្តាហ៍ ខែ ឆ្នាំ នាក់ រូប អង្គ គ្រួសារ គ្រឿង គ្រាប់ ក្បាល ដើម កញ្ចប់ ខ្នង ច្បាប់ សន្លឹក លើក ដង ករណី "
    "កន្លែង ចំណុច ប្រភេទ គូ ឈុត ភូមិ ឃុំ សង្កាត់ ស្រុក ខណ្ឌ ក្រុង ខេត្ត គីឡូក្រាម គីឡូម៉ែត្រ គីឡូ ម៉ែត្រ លីត្រ តោន ហិកតា ដុំ ថង់ ដប កេស "
    "សាលា បន្ទប់ ជាន់ ផ្នែក ក្រុម"
)
COUNTED = tuple(_COUNTED.split())
WEEKDAYS = {  # Google's abbreviations, with a dot
    "ច": "ចន្ទ", "អ": "អង្គារ", "ពុ": "ពុធ", "ព្រ": "ព្រហស្បតិ៍", "សុ": "សុក្រ", "ស": "សៅរ៍", "អា": "អាទិត្យ",
}  # fmt: skip

_DOLLAR, _US = "ដុល្លារ", "ដុល្លារអាមេរិក"
RIEL = "រៀល"  # no hundredth is in use: 25.5 is read as a decimal
MONEY = {  # sign or code -> (name, hundredth)
    "$": (_DOLLAR, "សេន"),
    "US$": (_US, "សេន"),
    "USD": (_US, "សេន"),
    "$US": (_US, "សេន"),
    "A$": ("ដុល្លារអូស្ត្រាលី", "សេន"),
    "AU$": ("ដុល្លារអូស្ត្រាលី", "សេន"),
    "AUD": ("ដុល្លារអូស្ត្រាលី", "សេន"),
    "C$": ("ដុល្លារកាណាដា", "សេន"),
    "CAD": ("ដុល្លារកាណាដា", "សេន"),
    "S$": ("ដុល្លារសិង្ហបុរី", "សេន"),
    "SGD": ("ដុល្លារសិង្ហបុរី", "សេន"),
    "HK$": ("ដុល្លារហុងកុង", "សេន"),
    "HKD": ("ដុល្លារហុងកុង", "សេន"),
    "៛": (RIEL, "សេន"),
    "KHR": (RIEL, "សេន"),
    "€": ("អឺរ៉ូ", "សេន"),
    "EUR": ("អឺរ៉ូ", "សេន"),
    "£": ("ផោន", "ផិននី"),
    "GBP": ("ផោន", "ផិននី"),
    "฿": ("បាត", "សាតាំង"),
    "THB": ("បាត", "សាតាំង"),
    "¥": ("យ៉េន", "សេន"),
    "JPY": ("យ៉េន", "សេន"),
    "CNY": ("យ៉ន់", "សេន"),
    "RMB": ("យ៉ន់", "សេន"),
    "元": ("យ៉ន់", "សេន"),
    "₩": ("វ៉ុន", "ជុន"),
    "KRW": ("វ៉ុន", "ជុន"),
    "₫": ("ដុង", "ហៅ"),
    "VND": ("ដុង", "ហៅ"),
    "₭": ("គីប", "អាត"),
    "LAK": ("គីប", "អាត"),
    "CHF": ("ហ្វ្រង់ស្វីស", "រ៉ាផិន"),
    "₹": ("រូពីឥណ្ឌា", "ប៉ៃសា"),
    "INR": ("រូពីឥណ្ឌា", "ប៉ៃសា"),
    "IDR": ("រូពីឥណ្ឌូនេស៊ី", "សេន"),
    "MYR": ("រីងហ្គីតម៉ាឡេស៊ី", "សេន"),
    "RM": ("រីងហ្គីតម៉ាឡេស៊ី", "សេន"),
    "MMK": ("ក្យាត", ""),
    "₱": ("ប៉េសូហ្វីលីពីន", "សេនតាវ៉ូ"),
    "PHP": ("ប៉េសូហ្វីលីពីន", "សេនតាវ៉ូ"),
    "₽": ("រូប្លិ៍", "កូពិក"),
}
MONEY_WORDS = {  # written in English or Khmer behind the number -> (name, hundredth)
    "riels": MONEY["៛"], "riel": MONEY["៛"],
    "dollars": MONEY["$"], "dollar": MONEY["$"], "bucks": MONEY["$"],
    "cents": ("សេន", ""), "cent": ("សេន", ""), "¢": ("សេន", ""),
    "baht": MONEY["฿"], "euros": MONEY["€"], "euro": MONEY["€"], "pounds": MONEY["£"], "pound": MONEY["£"],
    "yen": MONEY["¥"], "yuan": MONEY["元"], "won": MONEY["₩"], "dong": MONEY["₫"], "kip": MONEY["₭"],
    "ដុល្លារអាមេរិក": MONEY["US$"], "ដុល្លារ អាមេរិក": MONEY["US$"], "យ៉េនជប៉ុន": ("យ៉េនជប៉ុន", "សេន"),
    "យ៉េន ជប៉ុន": ("យ៉េនជប៉ុន", "សេន"), "ដុល្លារ": MONEY["$"], "អឺរ៉ូ": MONEY["€"], "ផោន": MONEY["£"], "បាត": MONEY["฿"],
    "យ៉េន": MONEY["¥"],
}  # fmt: skip
QUANTITIES = {  # between the number and the currency
    **{word: word for word in ("រយ", "ពាន់", "ម៉ឺន", "សែន", "លាន", "កោដិ", "ប៊ីលាន", "ទ្រីលាន", "ពាន់លាន")},
    "thousand": "ពាន់", "million": "លាន", "billion": "ប៊ីលាន", "trillion": "ទ្រីលាន",
    "k": "ពាន់", "K": "ពាន់", "M": "លាន", "mn": "លាន", "B": "ប៊ីលាន", "bn": "ប៊ីលាន", "T": "ទ្រីលាន",
}  # fmt: skip

_KILO, _MEGA, _GIGA, _TERA, _MILLI, _MICRO = "គីឡូ", "មេហ្គា", "ជីហ្គា", "តេរ៉ា", "មីល្លី", "ម៉ៃក្រូ"
_SMALL = {"": "", "c": "សង់ទី", "m": _MILLI, "d": "ដេស៊ី", "µ": _MICRO, "n": "ណាណូ"}
_METRIC = {**_SMALL, "k": _KILO, "K": _KILO, "h": "ហិកតូ"}
_LARGE = {"": "", "k": _KILO, "K": _KILO, "M": _MEGA, "G": _GIGA, "T": _TERA}
_BYTES = {**_LARGE, "P": "ពែតា"}
_NAMES = {  # unit -> (word, prefixes)
    "m": ("ម៉ែត្រ", _METRIC), "g": ("ក្រាម", _METRIC), "l": ("លីត្រ", _METRIC), "L": ("លីត្រ", _METRIC),
    "Hz": ("អ៊ែក្ស", _LARGE), "W": ("វ៉ាត់", {**_LARGE, "m": _MILLI}), "Wh": ("វ៉ាត់ម៉ោង", _LARGE),
    "V": ("វ៉ុល", {"": "", "k": _KILO, "m": _MILLI}), "Pa": ("ប៉ាស្កាល់", {**_LARGE, "h": "ហិកតូ"}),
    "cal": ("កាឡូរី", {"": "", "k": _KILO, "K": _KILO}), "J": ("ស៊ូល", _LARGE), "N": ("ញ៉ូតុន", _LARGE),
    "A": ("អំពែរ", {"": "", "m": _MILLI, "k": _KILO}), "Ah": ("អំពែរម៉ោង", {"": "", "m": _MILLI}),
    "Ω": ("អូម", _LARGE), "eV": ("អេឡិចត្រុងវ៉ុល", _LARGE), "mol": ("ម៉ូល", {"": "", "m": _MILLI}),
    "B": ("បៃ", _BYTES), "b": ("ប៊ីត", {key: word for key, word in _BYTES.items() if key}),
    "bps": ("ប៊ីតក្នុងមួយវិនាទី", _BYTES), "s": ("វិនាទី", {"m": _MILLI, "µ": _MICRO, "n": "ណាណូ"}),
    "F": ("ហ្វារ៉ាដ", {"µ": _MICRO, "n": "ណាណូ"}),
}  # fmt: skip
_LONE = {"K": "កែលវិន", "B": "បៃ", "N": "ញ៉ូតុន", "J": "ស៊ូល", "A": "អំពែរ", "s": "វិនាទី"}  # read as units only behind a space
_WORDS = {  # English words, singular and plural
    "meter": "ម៉ែត្រ", "metre": "ម៉ែត្រ", "gram": "ក្រាម", "liter": "លីត្រ", "litre": "លីត្រ", "watt": "វ៉ាត់",
    "volt": "វ៉ុល", "hertz": "អ៊ែក្ស", "byte": "បៃ", "bit": "ប៊ីត", "second": "វិនាទី", "joule": "ស៊ូល",
    "pascal": "ប៉ាស្កាល់", "calorie": "កាឡូរី", "newton": "ញ៉ូតុន", "ampere": "អំពែរ",
}  # fmt: skip
_PREFIX_WORDS = {
    "": "", "kilo": _KILO, "mega": _MEGA, "giga": _GIGA, "tera": _TERA, "hecto": "ហិកតូ", "deca": "ដេកា",
    "deci": "ដេស៊ី", "centi": "សង់ទី", "milli": _MILLI, "micro": _MICRO, "nano": "ណាណូ",
}  # fmt: skip
_OTHER_WORDS = {
    "minute": "នាទី", "hour": "ម៉ោង", "day": "ថ្ងៃ", "week": "សប្តាហ៍", "month": "ខែ", "year": "ឆ្នាំ", "inch": "អ៊ីញ",
    "foot": "ហ្វ៊ូត", "feet": "ហ្វ៊ូត", "yard": "យ៉ាត", "mile": "ម៉ាយល៍", "gallon": "ហ្គាឡុង", "ounce": "អោនស៍",
    "ton": "តោន", "tonne": "តោន", "hectare": "ហិកតារ", "knot": "ណត់", "horsepower": "សេស", "barrel": "បារ៉ែល",
    "pixel": "ភិកស៊ែល", "tablespoon": "ស្លាបព្រា", "teaspoon": "ស្លាបព្រាកាហ្វេ", "degree": "ដឺក្រេ", "percent": "ភាគរយ",
}  # fmt: skip
_ENGLISH = {prefix + name: before + word for prefix, before in _PREFIX_WORDS.items() for name, word in _WORDS.items()}
_SYMBOLS = {prefix + unit: before + name for unit, (name, by) in _NAMES.items() for prefix, before in by.items()}
_LENGTHS = {
    **{unit: _SYMBOLS[unit] for unit in ("m", "km", "cm", "mm", "dm")},
    "ft": "ហ្វ៊ូត", "in": "អ៊ីញ", "yd": "យ៉ាត", "mi": "ម៉ាយល៍", "Km": "គីឡូម៉ែត្រ", "KM": "គីឡូម៉ែត្រ",
}  # fmt: skip
UNITS = {
    **{unit: word for unit, word in _SYMBOLS.items() if unit not in _LONE},
    **{unit + power: word + suffix for unit, word in _LENGTHS.items()
       for power, suffix in (("²", "ការ៉េ"), ("2", "ការ៉េ"), ("³", "គូប"), ("3", "គូប"))},
    **{name + plural: word for name, word in (_ENGLISH | _OTHER_WORDS).items() for plural in ("", "s")},
    "inches": "អ៊ីញ", "sqm": "ម៉ែត្រការ៉េ", "sq.m": "ម៉ែត្រការ៉េ", "sqft": "ហ្វ៊ូតការ៉េ",
    "Kg": "គីឡូក្រាម", "KG": "គីឡូក្រាម", "kgs": "គីឡូក្រាម", "Km": "គីឡូម៉ែត្រ", "KM": "គីឡូម៉ែត្រ", "kms": "គីឡូម៉ែត្រ",
    "CM": "សង់ទីម៉ែត្រ", "MM": "មីល្លីម៉ែត្រ", "ML": "មីល្លីលីត្រ", "cc": "ស៊ីស៊ី", "CC": "ស៊ីស៊ី",
    "kmh": "គីឡូម៉ែត្រក្នុងមួយម៉ោង", "kph": "គីឡូម៉ែត្រក្នុងមួយម៉ោង", "kmph": "គីឡូម៉ែត្រក្នុងមួយម៉ោង",
    "mph": "ម៉ាយល៍ក្នុងមួយម៉ោង", "rpm": "ជុំក្នុងមួយនាទី",
    "%": "ភាគរយ", "‰": "ភាគពាន់", "°C": "អង្សាសេ", "℃": "អង្សាសេ", "ºC": "អង្សាសេ",
    "°F": "អង្សាហ្វារ៉ិនហៃ", "℉": "អង្សាហ្វារ៉ិនហៃ", "°K": "កែលវិន", "°": "ដឺក្រេ", "º": "ដឺក្រេ", "″": "អ៊ីញ", "′": "ហ្វ៊ូត",
    "ha": "ហិកតារ", "Ha": "ហិកតារ", "t": "តោន", "h": "ម៉ោង", "hr": "ម៉ោង", "hrs": "ម៉ោង", "min": "នាទី", "mins": "នាទី",
    "mn": "នាទី", "sec": "វិនាទី", "secs": "វិនាទី", "ft": "ហ្វ៊ូត", "yd": "យ៉ាត", "mi": "ម៉ាយល៍", "gal": "ហ្គាឡុង", "oz": "អោនស៍",
    "lb": "ផោន", "lbs": "ផោន", "hp": "សេស", "HP": "សេស", "dB": "ដេស៊ីប៊ែល", "px": "ភិកស៊ែល", "ly": "ឆ្នាំពន្លឺ",
    "bar": "បារ", "mmHg": "មីល្លីម៉ែត្របារត", "kn": "ណត់", "tsp": "ស្លាបព្រាកាហ្វេ", "tbsp": "ស្លាបព្រា", "bbl": "បារ៉ែល",
}  # fmt: skip
LONE_UNITS = _LONE
PER = {
    **UNITS,
    "s": "វិនាទី",
    "s²": "វិនាទីការ៉េ",
    "s2": "វិនាទីការ៉េ",
    "d": "ថ្ងៃ",
    "person": "នាក់",
    "night": "យប់",
}  # behind a slash
_KHMER_PER = (  # behind a slash: ៥$/ថ្ងៃ
    "វិនាទី នាទី ម៉ោង ថ្ងៃ យប់ ល្ងាច សប្តាហ៍ សប្តាហ៍ អាទិត្យ ខែ ត្រីមាស ឆមាស ឆ្នាំ នាក់ គ្រួសារ គីឡូក្រាម គីឡូម៉ែត្រ គីឡូ ម៉ែត្រ "
    "ក្រាម លីត្រ តោន ហិកតា ហិកតារ គ្រាប់ ដប កំប៉ុង កេស ប្រអប់ កញ្ចប់ ចាន កែវ លើក ដង វគ្គ មុខ ម៉ែត្រការ៉េ ដើម ក្បាល គូ ឈុត"
)
KHMER_PER = tuple(_KHMER_PER.split())
KHMER_UNITS = {  # written with or without dots
    "គក្រ": "គីឡូក្រាម",
    "គក": "គីឡូក្រាម",
    "គម": "គីឡូម៉ែត្រ",
    "មម": "មីលីម៉ែត្រ",
    "សម": "សង់ទីម៉ែត្រ",
    "ដម": "ដេស៊ីម៉ែត្រ",
    "មល": "មីលីលីត្រ",
    "សល": "សង់ទីលីត្រ",
    "ដល": "ដេស៊ីលីត្រ",
    "គល": "គីឡូលីត្រ",
    "សក": "សង់ទីក្រាម",
    "ដក": "ដេស៊ីក្រាម",
    "ហត": "ហិកតា",
    "ហិត": "ហិកតា",
    "ម៉ការ៉េ": "ម៉ែត្រការ៉េ",
    "មការ៉េ": "ម៉ែត្រការ៉េ",
    "ម៉": "ម៉ោង",
    "ម": "ម៉ែត្រ",
    "ក": "ក្រាម",
    "ល": "លីត្រ",
}
ONLY_DOTTED = ("សក", "ដក", "សល", "ដល", "គល", "ហត", "ហិត", "ម៉ការ៉េ", "មការ៉េ")  # without dots they are words of their own
ERAS = {"ព.ស": "ពុទ្ធសករាជ", "គ.ស": "គ្រិស្តសករាជ", "ម.ស": "មហាសករាជ", "ច.ស": "ចុល្លសករាជ"}
ABBREVIATIONS = {  # written with dots between the letters
    "អ.ស.ប": "អង្គការសហប្រជាជាតិ",
    "ស.រ.អ": "សហរដ្ឋអាមេរិក",
    "គ.ជ.ប": "គណៈកម្មាធិការជាតិរៀបចំការបោះឆ្នោត",
    "ប.ស.ស": "បេឡាជាតិសន្តិសុខសង្គម",
    "ម.គ.ស": "មុនគ្រិស្តសករាជ",
    "ម.គ": "មុនគ្រិស្តសករាជ",
    "ម.ក": "មុនគ្រិស្តកាល",
    "ឯ.ឧ": "ឯកឧត្តម",
    "ល.ជ.ទ": "លោកជំទាវ",
    "ល.រ": "លេខរៀង",
    "ស.វ": "សតវត្ស",
    "ហិ.ត": "ហិកតា",  # without a figure before it; behind one it is a unit
    "គ.ម": "គីឡូម៉ែត្រ",
    "គ.ក": "គីឡូក្រាម",
    "ភ.ព": "ភ្នំពេញ",
}
LUNAR = ("កើត", "រោច")  # U+19E0-19EF waxing days, U+19F0-19FF waning days
LEAP_MONTHS = {"\u19e0": "បឋមាសាឍ", "\u19f0": "ទុតិយាសាឍ"}

# Words before the number of an account, of a document, and before a code that is kept secret.
ACCOUNTS = ("គណនី", "គណនេយ្យធនាគារ")
DOCUMENTS_NAMED = (
    "អត្តសញ្ញាណប័ណ្ណ", "អត្តសញ្ញាណបណ្ណ", "អត្តសញ្ញាណ", "លិខិតឆ្លងដែន", "ប៉ាស្ព័រ", "សម្គាល់", "សំគាល់", "ពន្ធ", "វិក្កយបត្រ",
    "វិក័យប័ត្រ", "បង្កាន់ដៃ", "ប្រតិបត្តិការ", "ប្រតិបត្ដិការ", "កាត", "ប័ណ្ណ", "បណ្ណ", "ឆេក", "សែក", "សៀវភៅគ្រួសារ", "សៀវភៅស្នាក់នៅ",
    "សំបុត្រកំណើត", "អាជ្ញាប័ណ្ណ", "អាជ្ញាបណ្ណ", "ស៊េរី", "សេរី", "សមាជិក", "យោង", "បញ្ជាទិញ", "សំបុត្រ", "តួម៉ាស៊ីន", "កញ្ចប់",
)  # fmt: skip
SECRETS = ("កូដ", "សម្ងាត់", "សំងាត់", "OTP", "PIN")

_LETTERS = "អេ ប៊ី ស៊ី ឌី អ៊ី អេហ្វ ជី អេច អាយ ជេ ខេ អិល អិម អិន អូ ភី ឃ្យូ អរ អេស ធី យូ វី ដាប់ប៊លយូ អិច វ៉ាយ ហ្សេត"
LETTERS = dict(zip("ABCDEFGHIJKLMNOPQRSTUVWXYZ", _LETTERS.split(), strict=True))
_GREEK = (
    "អាល់ហ្វា បេតា ហ្គាម៉ា ដែលតា អ៊ែបស៊ីឡុន ហ្ស៊ែតា អេតា តែតតា អាយអូតា កាបប៉ា ឡាំដា មុយ នុយ "
    "ស៊ី អូម៉ៃក្រុន ផាយ រ៉ូ ស៊ិចម៉ា តៅ អាប់ស៊ីឡុន ហ្វ៊ី ឈី ស៊ី អូមេហ្គា"
)
GREEK = dict(zip("αβγδεζηθικλμνξοπρστυφχψω", _GREEK.split(), strict=True))
KEYS = {"#": "ទ្រុងជ្រូក", "*": "ផ្កាយ"}  # of a telephone
SYMBOLS = {
    "&": "និង",
    "+": "បូក",
    "=": "ស្មើ",
    "×": "គុណនឹង",
    "÷": "ចែកនឹង",
    "±": "បូកឬដក",
    "%": "ភាគរយ",
    "‰": "ភាគពាន់",
    "$": "ដុល្លារ",
    "៛": "រៀល",
    "€": "អឺរ៉ូ",
    "£": "ផោន",
    "¥": "យ៉េន",
    "฿": "បាត",
    "°": "ដឺក្រេ",
    "@": "អ៊ែត",
    "−": "ដក",
    "µ": "មីក្រូ",
    "∞": "អនន្ត",
    "√": "ឫសការ៉េនៃ",
    "≈": "ប្រហែល",
    "≠": "មិនស្មើ",
    "≤": "តូចជាងឬស្មើ",
    "≥": "ធំជាងឬស្មើ",
    "²": "ការ៉េ",
    "³": "គូប",
    "™": "ធីអិម",
    "®": "អរ",
    "©": "កម្មសិទ្ធិបញ្ញា",
    **GREEK,
    **{letter.upper(): name for letter, name in GREEK.items()},
}

# Latin words that Khmer writes and says in its own letters; a word that is not here stays as it is and is reported.
# Brands, loans and abbreviations in the spelling that Cambodian news and the firms themselves use; made by hand.
ACRONYMS = {  # read as words
    "ASEAN": "អាស៊ាន", "COVID": "កូវីដ", "FIFA": "ហ្វីហ្វា", "NATO": "ណាតូ", "OPEC": "អូប៉ិក", "UNESCO": "យូណេស្កូ",
    "UNICEF": "យូនីសេហ្វ", "NASA": "ណាសា", "UEFA": "អ៊ុយអេហ្វា", "APEC": "អាប៉ិក", "AIDS": "អេដស៍", "SARS": "សាស",
    "SIM": "ស៊ីម", "PIN": "ភីន", "UNTAC": "អ៊ុនតាក់", "VAT": "វ៉ាត់", "RAM": "រ៉េម", "APSARA": "អប្សរា", "IKEA": "អាយគា",
    "SEA": "ស៊ី", "KHQR": "ខេអេចឃ្យូអរ",
}  # fmt: skip
TITLES = {"Mr": "លោក", "Mrs": "លោកស្រី", "Ms": "កញ្ញា", "Miss": "កញ្ញា", "Dr": "បណ្ឌិត", "Prof": "សាស្ត្រាចារ្យ"}
SHORTENED = {  # with or without a full stop
    "Tel": "ទូរស័ព្ទ", "tel": "ទូរស័ព្ទ", "TEL": "ទូរស័ព្ទ", "Fax": "ទូរសារ", "fax": "ទូរសារ", "Ltd": "អិលធីឌី", "Co": "ខូ",
    "Inc": "អ៊ីង", "Corp": "ខប", "etc": "និងអ្វីអ្វីផ្សេងទៀត",
}  # fmt: skip
_SPELLED = (  # said letter by letter even in small ones
    "usb gps tv atm pdf jpg jpeg png gif sms html css php sql http https url cpu gpu dvd cd pc id qr vpn lcd led "
    "ssd hdd ngo ceo faq diy dna doc docx xls xlsx ppt txt zip otp pin mp"
)
SPELLED = frozenset(_SPELLED.split())
CASED = {
    "sin": "ស៊ីនុស",
    "cos": "កូស៊ីនុស",
    "tan": "តង់សង់",
    "pH": "ភីអេច",
    "mRNA": "អិមអរអិនអេ",
    "PhD": "ភីអេចឌី",
    "IoT": "អាយអូធី",
    "eSIM": "អ៊ីស៊ីម",
}  # only so written
LOANS = {  # in small letters
    "facebook": "ហ្វេសប៊ុក", "messenger": "មេសសិនជ័រ", "telegram": "តេឡេក្រាម", "tiktok": "ធីកថុក", "youtube": "យូធូប",
    "google": "ហ្គូហ្គល", "instagram": "អ៊ីនស្តាក្រាម", "twitter": "ធ្វីតធ័រ", "whatsapp": "វ៉តសាប់", "zoom": "ហ្ស៊ូម",
    "yahoo": "យ៉ាហ៊ូ", "hotmail": "ហតម៉ែល", "gmail": "ជីម៉ែល", "linkedin": "លីងគីន", "netflix": "ណេតហ្វ្លិច",
    "amazon": "អាម៉ាហ្សូន", "alibaba": "អាលីបាបា", "microsoft": "ម៉ៃក្រូសូហ្វ", "windows": "វីនដូ", "android": "អានដ្រយ",
    "apple": "អេបផល", "iphone": "អាយហ្វូន", "ipad": "អាយផេដ", "samsung": "សាំសុង", "huawei": "ហួវ៉ី", "oppo": "អូប៉ូ",
    "vivo": "វីវ៉ូ", "nokia": "ណូគា", "sony": "សូនី", "lg": "អិលជី", "intel": "អ៊ីនធែល", "toyota": "តូយ៉ូតា", "honda": "ហុងដា",
    "suzuki": "ស៊ូហ្ស៊ូគី", "yamaha": "យ៉ាម៉ាហា", "hyundai": "ហ៊ីយ៉ាន់ដាយ", "kia": "គីអា", "ford": "ហ្វដ", "lexus": "ឡិចស៊ីស",
    "mercedes": "មែរសេដែស", "tesla": "តេស្លា", "boeing": "ប៊ូអ៊ីង", "airbus": "អ៊ែរប៊ឺស", "grab": "ហ្គ្រេប", "wing": "វីង",
    "smart": "ស្មាត", "metfone": "មិតហ្វូន", "cellcard": "សែលកាត", "acleda": "អេស៊ីលីដា", "visa": "វីសា",
    "canadia": "កាណាឌីយ៉ា",
    "mastercard": "ម៉ាស្ទ័រកាត", "coca-cola": "កូកាកូឡា", "pepsi": "ប៉ិបស៊ី", "starbucks": "ស្តាបាក់", "kfc": "ខេអេហ្វស៊ី",
    "internet": "អ៊ីនធឺណិត", "online": "អនឡាញ", "offline": "អហ្វឡាញ", "website": "វេបសាយ", "web": "វេប", "email": "អ៊ីមែល",
    "e-mail": "អ៊ីមែល", "wifi": "វ៉ាយហ្វាយ", "wi-fi": "វ៉ាយហ្វាយ", "k-pop": "ខេផប", "kpop": "ខេផប",
    "bluetooth": "ប្ល៊ូធូស", "computer": "កុំព្យូទ័រ",
    "laptop": "ឡេបថប", "smartphone": "ស្មាតហ្វូន", "phone": "ហ្វូន", "app": "អេប", "software": "សូហ្វវែរ",
    "hardware": "ហាតវែរ",
    "video": "វីដេអូ", "live": "ឡាយ", "page": "ផេក", "chat": "ឆាត", "link": "លីង", "server": "សឺវើ",
    "robot": "រ៉ូបូត",
    "camera": "កាមេរ៉ា", "radio": "រ៉ាឌីយ៉ូ", "bitcoin": "ប៊ីតខញ", "digital": "ឌីជីថល", "data": "ដាតា", "file": "ហ្វាល",
    "covid": "កូវីដ", "virus": "វីរុស", "vitamin": "វីតាមីន", "marketing": "ម៉ាឃីតធីង", "bank": "បេង", "taxi": "តាក់ស៊ី",
    "bus": "ប៊ូស", "tuktuk": "តុកតុក", "tuk-tuk": "តុកតុក", "hotel": "ហូតែល", "coffee": "ខហ្វី", "pizza": "ភីហ្សា",
    "hamburger": "ហាំប៊ឺហ្គឺ", "buffet": "ប៊ូហ្វេ", "club": "ក្លឹប", "concert": "ខនសឺត", "festival": "ហ្វេស្ទីវ៉ាល់",
    "game": "ហ្គេម", "games": "ហ្គេម", "inbox": "អ៊ីនបុក", "promotion": "ប្រូម៉ូសិន",
    "click": "ឃ្លិក", "menu": "មឺនុយ", "password": "ផាសវើដ", "update": "អាប់ដេត", "download": "ដោនឡូដ", "upload": "អាប់ឡូដ",
    "login": "ឡកអ៊ីន", "logout": "ឡកអៅ", "code": "កូដ", "user": "យូស័រ", "admin": "អាដមីន", "system": "ស៊ីស្ទឹម",
    "cloud": "ខ្លោដ", "chrome": "ក្រូម", "python": "ផាយថន", "java": "ចាវ៉ា", "linux": "លីនុច", "excel": "អ៊ិចសែល",
    "powerpoint": "ផៅវើផញ", "router": "រ៉ោទ័រ", "modem": "ម៉ូដែម", "charger": "ឆាជ័រ", "printer": "ព្រីនធ័រ",
    "scan": "ស្កេន", "scanner": "ស្កេនន័រ", "mouse": "ម៉ៅស៍", "keyboard": "ឃីបត", "monitor": "ម៉ូនីទ័រ",
    "screenshot": "ស្គ្រីនសត", "folder": "ហ្វូលដ័រ", "browser": "ប្រោស័រ", "blog": "ប្លុក", "podcast": "ផតខាស",
    "startup": "ស្តាតអាប់", "fintech": "ហ្វីនថិច", "crypto": "គ្រីបតូ", "blockchain": "ប្លុកឆេន", "tablet": "ថេប្លេត",
    "drone": "ដ្រូន", "yoga": "យូហ្គា", "check-in": "ឆែកអ៊ីន", "booking": "ប៊ុកឃីង", "delivery": "ដេលីវើរី",
    "ok": "អូខេ", "okay": "អូខេ", "vip": "វីអាយភី", "vs": "ទល់នឹង", "phnom": "ភ្នំ", "penh": "ពេញ", "siem": "សៀម",
    "reap": "រាប", "angkor": "អង្គរ", "wat": "វត្ត", "battambang": "បាត់ដំបង", "khmer": "ខ្មែរ",
}  # fmt: skip
PARTS_OF_ADDRESSES = {"com": "ខម", "net": "ណិត", **{name: LOANS[name] for name in (
    "google", "facebook", "linkedin", "twitter", "yahoo", "hotmail", "gmail", "youtube", "telegram", "tiktok", "khmer",
)}}  # fmt: skip
