import re
import tomllib
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.serving.conftest import PACKAGE

FRONT = PACKAGE / "serving" / "front"
PACKAGES: list[dict[str, Any]] = tomllib.loads((FRONT / "pylock.toml").read_text())["packages"]
WHEELS = [wheel for package in PACKAGES for wheel in package["wheels"]]


def test_the_lock_names_what_the_front_asks_for() -> None:
    asked = re.findall(r"^([a-z]+)", (FRONT / "requirements.in").read_text(), re.MULTILINE)

    assert sorted({package["name"] for package in PACKAGES}) == sorted(asked)


def test_every_wheel_has_its_hash_and_comes_from_pypi() -> None:
    for wheel in WHEELS:
        assert re.fullmatch("[0-9a-f]{64}", wheel["hashes"]["sha256"])
        assert urlsplit(wheel["url"])[:2] == ("https", "files.pythonhosted.org")


def test_nothing_is_built_from_source() -> None:
    assert not any("sdist" in package for package in PACKAGES)


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
@pytest.mark.parametrize("name", ["httptools", "msgspec", "uvloop"])
@pytest.mark.parametrize("minor", ["39", "310", "311", "312", "313", "314"])
def test_there_is_a_wheel_for_every_interpreter_and_platform(name: str, minor: str, machine: str) -> None:
    wanted = re.compile(rf".*/{name}-[^-]+-cp{minor}-cp{minor}-manylinux[^-]*_{machine}\.whl")

    assert any(wanted.fullmatch(wheel["url"]) for wheel in WHEELS)
