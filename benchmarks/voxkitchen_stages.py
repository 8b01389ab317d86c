"""What the light stages of VoxKitchen 0.3.1 cost in CPU seconds, as JSON; `curation.py --voxkitchen` runs it.

    PYTHONPATH=WHERE_IT_IS python benchmarks/voxkitchen_stages.py FOLDER

Its own operators, called one after the other in this process with one thread, without its runner, its workers or the
writing of manifests, after they ran over the first file once. Torch is what it resamples with.
"""

import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from curate.engine import one_thread

one_thread()

import torch  # noqa: E402
from voxkitchen.ingest.dir_scan import DirScanIngestSource  # type: ignore[import-not-found]  # noqa: E402
from voxkitchen.operators import get_operator  # type: ignore[import-not-found]  # noqa: E402
from voxkitchen.pipeline.context import RunContext  # type: ignore[import-not-found]  # noqa: E402
from voxkitchen.schema.cutset import CutSet  # type: ignore[import-not-found]  # noqa: E402

STAGES: dict[str, dict[str, Any]] = {
    "resample": {"target_sr": 16_000, "target_channels": 1},
    "loudness_normalize": {},
    "snr_estimate": {},
    "clipping_detect": {},
    "bandwidth_estimate": {},
    "pitch_stats": {},
    "audio_fingerprint_dedup": {},
}


def main() -> None:
    """Run the stages and print what each took."""
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as made:
        everything = RunContext(Path(made), "bench", 0, "ingest", 0, 1, "keep", "cpu")
        source = DirScanIngestSource(
            DirScanIngestSource.config_cls(root=str(Path(sys.argv[1]).resolve()), recursive=True), everything
        )
        clock = time.process_time()
        cuts = list(source.run())
        spent = {"ingest": time.process_time() - clock}
        operators = []
        for number, (name, options) in enumerate(STAGES.items()):
            kind = get_operator(name)
            operator = kind(kind.config_cls(**options), everything.with_stage(stage_index=number + 1, stage_name=name))
            operator.setup()
            operators.append((name, operator))
        run(operators, cuts[:1])
        spent |= run(operators, cuts)
    seconds = sum(cut.duration for cut in cuts)
    print(json.dumps({"seconds": seconds, "files": len(cuts), "cpu": spent}))


def run(operators: list[tuple[str, Any]], cuts: list[Any]) -> dict[str, float]:
    """CPU seconds of each stage; the one's cuts are the next one's."""
    spent = {}
    for name, operator in operators:
        clock = time.process_time()
        cuts = list(operator.process(CutSet(cuts)))
        spent[name] = time.process_time() - clock
    return spent


if __name__ == "__main__":
    main()
