"""What the model is shown: a language tag, control words where the recipe asks for them, and the text as spoken."""

from collections.abc import Sequence

import polars as pl

from curate.recipe import LANGUAGES
from curate.steps import controls as scales
from curate.text import control

SPELLED = ("ko",)  # languages whose pronounced form is written in their own letters


def tag(clips: pl.DataFrame, *, template: str, form: str, controls: Sequence[str] = ()) -> pl.DataFrame:
    """Fill `control` and `training_text` of kept clips, from `form` of their text: spoken or pronounced.

    A pronounced form that is no spelling (Khmer's phonemes) is not shown. No text begins with a parenthesis of its own.
    """
    spelled = pl.when(pl.col("language").is_in(SPELLED)).then(pl.col(form))
    clips = clips.with_columns(scales.describe(controls).alias("control"))
    texts = clips.select(pl.coalesce(spelled, "spoken").str.replace_all(r"\s+", " ").str.strip_chars()).to_series()
    begun = texts.filter(texts.str.contains(control.BEGINS.pattern)).unique().to_list()
    shown = texts.replace(begun, [control.plain(each) for each in begun])
    shown = pl.select(pl.when(shown != "").then(shown)).to_series()
    return clips.with_columns(pl.when(pl.col("drop").is_null()).then(_tags(template) + shown).alias("training_text"))


def _tags(template: str) -> pl.Expr:
    """The tag of each row. A language that is none of ours has none: such a row is dropped."""
    tags = {code: template.replace("{language}", name) for code, name in LANGUAGES.items()}
    alone, before, after = (
        pl.col("language").replace_strict(values, default=None, return_dtype=pl.String)
        for values in (
            tags,
            {code: control.tag_around(each)[0] for code, each in tags.items()},
            {code: control.tag_around(each)[1] for code, each in tags.items()},
        )
    )
    return pl.when(pl.col("control").is_null()).then(alone).otherwise(before + pl.col("control") + after)
