"""Corrections for several comparisons."""

from collections.abc import Sequence


def holm(p_values: Sequence[float | None]) -> list[float | None]:
    """Holm's adjusted p (1979) of one family, in the order given; a comparison without a p is in no family.

    The smallest is multiplied by the number of comparisons, the next by one less, and none is below one before it.
    """
    known = sorted((p, place) for place, p in enumerate(p_values) if p is not None)
    adjusted: list[float | None] = [None] * len(p_values)
    highest = 0.0
    for before, (p, place) in enumerate(known):
        highest = max(highest, min(1.0, (len(known) - before) * p))
        adjusted[place] = highest
    return adjusted
