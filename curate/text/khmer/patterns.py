"""The pieces of patterns that the Khmer rules share."""

from curate.text.khmer.tables import MONEY, MONEY_WORDS, RIEL, UNITS
from curate.text.rules import any_of

KHMER = r"\u1780-\u17dd"  # the inside of a character class
DASH = "[-–—~]"
CURRENCY = any_of(MONEY)
MONEY_WORD = any_of([*MONEY_WORDS, RIEL])
UNIT = any_of([*UNITS, "m^2", "m^3", "km^2", "cm^2", "μm", "μg"])
