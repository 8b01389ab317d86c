"""The three questions that a listening test may ask, and the numbers that answer them."""

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

Method = Literal["mos", "cmos", "ab"]


@dataclass(frozen=True)
class Scale:
    """What a rating may be; `step` is the distance of neighbours."""

    method: Method
    low: int
    high: int
    step: Fraction
    meaning: str

    def holds(self, value: Fraction) -> bool:
        """Whether a rating is on the scale."""
        return self.low <= value <= self.high and (value - self.low) % self.step == 0

    @property
    def gold_slack(self) -> int:
        """How far a rating of a gold item may be from the one right answer (1 in the P.808 toolkit)."""
        return 0 if self.method == "ab" else 1

    @property
    def middle(self) -> Fraction:
        """What a rating of no difference is, of a comparison; of MOS there is none, and it is 0."""
        return Fraction(0) if self.method != "ab" else Fraction(1, 2)


SCALES: dict[str, Scale] = {
    "mos": Scale("mos", 1, 5, Fraction(1, 2), "MOS, from 1 to 5 in steps of a half"),
    "cmos": Scale("cmos", -3, 3, Fraction(1, 2), "CMOS, from -3 to 3 in steps of a half"),
    "ab": Scale("ab", 0, 1, Fraction(1, 2), "AB: 1 for the condition, 0 for the baseline, 0.5 for neither"),
}
