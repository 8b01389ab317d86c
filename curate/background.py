"""A process that writes the report of a large corpus while the command's own writes clips, lists and the card.

It is started before the command has imported its libraries, so that both import at once, prepares what no decision
changes, is told that the corpus is decided, answers with what the report tells, and ends. It ends with the command,
too, however that ends: the pipe it is told through closes. Nothing depends on it: where it cannot be had, fails or
dies, the command writes the report itself and says what is wrong.
"""

import os
import pickle
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from curate import garbage
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
        process = _started(corpus)
    except OSError:  # no memory, or no more processes
        yield None
        return
    try:
        yield lambda corpus, wanted, clips: _begun(process, corpus, wanted, clips)
    finally:
        process.kill()  # of a command that failed; else it has ended
        process.communicate()


def _started(corpus: "Corpus") -> subprocess.Popen[bytes]:
    """It finds modules where this process does, and hears of Ctrl-C and of a closed terminal by the pipe alone.

    Polars has one thread in it: the command is at work on the other processor, and small tables take less time so.
    """
    where = os.pathsep.join(path for path in sys.path if path)
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "curate.background", str(corpus.folder)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        env={"POLARS_MAX_THREADS": "1", **os.environ, "PYTHONPATH": where}, start_new_session=True,
    )  # fmt: skip


def _begun(
    process: subprocess.Popen[bytes], corpus: "Corpus", wanted: "Recipe", clips: "pl.DataFrame"
) -> "Callable[[], Finished]":
    """Tell the process by which recipe the manifest was made; what comes back waits for its answer."""
    from curate import commands

    assert process.stdin
    with suppress(OSError):  # it died: then it has no answer
        process.stdin.write(wanted.model_dump_json().encode() + b"\n")
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


def serve(folder: Path) -> None:
    """The life of the process: one corpus, one recipe in, one answer out."""
    one_thread()
    garbage.few_collections()
    from curate import commands
    from curate.corpus import Corpus
    from curate.recipe import Recipe

    corpus = Corpus(folder)
    prepared = commands.prepare(corpus)
    line = sys.stdin.buffer.readline()
    if not line:
        return
    threading.Thread(target=_end_with_the_command, daemon=True).start()
    try:
        wanted = Recipe.model_validate_json(line)
        done = commands.reported(corpus, wanted, _decided(corpus), prepared)
    except Exception:  # the command will meet it, too, and say so
        os._exit(1)
    sys.stdout.buffer.write(pickle.dumps(done))
    sys.stdout.buffer.flush()
    os._exit(0)  # at once: there is nothing to put away


def _decided(corpus: "Corpus") -> "pl.DataFrame":
    """The frame that the command has: the manifest, and what is measured and not in it."""
    import polars as pl

    from curate import manifest

    clips = manifest.read(corpus.manifest)
    unstored = [name for name in pl.read_parquet_schema(corpus.measured) if not manifest.COLUMNS[name].stored]
    more = pl.read_parquet(corpus.measured, columns=["id", *unstored])
    return clips.join(more, on="id", how="left", maintain_order="left")


def _end_with_the_command() -> None:
    """Once the pipe is closed nobody waits for an answer, and another command may be at work on the corpus."""
    os.read(sys.stdin.fileno(), 1)
    os._exit(1)


if __name__ == "__main__":
    serve(Path(sys.argv[1]))
