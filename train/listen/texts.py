"""Question, scale, instructions and traps in Khmer, Korean and English: what a plan fixes unless other words are given.

Written by the project, not by a professional translator: a native speaker reads them before a test, and `--texts`
puts others in their place.
"""

from train.listen.plan import Method

PAGE_LANGUAGES = ("km", "ko", "en")

QUESTIONS: dict[Method, dict[str, str]] = {
    "mos": {
        "en": "How natural does this speech sound?",
        "km": "តើសំឡេងនិយាយនេះស្តាប់ទៅធម្មជាតិកម្រិតណា?",
        "ko": "이 음성은 얼마나 자연스럽게 들립니까?",
    },
    "cmos": {
        "en": "How natural is the second recording, compared with the first?",
        "km": "បើប្រៀបធៀបនឹងសំឡេងទីមួយ តើសំឡេងទីពីរស្តាប់ទៅធម្មជាតិកម្រិតណា?",
        "ko": "첫 번째 음성에 비해 두 번째 음성은 얼마나 자연스럽습니까?",
    },
    "ab": {
        "en": "Which recording sounds more natural?",
        "km": "តើសំឡេងមួយណាស្តាប់ទៅធម្មជាតិជាង?",
        "ko": "어느 음성이 더 자연스럽게 들립니까?",
    },
}

# In the order of plan.SCALES: the lowest value first.
LABELS: dict[Method, dict[str, tuple[str, ...]]] = {
    "mos": {
        "en": ("Bad: not natural at all", "Poor", "Fair", "Good", "Excellent: completely natural"),
        "km": ("អន់ណាស់៖ មិនធម្មជាតិទាល់តែសោះ", "អន់", "មធ្យម", "ល្អ", "ល្អឥតខ្ចោះ៖ ធម្មជាតិទាំងស្រុង"),
        "ko": ("매우 나쁨: 전혀 자연스럽지 않음", "나쁨", "보통", "좋음", "매우 좋음: 완전히 자연스러움"),
    },
    "cmos": {
        "en": ("Much worse", "Worse", "Slightly worse", "About the same", "Slightly better", "Better", "Much better"),
        "km": ("អន់ជាងឆ្ងាយ", "អន់ជាង", "អន់ជាងបន្តិច", "ប្រហាក់ប្រហែលគ្នា", "ល្អជាងបន្តិច", "ល្អជាង", "ល្អជាងឆ្ងាយ"),
        "ko": ("훨씬 나쁨", "나쁨", "조금 나쁨", "거의 같음", "조금 나음", "나음", "훨씬 나음"),
    },
    "ab": {
        "en": ("The first", "The second"),
        "km": ("សំឡេងទីមួយ", "សំឡេងទីពីរ"),
        "ko": ("첫 번째", "두 번째"),
    },
}

INSTRUCTIONS: dict[Method, dict[str, str]] = {
    "mos": {
        "en": "You will hear short recordings of speech. Listen to each one to the end, then say how natural it "
        "sounds. There is no right or wrong answer.",
        "km": "អ្នកនឹងឮសំឡេងនិយាយខ្លីៗ។ សូមស្តាប់សំឡេងនីមួយៗរហូតដល់ចប់ រួចប្រាប់ថាវាស្តាប់ទៅធម្មជាតិកម្រិតណា។ គ្មានចម្លើយត្រូវ ឬខុសទេ។",
        "ko": "짧은 음성을 듣게 됩니다. 각 음성을 끝까지 들은 뒤 얼마나 자연스러운지 평가해 주세요. 정답은 없습니다.",
    },
    "cmos": {
        "en": "You will hear the same sentence twice. Listen to both recordings to the end, then compare the second "
        "with the first.",
        "km": "អ្នកនឹងឮប្រយោគដដែលពីរដង។ សូមស្តាប់សំឡេងទាំងពីររហូតដល់ចប់ រួចប្រៀបធៀបសំឡេងទីពីរនឹងសំឡេងទីមួយ។",
        "ko": "같은 문장을 두 번 듣게 됩니다. 두 음성을 끝까지 들은 뒤 두 번째를 첫 번째와 비교해 주세요.",
    },
    "ab": {
        "en": "You will hear the same sentence twice. Listen to both recordings to the end, then choose the more "
        "natural one.",
        "km": "អ្នកនឹងឮប្រយោគដដែលពីរដង។ សូមស្តាប់សំឡេងទាំងពីររហូតដល់ចប់ រួចជ្រើសរើសសំឡេងដែលធម្មជាតិជាង។",
        "ko": "같은 문장을 두 번 듣게 됩니다. 두 음성을 끝까지 들은 뒤 더 자연스러운 것을 선택해 주세요.",
    },
}

# Said after the instructions where there are traps.
_NUMBER = {
    "en": "Some recordings ask you to choose a number: please do as they ask.",
    "km": "សំឡេងខ្លះសុំឱ្យអ្នកជ្រើសរើសលេខមួយ៖ សូមធ្វើតាមសំណើនោះ។",
    "ko": "어떤 음성은 숫자 하나를 선택하라고 말합니다. 그때는 그대로 해 주세요.",
}
_ANSWER = {
    "en": "Some recordings ask you to choose an answer: please do as they ask.",
    "km": "សំឡេងខ្លះសុំឱ្យអ្នកជ្រើសរើសចម្លើយមួយ៖ សូមធ្វើតាមសំណើនោះ។",
    "ko": "어떤 음성은 답 하나를 선택하라고 말합니다. 그때는 그대로 해 주세요.",
}
TRAP_NOTES: dict[Method, dict[str, str]] = {"mos": _NUMBER, "cmos": _ANSWER, "ab": _ANSWER}

# What a trap says, whole: `{}` is the word below. Middle values and ends alike, so that none is met by chance alone.
_ASKS = {"km": "នេះជាការសាកល្បងការយកចិត្តទុកដាក់។ សូមជ្រើសរើស{}។", "ko": "주의 확인 문항입니다. {} 선택해 주세요."}
_WORDS: dict[Method, dict[str, dict[int, str]]] = {
    "mos": {
        "km": {1: "លេខមួយ", 2: "លេខពីរ", 3: "លេខបី", 4: "លេខបួន", 5: "លេខប្រាំ"},
        "ko": {1: "일 번을", 2: "이 번을", 3: "삼 번을", 4: "사 번을", 5: "오 번을"},
    },
    "cmos": {
        "km": {-3: "អន់ជាងឆ្ងាយ", 0: "ប្រហាក់ប្រហែលគ្នា", 3: "ល្អជាងឆ្ងាយ"},
        "ko": {-3: "훨씬 나쁨을", 0: "거의 같음을", 3: "훨씬 나음을"},
    },
    "ab": {"km": {0: "សំឡេងទីមួយ", 1: "សំឡេងទីពីរ"}, "ko": {0: "첫 번째를", 1: "두 번째를"}},
}


def instructions(method: Method, *, traps: bool) -> dict[str, str]:
    """What listeners are told before the first item, in each language of the page."""
    ours = INSTRUCTIONS[method]
    return {name: f"{ours[name]} {TRAP_NOTES[method][name]}" if traps else ours[name] for name in PAGE_LANGUAGES}


def trap_texts(method: Method, language: str) -> dict[int, str]:
    """What is to be spoken for each value that a trap can ask for."""
    return {value: _ASKS[language].format(word) for value, word in _WORDS[method][language].items()}
