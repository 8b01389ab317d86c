"""What a check of a corpus says: how much it looked at, and each thing that does not hold."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Finding:
    """One thing that does not hold: of which clip, file or value, and what is wrong."""

    what: str
    problem: str


@dataclass(frozen=True)
class Checked:
    """One check: what it looks at, how many of these, what does not hold; `skipped` says why (part of) it could not."""

    check: str
    of: str
    count: int = 0
    findings: Sequence[Finding] = ()
    skipped: str = ""

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        found = [{"what": each.what, "problem": each.problem} for each in self.findings]
        return {
            "check": self.check, "of": self.of, "looked_at": self.count, "failed": len(found), "skipped": self.skipped,
            "findings": found,
        }  # fmt: skip


@dataclass
class Findings:
    """Findings as they are gathered."""

    listed: list[Finding] = field(default_factory=list)

    def add(self, what: object, problem: str) -> None:
        """One more."""
        self.listed.append(Finding(str(what), problem))

    def __iter__(self) -> Iterator[Finding]:
        return iter(self.listed)
