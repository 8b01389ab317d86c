import re

import soundfile

from train import cli


def test_the_demonstration_trains_exports_and_speaks(make_corpus, tmp_path, capsys):
    folder = make_corpus()
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "mine").write_text("a run of one's own")
    cli.demo(into=tmp_path, corpus=None)
    printed = capsys.readouterr()
    for language in ("km", "ko"):
        before, after = re.search(rf"{language}: held-out loss fell from (\S+) .* to (\S+)", printed.err).groups()
        assert float(after) < 0.8 * float(before)
    assert "it loaded what was trained, all 48 tensors, bit for bit" in printed.err
    assert soundfile.info(tmp_path / "spoken.wav").samplerate == 48000
    assert str(folder / "report" / "index.html") in printed.out
    assert "this voice is noise" in printed.out
    assert "train lora CORPUS --model openbmb/VoxCPM2 --rank 64 --into RUN" in printed.out
    assert (tmp_path / "adapter-voxcpm" / "lora_config.json").is_file()
    assert (tmp_path / "run" / "mine").is_file()
    assert (tmp_path / "tiny-run" / "run.toml").is_file()
    assert (tmp_path / "adapter-peft" / "adapter_config.json").is_file()
