"""A process that writes the report of a large corpus while the command's own writes clips, lists and the card.

It is started before the command has imported its libraries, so that both import at once, is told one corpus, answers
with what the report tells, and ends. It ends with the command, too, however that ends: the pipe it is told through
closes. Nothing depends on it: where it cannot be had, fails or dies, the command writes the report itself and says what
is wrong.
"""

import json
import os
import pickle
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from curate import console, files
from curate.engine import one_thread, processors

if TYPE_CHECKING:
    import polars as pl

    from curate.commands import Finished, Reporter
    from curate.corpus import Corpus
    from curate.recipe import Recipe

# Bytes of a manifest from which a second process pays, about 5,000 clips, and up to which memory is there for a
# second copy of the frame, about 200,000.
FEWEST, MOST = 1_000_000, 50_000_000


@contextmanager
def reporter(corpus: "Corpus") -> "Iterator[Reporter | None]":
    """What `commands.finish` has the report of a corpus written by; None: by itself. The last manifest says how large
    the corpus is."""
    size = corpus.manifest.stat().st_size if corpus.manifest.is_file() else 0
    if not FEWEST <= size <= MOST or processors() < 2 or not sys.executable:
        yield None
        return
    try:
        process = _started()
    except OSError:  # no memory, or no more processes
        yield None
        return
    place = corpus.manifest.with_name(f".clips.{os.getpid()}{files.PARTIAL}")
    try:
        yield lambda corpus, wanted, clips: _begun(process, corpus, wanted, clips, place)
    finally:
        process.kill()  # of a command that failed; else it has ended
        process.communicate()
        place.unlink(missing_ok=True)


def _started() -> subprocess.Popen[bytes]:
    """It finds modules where this process does, and hears of Ctrl-C and of a closed terminal by the pipe alone.

    Polars has one thread in it: the command is at work on the other processor, and small tables take less time so.
    """
    where = os.pathsep.join(path for path in sys.path if path)
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "curate.background"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        env={"POLARS_MAX_THREADS": "1", **os.environ, "PYTHONPATH": where}, start_new_session=True,
    )  # fmt: skip


def _begun(
    process: subprocess.Popen[bytes], corpus: "Corpus", wanted: "Recipe", clips: "pl.DataFrame", place: Path
) -> "Callable[[], Finished]":
    """Tell the process what to report of, the frame in a file at `place`; what comes back waits for its answer."""
    import polars as pl

    from curate import commands

    told = {"corpus": str(corpus.folder), "recipe": wanted.model_dump(mode="json"), "clips": str(place)}
    assert process.stdin
    with suppress(pl.exceptions.PolarsError, OSError):  # a full disk, or it died: then it has no answer
        clips.write_ipc(place)
        process.stdin.write(json.dumps(told).encode() + b"\n")
        process.stdin.flush()
        return lambda: _answer(process) or commands.reported(corpus, wanted, clips)
    return lambda: commands.reported(corpus, wanted, clips)


def _answer(process: subprocess.Popen[bytes]) -> "Finished | None":
    """None: it failed or died without one."""
    assert process.stdout
    content = process.stdout.read()
    if process.wait() or not content:
        return None
    answer: Finished = pickle.loads(content)  # our own process wrote it
    return answer


def serve() -> None:
    """The life of the process: one corpus in, one answer out."""
    one_thread()
    console.few_collections()
    import polars as pl

    from curate import commands
    from curate.corpus import Corpus
    from curate.recipe import Recipe
    from curate.report.templates import templates

    templates().get_template("page.html")  # what a report needs is there before it is asked for
    line = sys.stdin.buffer.readline()
    if not line:
        return
    threading.Thread(target=_end_with_the_command, daemon=True).start()
    told = json.loads(line)
    try:
        corpus, wanted = Corpus(Path(told["corpus"])), Recipe.model_validate(told["recipe"])
        done = commands.reported(corpus, wanted, pl.read_ipc(told["clips"]))
    except Exception:  # the command will meet it, too, and say so
        os._exit(1)
    sys.stdout.buffer.write(pickle.dumps(done))
    sys.stdout.buffer.flush()
    os._exit(0)  # at once: there is nothing to put away


def _end_with_the_command() -> None:
    """Once the pipe is closed nobody waits for an answer, and another command may be at work on the corpus."""
    os.read(sys.stdin.fileno(), 1)
    os._exit(1)


if __name__ == "__main__":
    serve()
