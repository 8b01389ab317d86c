"""What the model is shown: a language tag and the text as spoken."""

import polars as pl

from curate.recipe import LANGUAGES

SPELLED = ("ko",)  # languages whose pronounced form is written in their own letters


def tag(clips: pl.DataFrame, *, template: str, form: str) -> pl.DataFrame:
    """Fill `training_text` of kept clips; a pronounced form that is no spelling (Khmer's phonemes) is not shown."""
    spelled = pl.when(pl.col("language").is_in(SPELLED)).then(pl.col(form))
    text = pl.coalesce(spelled, "spoken").str.replace_all(r"\s+", " ").str.strip_chars()
    prefix = pl.col("language").replace_strict(
        {code: template.replace("{language}", name) for code, name in LANGUAGES.items()},
        default=None,  # a language that is none of ours: such a row is dropped
        return_dtype=pl.String,
    )
    shown = pl.when(pl.col("drop").is_null()).then(prefix + text)
    return clips.with_columns(shown.alias("training_text"))
