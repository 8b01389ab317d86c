"""What a transcript notes beside the words: laughter, music, noise. Nobody says these notes; they are taken out.

Two lists for each language. `SURE` notes are taken out in any brackets. The others (`AT_EDGE`) are ordinary words too:
in round brackets they may explain the word before them and have been read, as in រោគសញ្ញា (ក្អក) or 과목(음악), so there
they count only where a sentence begins or ends. In square, curly and angle brackets they always count.
"""

import re

from curate.text.rules import any_of

_ENGLISH_SURE = (
    "laughs laughing laughed laughter chuckles chuckling giggles giggling sighs sighing coughs coughing sneezes "
    "sneezing sniffs sniffles sniffling sobs sobbing cries crying gasps gasping yawns yawning whispers whispering "
    "screams screaming breathes breathing inhales exhales hums humming sings singing groans moans grunts claps "
    "clapping cheers cheering applauds inaudible unintelligible indistinct crosstalk unk bgm sfx haha lol"
)
_ENGLISH_AT_EDGE = (
    "laugh chuckle giggle sigh cough sneeze sniff sob cry gasp yawn whisper scream breath breaths music noise "
    "silence sil pause pauses beat applause static click clicks beep beeps ringing rings knock knocking unclear "
    "foreign sound sounds background audio speech blank_audio noises song singing footsteps smack spn nsn"
)
_MODIFIERS = (  # beside one of those
    "softly loudly quietly nervously heavily gently soft loud light heavy nervous upbeat sad both all audience crowd "
    "background playing plays in again slightly deep deeply throat clears clearing lip effect effects phone door opens "
    "closes bell foreign language speaks speaking overlapping no blank continues fades stops starts man woman men women"
)
_KHMER_SURE = (
    "សើច សំណើច សើចក្អាកក្អាយ សើចខ្លាំង សើចតិចៗ សើចទាំងអស់គ្នា សំឡេងសើច សូរសើច ដកដង្ហើមធំ ទះដៃ សំឡេងទះដៃ សូរទះដៃ សំឡេងរំខាន "
    "សំឡេងភ្លេង សំឡេងតន្ត្រី សំឡេងយំ សំឡេងក្អក ស្តាប់មិនច្បាស់ ស្តាប់មិនបាន ស្តាប់មិនឮ គ្មានសំឡេង អត់សំឡេង និយាយមិនច្បាស់"
)
_KHMER_AT_EDGE = (
    "ញញឹម យំ ក្អក កណ្តាស់ ដកដង្ហើម តន្ត្រី ភ្លេង ចម្រៀង ច្រៀង ស្ងាត់ ស្ងៀមស្ងាត់ ស្ងៀម ផ្អាក ឈប់បន្តិច មិនច្បាស់ ខ្សឹប ស្រែក ហួច សំឡេងមិនច្បាស់"
)
_KOREAN_SURE = (
    "웃음 웃음소리 웃으며 웃으면서 일동웃음 모두웃음 전원웃음 폭소 헛웃음 쓴웃음 너털웃음 한숨 박수소리 박수갈채 "
    "기침소리 울음소리 알아들을수없음 들리지않음 청취불가 안들림"
)
_KOREAN_AT_EDGE = (
    "박수 환호 침묵 잠시침묵 잠시사이 잠시후 음악 배경음악 노래 잡음 소음 무음 기침 재채기 울음 흐느낌 눈물 미소 "
    "하품 숨소리 속삭임 비명 함성 효과음 불명확 불분명 웅성웅성 묵음 헛기침"
)


# Korean notes in square brackets by their last word or their first, whatever stands beside it: [문 닫히는 소리].
_SOUND = (
    r"(?:[가-힣]{1,8} ){0,4}[가-힣]{0,6}(?:소리|웃음|박수|음악)"
    r"|(?:효과음|음향|배경음악|BGM|SFX|FX|Music|Sound) ?: ?[^\[\]]{1,40}"
)
# In round brackets where a sentence begins or ends, how it is said: (한숨을 쉬며), (고개를 끄덕이면서).
_MANNER = "(?:[가-힣]{1,8} ){0,3}[가-힣]{1,8}(?:며|면서)|(?:작은|큰|낮은|떨리는|조용한) (?:목)?소리로"


def _spaced(words: str) -> str:
    """The words as a pattern, with or without spaces inside them."""
    return "|".join(" ?".join(map(re.escape, word)) for word in sorted(words.split(), key=len, reverse=True))


_LATIN_SURE = any_of(_ENGLISH_SURE.split())
_LATIN_ALL = any_of(f"{_ENGLISH_SURE} {_ENGLISH_AT_EDGE}".split())
_BESIDE = rf"(?:(?:{any_of(_MODIFIERS.split())})[ _-]){{0,3}}"
_BEHIND = rf"(?:[ _-](?:{any_of(_MODIFIERS.split())}|{_LATIN_ALL})){{0,3}}"
_THROAT = "clears (?:his |her )?throat|throat clearing|lip smack"
_LOCAL_SURE = f"{any_of(_KHMER_SURE.split())}|{_spaced(_KOREAN_SURE)}"
_LOCAL_ALL = f"{any_of(f'{_KHMER_SURE} {_KHMER_AT_EDGE}'.split())}|{_spaced(f'{_KOREAN_SURE} {_KOREAN_AT_EDGE}')}"

SURE = rf"(?:(?i:{_BESIDE}(?:{_LATIN_SURE}){_BEHIND}|{_THROAT})|{_LOCAL_SURE})"
ANY = rf"(?:(?i:{_BESIDE}(?:{_LATIN_ALL}){_BEHIND}|{_THROAT})|{_LOCAL_ALL})"
SQUARE = rf"(?:{ANY}|(?i:{_SOUND}))"
EDGE = rf"(?:{ANY}|{_MANNER})"
