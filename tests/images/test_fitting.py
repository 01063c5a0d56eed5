"""Locks that were made elsewhere: a wheel of everything for every machine, or a word about what lacks one."""

import pytest

from mmgit.errors import BuildError
from mmgit.images.fitting import check_fits
from mmgit.images.origins import Machine

AMD64 = Machine("linux/amd64", "3.11", "/usr/bin/python3", "2.36")
ARM64 = Machine("linux/arm64", "3.11", "/usr/bin/python3", "2.36")


def lock(*wheels: str, name: str = "tiny", more: str = "", head: str = "") -> bytes:
    rows = ", ".join(
        f'{{url = "https://pypi.org/{name}-1.0-{tags}.whl", hashes = {{sha256 = "{"0" * 64}"}}}}' for tags in wheels
    )
    package = f'[[packages]]\nname = "{name}"\nversion = "1.0"\n{more}\nwheels = [{rows}]\n'
    return f'lock-version = "1.0"\ncreated-by = "test"\n{head}\n{package}'.encode()


@pytest.mark.parametrize(
    "tags",
    [
        "py3-none-any",
        "py2.py3-none-any",
        "cp311-cp311-manylinux_2_17_aarch64.manylinux2014_aarch64",
        "cp311-cp311-manylinux2014_aarch64",
        "cp38-abi3-manylinux_2_36_aarch64",
        "cp311-cp311-linux_aarch64",
    ],
)
def test_a_wheel_for_the_machine_fits(tags: str) -> None:
    check_fits(lock(tags), [ARM64])


@pytest.mark.parametrize(
    "tags",
    [
        "cp312-cp312-manylinux_2_17_aarch64",
        "cp311-cp311-manylinux_2_39_aarch64",
        "cp311-cp311-manylinux_2_17_x86_64",
        "cp311-cp311-musllinux_1_2_aarch64",
        "cp311-cp311-macosx_11_0_arm64",
        "cp312-abi3-manylinux_2_17_aarch64",
    ],
)
def test_what_has_a_wheel_for_others_only_is_named_with_the_machine(tags: str) -> None:
    with pytest.raises(
        BuildError, match=r"no wheel for Python 3\.11 on linux/arm64 with libc 2\.36 of tiny 1\.0"
    ) as said:
        check_fits(lock(tags), [AMD64, ARM64] if "x86_64" in tags else [ARM64])
    assert "uv export --format pylock.toml" in said.value.hint


def test_what_a_machine_does_not_need_may_be_missing_for_it() -> None:
    check_fits(lock("cp311-cp311-macosx_11_0_arm64", more="marker = \"sys_platform == 'darwin'\""), [ARM64])
    check_fits(
        lock("cp311-cp311-manylinux2014_x86_64", more="marker = \"platform_machine == 'x86_64'\""), [AMD64, ARM64]
    )
    check_fits(lock("cp39-cp39-win32", more="marker = \"'gpu' in extras\""), [ARM64])


def test_a_lock_for_another_python_is_refused() -> None:
    with pytest.raises(BuildError, match=r"is for Python >=3\.12; the base has 3\.11"):
        check_fits(lock("py3-none-any", head='requires-python = ">=3.12"'), [ARM64])
    check_fits(lock("py3-none-any", head='requires-python = ">=3.11.9"'), [ARM64])


@pytest.mark.parametrize("data", [b"x", b"packages = []\n", lock("nonsense")])
def test_what_is_no_lock_is_refused(data: bytes) -> None:
    with pytest.raises(BuildError, match=r"pylock\.toml"):
        check_fits(data, [ARM64])
