"""Text that people wrote: it is read to its end at once, and one line comes out for each that goes in.

Sentences are those of the translations that a system carries (gettext catalogues) and of the real speech beside the
project; a machine without them skips.
"""

import gettext
from pathlib import Path

import pytest

from curate.text import normalise, stepped

CATALOGUES = Path("/usr/share/locale")
AUDIO = Path(__file__).resolve().parents[4] / "shared" / "audio"
MOST = 1000  # lines of a language, spread over what there is: Korean is read at 100 lines a second


def lines(language: str) -> list[str]:
    """Different lines of the language, none of them empty."""
    found: dict[str, None] = {}
    for path in sorted(CATALOGUES.glob(f"{language}/LC_MESSAGES/*.mo")):
        with path.open("rb") as file:
            catalogue = gettext.GNUTranslations(file)
        texts = [text for text in vars(catalogue)["_catalog"].values() if isinstance(text, str)]
        found |= dict.fromkeys(line for text in texts for line in text.split("\n"))
    scripts = {"km": ("\u1780", "\u17b3"), "ko": ("가", "힣")}[language]
    for path in sorted(AUDIO.rglob("*.tsv")):
        cells = path.read_text(encoding="utf-8", errors="replace").replace("\n", "\t").split("\t")
        found |= dict.fromkeys(cell for cell in cells if any(scripts[0] <= each <= scripts[1] for each in cell))
    return [line for line in found if line.strip()]


@pytest.mark.timeout(300)
@pytest.mark.parametrize("language", ["km", "ko"])
def test_real_lines_are_final_and_as_many(language: str) -> None:
    written = lines(language)
    if not written:
        pytest.skip(f"no gettext catalogue of {language} here, and no real speech in ../shared/audio")
    written = written[:: max(1, len(written) // MOST)]
    spoken = [result.text for result, _ in stepped([f"{line}\n".encode() for line in written], language)]
    assert len(spoken) == len(written)
    assert [text for text in spoken if normalise(text, language) != text] == []
