"""Photograph the report of the demonstration for the README: docs/report.png.

    curate demo --into demo
    python docs/picture.py demo/corpus/report/index.html

Needs Chromium (Debian: `apt-get install chromium`); Samsori itself does not. The first screen of the page, 1,120 pixels
wide, in 128 colours.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image

PICTURE = Path(__file__).parent / "report.png"
SIZE = (1120, 1420)  # the answers of the first screen, and hours flowing through the first rules
COLOURS = 128
LARGEST = 150_000  # bytes
NAMES = ("chromium", "chromium-browser", "google-chrome")


def photograph(page: Path, into: Path) -> None:
    """The first screen of a page, as a browser without a window paints it."""
    browser = next(filter(None, map(shutil.which, NAMES)), None)
    if browser is None:
        sys.exit(f"no {', no '.join(NAMES)}: install one")
    size = f"--window-size={SIZE[0]},{SIZE[1]}"
    # the sandbox wants a user that is not root; the page is our own and opens nothing
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", size, f"--screenshot={into}"]
    subprocess.run([browser, *options, page.absolute().as_uri()], check=True, capture_output=True, timeout=120)


def shrink(picture: Path, into: Path) -> int:
    """Write it in few colours; returns the bytes."""
    with Image.open(picture) as image:
        image.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE).save(into, optimize=True)
    return into.stat().st_size


def main() -> None:
    """Take the report that is named, write the picture, refuse one that is too large."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("report", type=Path, help="CORPUS/report/index.html")
    report = parser.parse_args().report
    if not report.is_file():
        parser.error(f"there is no {report}")
    with tempfile.TemporaryDirectory() as folder:
        photograph(report, Path(folder) / "page.png")
        size = shrink(Path(folder) / "page.png", PICTURE)
    print(f"{PICTURE}: {size:,} bytes")
    if size > LARGEST:
        sys.exit(f"over {LARGEST:,} bytes: fewer colours, or a smaller window")


if __name__ == "__main__":
    main()
