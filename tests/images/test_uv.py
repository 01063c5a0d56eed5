"""The door to uv: our own binary, nobody's settings."""

import time
from pathlib import Path

import pytest

from mmgit.errors import BuildError
from mmgit.images.parallel import parallel
from mmgit.images.uv import pip, uv


def test_uv_runs_and_its_failure_is_a_result(tmp_path: Path) -> None:
    done = pip(["install", "--offline", "--target", "x", "there-is-no-such-package"], cwd=tmp_path)

    assert done.returncode != 0
    assert b"there-is-no-such-package" in done.stderr


def test_settings_of_the_user_are_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "uv.toml").write_text("this is no toml")
    monkeypatch.setenv("UV_INDEX_URL", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("UV_PYTHON", "/nowhere/python")

    done = pip(["compile", "--offline", "-"], cwd=tmp_path)

    assert done.returncode == 0


def test_a_missing_uv_is_an_error_with_the_way_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> str:
        raise FileNotFoundError

    monkeypatch.setattr("uv.find_uv_bin", missing)

    with pytest.raises(BuildError, match="uv, which locks and lays out") as raised:
        uv(["list"], cwd=tmp_path)
    assert raised.value.hint


def test_uv_is_looked_for_by_one_thread_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inside: list[int] = []
    most: list[int] = []

    def look() -> str:
        inside.append(1)
        time.sleep(0.05)
        most.append(len(inside))
        inside.pop()
        return "/bin/true"

    monkeypatch.setattr("uv.find_uv_bin", look)

    parallel(lambda _: uv([], cwd=tmp_path), range(4), at_once=4)

    assert most == [1, 1, 1, 1]
