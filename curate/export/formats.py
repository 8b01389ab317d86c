"""The formats that a corpus is exported to, and how each wants its sound unless told otherwise."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from curate.errors import UserError
from curate.export import huggingface, kaldi, lhotse, nemo, voxcpm, webdataset
from curate.export.definition import LOUDNESS, RATES, Clips, File
from curate.export.sound import Sound


@dataclass(frozen=True)
class Format:
    """One kind of reader."""

    files: Callable[[Clips], list[File]]
    places: tuple[str, ...]  # globs of what names every clip, each by itself: lists, archives, loose sounds
    rate: int | None = None  # Hz; None: each clip as it is
    encodings: tuple[str, ...] = ("flac", "wav")  # the first is the usual one
    legacy: tuple[str, ...] = ()  # what earlier versions wrote, without an index


FORMATS = {
    # 16 kHz is what VoxCPM hears and its `validate` wants, and what recognisers are trained at
    "voxcpm": Format(voxcpm.files, voxcpm.PLACES, 16_000, legacy=voxcpm.NAMES),
    "huggingface": Format(huggingface.files, (huggingface.GLOB,)),
    "lhotse": Format(lhotse.files, lhotse.PLACES),
    "nemo": Format(nemo.files, nemo.PLACES, 16_000),
    "kaldi": Format(kaldi.files, kaldi.PLACES, 16_000, ("wav",)),
    "webdataset": Format(webdataset.files, (webdataset.GLOB,)),
}


def named(name: str) -> Format:
    """A format by its name; a UserError says which there are."""
    if name not in FORMATS:
        raise UserError(f"no export format {name!r}; there are {', '.join(FORMATS)}")
    return FORMATS[name]


def same_sound(name: str, settings: Mapping[str, Any] | None) -> Sound:
    """The sound of the export that is there already, where it is of this format; else the format's usual one."""
    if settings and settings.get("format") == name:
        try:
            return sound(name, **{key: settings.get(key) for key in ("rate", "loudness", "encoding")})
        except (UserError, TypeError):  # settings that no export of ours has: the folder is made anew as usual
            return sound(name)
    return sound(name)


def sound(name: str, *, rate: int | None = None, loudness: float | None = None, encoding: str | None = None) -> Sound:
    """How the sound of a format is to be; a UserError where it cannot be so."""
    format = named(name)
    if rate is not None and rate not in RATES:
        raise UserError(f"--rate {rate}: give a sample rate from {RATES[0]} to {RATES[-1]} Hz, such as 16000")
    if loudness is not None and not LOUDNESS[0] < loudness < LOUDNESS[1]:
        low, high = LOUDNESS
        raise UserError(f"--loudness {loudness:g}: give LUFS between {low:g} and {high:g}, such as -23")
    if encoding is not None and encoding not in format.encodings:
        raise UserError(f"--format {encoding}: for {name} there is {' and '.join(format.encodings)}")
    return Sound(rate or format.rate, loudness, encoding or format.encodings[0])
