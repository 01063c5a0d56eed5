"""Packages without a wheel: built apart and once, where a manifest names them, and refused everywhere else."""

import io
import json
import sys
import tomllib
import zipfile
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from mmgit.errors import BuildError
from mmgit.images import sdists
from mmgit.images.dependencies import Asked, lock_dependencies
from mmgit.images.origins import Index, Machine
from mmgit.images.sdists import wheels_built

if TYPE_CHECKING:
    from tests.images.conftest import Kit, Site

PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
AMD64 = Machine("linux/amd64", PYTHON, "/usr/bin/python3", "2.99")
ARM64 = Machine("linux/arm64", PYTHON, "/usr/bin/python3", "2.99")
PROJECT = """[build-system]
requires = ["helper==1.0"]
build-backend = "backend"
backend-path = ["."]
[project]
name = "old"
version = "1.0"
"""
BACKEND = """
import json, os, socket, zipfile
import helper

def build_wheel(folder, config_settings=None, metadata_directory=None):
    try:
        socket.create_connection(("127.0.0.1", {port}), 5).close()
        network = "there"
    except OSError as error:
        network = str(error)
    seen = {{"variables": dict(os.environ), "network": network, "home": os.listdir(os.environ["HOME"])}}
    name = "{name}"
    with zipfile.ZipFile(os.path.join(folder, name), "w") as wheel:
        info = "old-1.0.dist-info"
        wheel.writestr("old.json", json.dumps(seen))
        wheel.writestr("old.py", "x = 1\\n")
        wheel.writestr(info + "/METADATA", "Metadata-Version: 2.1\\nName: old\\nVersion: 1.0\\nRequires-Dist: tiny\\n")
        wheel.writestr(info + "/WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        wheel.writestr(info + "/RECORD", "")
    return name
"""


def offer(kit: "Kit", site: "Site", *, wheel: str = "old-1.0-py3-none-any.whl", backend: str = BACKEND) -> Index:
    """An index with `old` as a source distribution, what it needs to be built, and what it needs to run."""
    index = kit.publish(site, kit.wheel_of("helper", {"helper.py": ""}), kit.wheel_of("tiny", {"tiny.py": ""}))
    files = {
        "PKG-INFO": "Metadata-Version: 2.1\nName: old\nVersion: 1.0\n",
        "pyproject.toml": PROJECT,
        "backend.py": backend.format(port=site.url.rpartition(":")[2], name=wheel),
    }
    data = kit.tar_of(*(kit.member(f"old-1.0/{path}", text.encode()) for path, text in files.items()), compression="gz")
    site.files["/files/old-1.0.tar.gz"] = data
    page = f'<a href="{site.url}/files/old-1.0.tar.gz#sha256={kit.sha256(data)}">old-1.0.tar.gz</a>'
    site.files["/simple/old/"] = page.encode()
    return index


def asked(*machines: Machine) -> Asked:
    return Asked("old>=1\n", PYTHON, machines=machines or (AMD64, ARM64), sdists=("old",))


def seen_by(wheels: dict[str, bytes]) -> dict[str, Any]:
    ((_, wheel),) = wheels.items()
    with zipfile.ZipFile(io.BytesIO(wheel)) as opened:
        found: dict[str, Any] = json.loads(opened.read("old.json"))
    return found


def test_a_source_distribution_is_built_without_network_login_home_or_variables(
    kit: "Kit", site: "Site", monkeypatch: pytest.MonkeyPatch
) -> None:
    index = replace(offer(kit, site), name="acme")
    monkeypatch.setenv("UV_INDEX_ACME_USERNAME", "build")
    monkeypatch.setenv("UV_INDEX_ACME_PASSWORD", "canary-77")
    monkeypatch.setenv("MY_TOKEN", "canary-78")

    seen = seen_by(wheels_built(asked(), index))

    assert "canary" not in str(seen)
    assert seen["network"] != "there"
    assert seen["home"] == []
    assert not [name for name in seen["variables"] if name.startswith("UV_INDEX")]


def test_an_index_for_some_packages_alone_is_not_asked_for_what_builds_them(
    kit: "Kit", site: "Site", private_site: "Site"
) -> None:
    private = replace(offer(kit, private_site), name="acme", only=("old",))
    public = offer(kit, site)

    assert wheels_built(asked(), replace(public, before=(private,)))
    assert not [path for path in private_site.asked if "helper" in path]
    assert not [path for path in site.asked if "old" in path]


def test_the_wheel_that_comes_out_is_locked_with_what_it_needs(kit: "Kit", site: "Site") -> None:
    index = offer(kit, site)

    wheels = wheels_built(asked(), index)
    locked = lock_dependencies(asked(), index=index, wheels=wheels)

    old, tiny = tomllib.loads(locked.pylock.decode())["packages"]
    ((name, wheel),) = wheels.items()
    assert old["wheels"][0]["hashes"] == {"sha256": kit.sha256(wheel)}
    assert locked.wheels == {f"wheels/{name}": wheel}
    assert tiny["name"] == "tiny"


def test_without_a_word_a_package_without_a_wheel_is_refused_with_what_to_type(kit: "Kit", site: "Site") -> None:
    index = offer(kit, site)

    with pytest.raises(BuildError, match="old") as raised:
        lock_dependencies(Asked("old\n", PYTHON), index=index)
    assert "--sdist old" in raised.value.hint


def test_compiled_code_for_one_machine_is_refused_where_others_are_asked_for(kit: "Kit", site: "Site") -> None:
    tag = f"cp{PYTHON.replace('.', '')}"
    index = offer(kit, site, wheel=f"old-1.0-{tag}-{tag}-linux_x86_64.whl")

    assert wheels_built(asked(AMD64), index)
    with pytest.raises(BuildError, match=r"not for Python .* on linux/arm64") as raised:
        wheels_built(asked(), index)
    assert "wheels:" in raised.value.hint
    with pytest.raises(BuildError, match=r"newer libc than 2\.1"):
        wheels_built(asked(replace(AMD64, libc="2.1")), index)


def test_a_source_that_is_too_large_or_other_than_the_index_says_is_not_built(
    kit: "Kit", site: "Site", monkeypatch: pytest.MonkeyPatch
) -> None:
    index = offer(kit, site)
    site.files["/files/old-1.0.tar.gz"] += b"\0"

    with pytest.raises(BuildError, match="is not what its index says"):
        wheels_built(asked(), index)
    monkeypatch.setattr(sdists, "SDIST_BYTES_MAX", 100)
    with pytest.raises(BuildError, match="the source of old has more than"):
        wheels_built(asked(), index)


def test_a_build_that_takes_too_long_is_stopped(kit: "Kit", site: "Site", monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sdists, "BUILD_SECONDS", 2.0)

    with pytest.raises(BuildError, match="it took too long"):
        wheels_built(asked(), offer(kit, site, backend="import time; time.sleep(600)"))


def test_a_build_that_fails_or_needs_what_is_no_wheel_is_an_error_of_that_package(kit: "Kit", site: "Site") -> None:
    index = offer(kit, site, backend="raise SystemExit('no compiler')")

    with pytest.raises(BuildError, match="no compiler") as raised:
        wheels_built(asked(), index)
    assert "old could not be built" in raised.value.hint
    site.files["/simple/helper/"] = b""
    with pytest.raises(BuildError, match="helper"):
        wheels_built(asked(), index)


def test_what_an_index_has_no_source_of_is_an_error(kit: "Kit", site: "Site") -> None:
    index = offer(kit, site)

    with pytest.raises(BuildError) as raised:
        wheels_built(replace(asked(), sdists=("tiny",)), index)
    assert "--sdist tiny" in raised.value.hint


def test_where_the_network_cannot_be_cut_off_nothing_is_built(
    kit: "Kit", site: "Site", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sdists, "_APART", ("false",))

    with pytest.raises(BuildError, match="cannot keep a build from the network"):
        wheels_built(asked(), offer(kit, site))
