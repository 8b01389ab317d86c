"""Order of the whole suite: files that take minutes come first, so that no worker is left with one at the end."""

import pytest

_LONG = (
    "test_real_speech.py", "test_demo.py", "test_docs.py", "test_kill.py", "test_survival.py", "test_distributed.py",
)  # fmt: skip


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long files first, everything else as it was found (`make test` keeps this order: --no-loadscope-reorder)."""
    items.sort(key=lambda item: _LONG.index(item.path.name) if item.path.name in _LONG else len(_LONG))
