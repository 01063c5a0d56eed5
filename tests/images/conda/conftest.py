"""Conda channels, and a cache of rattler's for each test."""

from pathlib import Path

import pytest

from tests.conda_channel import Channel, forest


@pytest.fixture(autouse=True)
def _own_cache_of_rattler(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RATTLER_CACHE_DIR", str(tmp_path / "rattler"))


@pytest.fixture
def channel(tmp_path: Path) -> Channel:
    """A channel below the root, with Python and a library for both platforms, and a package that needs both."""
    return forest(tmp_path / "root/channels/acme")
