"""Sources of which nothing can be used: a disk that is not mounted, a path that is not right."""

from pathlib import Path

import polars as pl

from curate.console import printable
from curate.errors import UserError


def notes(rows: pl.DataFrame) -> list[str]:
    """A line for each source of which no row can be used, and why most of them cannot."""
    sources = rows.group_by("source", maintain_order=True).agg(pl.col("error").is_not_null().all().alias("unread"))
    unread = sources.filter("unread")["source"]
    return [f"source {name}: {_why(rows.filter(pl.col('source') == name))}" for name in unread]


def require(rows: pl.DataFrame) -> None:
    """Raise UserError where no row of any source can be used."""
    if nothing(rows):
        raise UserError(
            "no audio could be read, so there is nothing to keep; mend the sources, then `curate run` again"
        )


def require_still(rows: pl.DataFrame, before: pl.DataFrame | None, corpus: Path) -> None:
    """Raise UserError where a corpus had audio `before` and no row of any source can be used now."""
    if before is not None and "error" in before.columns and not nothing(before) and nothing(rows):
        raise UserError(f"no audio can be read any more; {'; '.join(notes(rows))}; {corpus} stays as it was")


def nothing(rows: pl.DataFrame) -> bool:
    """Whether every row there is has an error."""
    return not rows.is_empty() and not rows["error"].null_count()


def _why(broken: pl.DataFrame) -> str:
    reasons = broken.group_by("error", maintain_order=True).agg(pl.len().alias("rows"), pl.col("path").first())
    why, count, path = reasons.sort("rows", descending=True, maintain_order=True).row(0)
    example = f"{printable(path)}: {printable(why)}" if path else printable(why)
    if broken.height == 1:
        return f"its only row cannot be used ({example}); mend source.{broken['source'][0]}.path or what it names"
    how_many = "" if count == broken.height else f"{count} of them "
    return (
        f"none of its {broken.height} rows can be used ({how_many}like {example}); "
        f"mend source.{broken['source'][0]}.path or what it names"
    )
