"""Where a base model lies: a folder is taken as it is, a hub id is fetched at its revision or refused in a line."""

import shutil

import pytest

from curate.errors import UserError
from train.model import base


def test_a_folder_is_never_fetched(tmp_path, monkeypatch):
    import huggingface_hub

    def fetch(*_, **__):
        raise AssertionError("it asked the hub")

    monkeypatch.setattr(huggingface_hub, "snapshot_download", fetch)
    with pytest.raises(UserError, match=r"no readable config\.json"):
        base.find(str(tmp_path))
    with pytest.raises(UserError, match="no folder"):
        base.find(str(tmp_path / "absent"))


def test_a_folder_has_no_revision_but_that_of_the_hubs_cache(tiny, tmp_path):
    with pytest.raises(UserError, match=r"only a hub id has a revision \(v2\): leave the revision out"):
        base.asked(str(tiny), "v2")
    cached = tmp_path / "snapshots" / "abc"
    shutil.copytree(tiny, cached)
    assert base.asked(str(cached), "abc") == cached


def test_a_hub_id_that_cannot_be_fetched_is_one_line(monkeypatch):
    import huggingface_hub

    def fetch(model, revision):
        raise OSError(f"Got: no network for {model} at {revision}\nand more")

    monkeypatch.setattr(huggingface_hub, "snapshot_download", fetch)
    with pytest.raises(UserError, match=r"from the hub: no network for openbmb/VoxCPM2 at abc$"):
        base.find("openbmb/VoxCPM2", "abc")
