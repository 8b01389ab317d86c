"""Latin words that Khmer writes and says in its own letters; a word that is not here stays as it is and is reported.

Brands, loans and abbreviations in the spelling that Cambodian news and the firms themselves use; made by hand.
"""

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
    "e-mail": "អ៊ីមែល", "wifi": "វ៉ាយហ្វាយ", "wi-fi": "វ៉ាយហ្វាយ", "bluetooth": "ប្ល៊ូធូស", "computer": "កុំព្យូទ័រ",
    "laptop": "ឡេបថប", "smartphone": "ស្មាតហ្វូន", "phone": "ហ្វូន", "app": "អេប", "software": "សូហ្វវែរ",
    "hardware": "ហាតវែរ",
    "video": "វីដេអូ", "live": "ឡាយ", "page": "ផេក", "chat": "ឆាត", "link": "លីង", "server": "សឺវើ",
    "robot": "រ៉ូបូត",
    "camera": "កាមេរ៉ា", "radio": "រ៉ាឌីយ៉ូ", "bitcoin": "ប៊ីតខញ", "digital": "ឌីជីថល", "data": "ដាតា", "file": "ហ្វាល",
    "covid": "កូវីដ", "virus": "វីរុស", "vitamin": "វីតាមីន", "marketing": "ម៉ាឃីតធីង", "bank": "បេង", "taxi": "តាក់ស៊ី",
    "bus": "ប៊ូស", "tuktuk": "តុកតុក", "tuk-tuk": "តុកតុក", "hotel": "ហូតែល", "coffee": "ខហ្វី", "pizza": "ភីហ្សា",
    "hamburger": "ហាំប៊ឺហ្គឺ", "buffet": "ប៊ូហ្វេ", "club": "ក្លឹប", "concert": "ខនសឺត", "festival": "ហ្វេស្ទីវ៉ាល់",
    "game": "ហ្គេម", "games": "ហ្គេម", "inbox": "អ៊ីនបុក", "promotion": "ប្រូម៉ូសិន",
    "ok": "អូខេ", "okay": "អូខេ", "vip": "វីអាយភី", "vs": "ទល់នឹង", "phnom": "ភ្នំ", "penh": "ពេញ", "siem": "សៀម",
    "reap": "រាប", "angkor": "អង្គរ", "wat": "វត្ត", "battambang": "បាត់ដំបង", "khmer": "ខ្មែរ",
}  # fmt: skip
PARTS_OF_ADDRESSES = {"com": "ខម", "net": "ណិត", **{name: LOANS[name] for name in (
    "google", "facebook", "linkedin", "twitter", "yahoo", "hotmail", "gmail", "youtube", "telegram", "tiktok", "khmer",
)}}  # fmt: skip
