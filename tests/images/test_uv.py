"""The door to uv: our own binary, nobody's settings."""

from pathlib import Path

import pytest

from mmgit.errors import BuildError
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
