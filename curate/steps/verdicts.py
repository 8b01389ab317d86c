"""What people said of clips, beside what was measured of them: `keep` and `drop`, why, and who.

A drop is the rule `rejected`. A keep overrules the rules that judge (`Rule.overruled`); what broke stays in `broke`.
"""

import polars as pl

from curate.steps.rules import DROP

SCHEMA = {"clip": pl.String, "verdict": pl.String, "reason": pl.String, "who": pl.String}
# The reason of a drop that says nothing about quality: a person asked to be taken out.
TAKEDOWN = "takedown"


def attach(clips: pl.DataFrame, judged: pl.DataFrame | None) -> pl.DataFrame:
    """Fill `verdict`, `verdict_reason` and `verdict_who` from rows of SCHEMA, one a clip; null where nobody spoke."""
    rows = pl.DataFrame(schema=SCHEMA) if judged is None else judged.select(list(SCHEMA))
    named = rows.rename({"clip": "id", "reason": "verdict_reason", "who": "verdict_who"})
    bare = clips.drop("verdict", "verdict_reason", "verdict_who", strict=False)
    joined = bare.join(named, on="id", how="left", maintain_order="left")
    return joined.select(*clips.columns, *(name for name in joined.columns if name not in clips.columns))


def taken_down() -> pl.Expr:
    """Clips whose speaker asked to be taken out: they are shown and played nowhere."""
    asked = pl.col("verdict_reason").str.strip_chars().str.to_lowercase().str.starts_with(TAKEDOWN)
    return ((pl.col("verdict") == DROP) & asked).fill_null(False)
