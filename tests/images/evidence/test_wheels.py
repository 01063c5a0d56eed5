"""Which wheels of a lock lie in an image: those that uv lays out, and no others."""

import pytest

from mmgit.errors import BuildError
from mmgit.images.evidence.wheels import wheels_on
from mmgit.images.origins import Machine

AMD64 = Machine("linux/amd64", "3.11", "/usr/bin/python3", "2.36")
ARM64 = Machine("linux/arm64", "3.11", "/usr/bin/python3", "2.36")
HOST = "https://files.example.com/packages"


def lock(*packages: str) -> bytes:
    return f"packages = [{', '.join(packages)}]".encode()


def package(name: str, *wheels: str, marker: str = "", host: str = HOST) -> str:
    said = f', marker = "{marker}"' if marker else ""
    listed = ", ".join(f'{{ url = "{host}/{wheel}", hashes = {{ sha256 = "{len(wheel):064x}" }} }}' for wheel in wheels)
    return f'{{ name = "{name}", version = "1.0"{said}, wheels = [{listed}] }}'


def names(pylock: bytes, machine: Machine = AMD64) -> list[str]:
    return [wheel.file_name for wheel in wheels_on(pylock, machine)]


NATIVE = (
    "numpy-1.0-cp311-cp311-macosx_11_0_arm64.whl",
    "numpy-1.0-cp311-cp311-manylinux_2_27_aarch64.manylinux_2_28_aarch64.whl",
    "numpy-1.0-cp311-cp311-manylinux_2_27_x86_64.manylinux_2_28_x86_64.whl",
    "numpy-1.0-cp311-cp311-musllinux_1_2_x86_64.whl",
    "numpy-1.0-cp312-cp312-manylinux_2_27_x86_64.manylinux_2_28_x86_64.whl",
)


@pytest.mark.parametrize(("machine", "chosen"), [(AMD64, NATIVE[2]), (ARM64, NATIVE[1])])
def test_each_machine_has_its_own_wheel(machine: Machine, chosen: str) -> None:
    assert names(lock(package("numpy", *NATIVE)), machine) == [chosen]


def test_the_more_special_wheel_is_taken() -> None:
    pure, stable, own = (
        f"a-1.0-{tag}.whl" for tag in ("py3-none-any", "cp39-abi3-manylinux2014_x86_64", "cp311-cp311-linux_x86_64")
    )

    assert names(lock(package("a", pure, stable))) == [stable]
    assert names(lock(package("a", pure, stable, own))) == [own]


def test_a_wheel_for_a_newer_libc_is_none_for_this_machine() -> None:
    newer, older = "a-1.0-cp311-cp311-manylinux_2_39_x86_64.whl", "a-1.0-cp311-cp311-manylinux_2_36_x86_64.whl"

    assert names(lock(package("a", newer, older))) == [older]


def test_packages_for_other_machines_are_left_out() -> None:
    pylock = lock(
        package("a", "a-1.0-py3-none-any.whl", marker="sys_platform == 'win32'"),
        package("b", "b-1.0-py3-none-any.whl", marker="python_full_version >= '3.11'"),
        package("c", "c-1.0-py3-none-any.whl", marker="platform_machine == 'aarch64'"),
    )

    assert names(pylock) == ["b-1.0-py3-none-any.whl"]
    assert names(pylock, ARM64) == ["b-1.0-py3-none-any.whl", "c-1.0-py3-none-any.whl"]


def test_of_two_builds_the_later_one_is_taken() -> None:
    assert names(lock(package("a", "a-1.0-1-py3-none-any.whl", "a-1.0-2-py3-none-any.whl"))) == [
        "a-1.0-2-py3-none-any.whl"
    ]


def test_an_address_is_kept_without_a_login_and_a_query() -> None:
    (wheel,) = wheels_on(
        lock(package("a", "a-1.0-py3-none-any.whl?token=x", host="https://me:secret@x.example")), AMD64
    )

    assert wheel.url == "https://x.example/a-1.0-py3-none-any.whl"


def test_a_wheel_beside_the_lock_has_no_address() -> None:
    wheel = f'{{ path = "wheels/own-1.0-py3-none-any.whl", hashes = {{ sha256 = "{1:064x}" }} }}'

    (found,) = wheels_on(lock(f'{{ name = "own", version = "1.0", wheels = [{wheel}] }}'), AMD64)

    assert (found.file_name, found.url) == ("own-1.0-py3-none-any.whl", "")


@pytest.mark.parametrize(
    "pylock",
    [
        lock(package("numpy", NATIVE[0])),
        lock(package("a", "no-wheel")),
        lock(package("a", "a-1.0-py3-none-any.whl", marker="nonsense")),
        b"packages = [1]",
        b"\xff",
    ],
)
def test_a_lock_that_has_nothing_for_a_machine_says_so(pylock: bytes) -> None:
    with pytest.raises(BuildError, match=r"pylock\.toml is not a lock"):
        wheels_on(pylock, AMD64)
