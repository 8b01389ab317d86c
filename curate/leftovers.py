"""What still holds clips that a person dropped, after the manifest no longer keeps them."""

import polars as pl

from curate.corpus import Corpus
from curate.export import clips as clip_files
from curate.export import contents
from curate.steps.verdicts import taken_down

LATENTS = "latents"  # where `train encode` and `train lora` put them unless told otherwise
LATENT_DIGITS = 32  # of the sha256 of a clip's file that name its latents


def left_behind(corpus: Corpus, clips: pl.DataFrame) -> list[str]:
    """A line for `clips/` and for each export with clips in it that a person dropped, and how they are removed."""
    rejected = set(clips.filter(pl.col("drop") == "rejected")["id"])
    if not rejected:
        return []
    lines = []
    if held := {path.stem for path in corpus.clips.glob("*.flac")} & rejected:
        lines.append(
            f"{corpus.clips} still holds {len(held)} clips that people dropped: "
            f"`curate tag {corpus.folder}` removes them"
        )
    for folder in exports(corpus):
        if held := contents.ids(corpus.export(folder)) & rejected:
            again = f"`curate export {corpus.folder} --to {folder}` writes it anew"
            lines.append(
                f"{corpus.export(folder)} still holds {len(held)} clips that people dropped "
                f"({contents.named(held)}): {again}, in an empty folder where it asks for one"
            )
    return lines


def other_exports(corpus: Corpus, clips: pl.DataFrame) -> list[str]:
    """Formats, VoxCPM's apart, whose exports in the corpus still hold clips that people dropped."""
    rejected = set(clips.filter(pl.col("drop") == "rejected")["id"])
    if not rejected:
        return []
    return [name for name in exports(corpus) if name != "voxcpm" and contents.ids(corpus.export(name)) & rejected]


def exports(corpus: Corpus) -> list[str]:
    """The formats that the corpus has been exported in."""
    folder = corpus.export("")
    return sorted(path.name for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []


def keep_latents(corpus: Corpus) -> int:
    """Remove from the corpus's own latents all but those of the clips in `clips/`; how many files these were."""
    index = clip_files.read_index(corpus.clips)
    kept = set() if index is None else {each[:LATENT_DIGITS] for each in index["flac_sha256"].drop_nulls()}
    others = [path for path in (corpus.folder / LATENTS).rglob("*.safetensors") if path.stem not in kept]
    for path in others:
        path.unlink(missing_ok=True)
    return len(others)


def strangers(corpus: Corpus, clips: pl.DataFrame) -> list[str]:
    """Exports in the corpus that name clips which it does not keep, whether dropped or gone."""
    kept = set(clips.filter(pl.col("drop").is_null())["id"])
    return [name for name in exports(corpus) if contents.ids(corpus.export(name)) - kept]


def forget_latents(corpus: Corpus, clips: pl.DataFrame) -> int:
    """Remove from the corpus's own latents those of people who asked to be taken out; how many files these were.

    Before their clips are removed: the index of clips knows the hash that names the latents. Latents of other dropped
    clips stay, a threshold may bring them back.
    """
    index = clip_files.read_index(corpus.clips)
    folder = corpus.folder / LATENTS
    if index is None or not folder.is_dir():
        return 0
    asked = clips.filter(taken_down())["id"]
    hashes = index.filter(pl.col("id").is_in(asked.implode()))["flac_sha256"].drop_nulls()
    found = [path for each in hashes for path in folder.rglob(f"{each[:LATENT_DIGITS]}.safetensors")]
    for path in found:
        path.unlink(missing_ok=True)
    return len(found)
