"""Counts in a line."""


def counted(number: int, thing: str) -> str:
    """A count with its thing: 1 clip, 2 clips."""
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"
