"""Wheels that mmgit unpacks itself: verified first, bounded, and laid out as uv would."""

import functools
import io
import stat
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mmgit.errors import BuildError
from mmgit.images import wheels
from mmgit.images.choosing import chosen
from mmgit.images.dependencies import lock_dependencies
from mmgit.images.origins import Index, Machine
from mmgit.images.site import lay_out, lay_out_but, site_entries
from mmgit.images.wheels import unpack, unpack_all

if TYPE_CHECKING:
    from tests.images.conftest import Kit, Site

S390X = Machine("linux/s390x", "3.11", "/usr/bin/python3", "2.36")
AMD64 = Machine("linux/amd64", "3.11", "/usr/bin/python3", "2.36")
ENTRY_POINTS = "[console_scripts]\nTiny = tiny:main.run\n\n[gui_scripts]\nwindow = tiny : show [extra]\n"
DATA = "tiny-1.0.data"
FILES = {
    "tiny.py": "x = 1\n",
    "inner/deep/data.txt": "ä",
    f"{DATA}/purelib/pure.py": "p",
    f"{DATA}/platlib/plat.py": "q",
    f"{DATA}/data/share/tiny/data.json": "{}",
    f"{DATA}/scripts/plain": "#!python\nx\n",
    f"{DATA}/scripts/shell": "#!/bin/sh\ny\n",
}


@pytest.fixture
def index(site: "Site") -> Index:
    return Index(f"{site.url}/simple", ("127.0.0.1",))


def content(folder: Path) -> dict[str, tuple[int, bytes]]:
    return {
        each.path: (each.mode, b"".join(each.blocks())) for each in site_entries(folder, "opt/d", "/usr/bin/python3")
    }


def test_what_comes_out_is_what_uv_lays_out(kit: "Kit", site: "Site", index: Index, tmp_path: Path) -> None:
    lock = kit.pylock_of(site, kit.wheel_of("tiny", FILES, entry_points=ENTRY_POINTS))

    lay_out(lock, AMD64, tmp_path / "uv", index=index)
    unpack_all(chosen(lock, AMD64), tmp_path / "ours", index=index, wheels={})

    ours = content(tmp_path / "ours")
    assert ours == content(tmp_path / "uv")
    assert {"opt/d/bin/Tiny", "opt/d/bin/plain", "opt/d/share/tiny/data.json", "opt/d/pure.py"} < set(ours)


def test_a_machine_that_uv_does_not_know_gets_its_own_wheel(
    kit: "Kit", site: "Site", index: Index, tmp_path: Path
) -> None:
    name, data = kit.wheel_of("tiny", {"tiny.py": "for all\n"})
    own = kit.wheel_of("tiny", {"tiny.py": "own\n"})[1]
    tagged = name.replace("py3-none-any", "cp311-cp311-manylinux_2_17_s390x.manylinux2014_s390x")
    lock = kit.pylock_of(site, (name, data), (tagged, own))

    both = lock.replace(b'] },\n  { name = "tiny", version = "1.0", wheels = [', b", ")
    assert both != lock

    lay_out(both, S390X, tmp_path / "t", index=index)

    assert (tmp_path / "t" / "tiny.py").read_text() == "own\n"


def test_a_libc_that_uv_does_not_know_yet_is_served_too(kit: "Kit", site: "Site", index: Index, tmp_path: Path) -> None:
    name, data = kit.wheel_of("tiny", {"tiny.py": ""})
    tagged = name.replace("py3-none-any", "cp313-cp313-manylinux_2_41_x86_64")

    lay_out(
        kit.pylock_of(site, (tagged, data)),
        Machine("linux/amd64", "3.13", "/usr/bin/python3", "2.41"),
        tmp_path / "t",
        index=index,
    )

    assert (tmp_path / "t" / "tiny.py").is_file()


def test_a_package_without_a_wheel_is_named_with_the_ways_out(
    kit: "Kit", site: "Site", index: Index, tmp_path: Path
) -> None:
    name, data = kit.wheel_of("tiny", {})
    lock = kit.pylock_of(site, (name.replace("py3-none-any", "cp311-cp311-manylinux_2_17_x86_64"), data))

    with pytest.raises(
        BuildError, match=r"no wheel for Python 3\.11 on linux/s390x with libc 2\.36 of tiny 1\.0"
    ) as raised:
        lay_out(lock, S390X, tmp_path / "t", index=index)

    assert 'tiny; platform_machine != "s390x"' in raised.value.hint
    assert "--package python3-tiny" in raised.value.hint
    lay_out_but(("tiny",), lock, S390X, tmp_path / "t", index=index)
    assert list((tmp_path / "t").iterdir()) == []


def test_markers_are_those_of_the_machine(kit: "Kit", site: "Site", index: Index, tmp_path: Path) -> None:
    lock = kit.pylock_of(site, kit.wheel_of("tiny", {"tiny.py": ""}))
    marked = lock.replace(b", version", b", marker = \"platform_machine != 's390x'\", version", 1)
    assert marked != lock

    lay_out(marked, S390X, tmp_path / "t", index=index)

    assert not (tmp_path / "t" / "tiny.py").exists()


def test_nothing_of_a_wheel_with_other_bytes_is_unpacked(
    kit: "Kit", site: "Site", index: Index, tmp_path: Path
) -> None:
    name, wheel = kit.wheel_of("tiny", {"tiny.py": "x = 1"})
    lock = kit.pylock_of(site, (name, wheel))
    site.files[f"/files/{name}"] = kit.wheel_of("tiny", {"tiny.py": "x = 2"})[1]

    with pytest.raises(BuildError, match="hash mismatch"):
        lay_out(lock, S390X, tmp_path / "t", index=index)

    assert list((tmp_path / "t").iterdir()) == []


def test_a_server_that_falters_is_asked_again(
    kit: "Kit", site: "Site", index: Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wheels, "PAUSES_SECONDS", (0.0,))
    wheel = kit.wheel_of("tiny", {"tiny.py": ""})
    lock = kit.pylock_of(site, wheel)
    site.statuses[f"/files/{wheel[0]}"] = [503]

    lay_out(lock, S390X, tmp_path / "t", index=index)
    site.statuses[f"/files/{wheel[0]}"] = [503, 503]

    with pytest.raises(BuildError, match=r"tiny-1\.0.*cannot be had: .*503"):
        lay_out(lock, S390X, tmp_path / "other", index=index)


def wheel_with(
    path: str, data: bytes = b"evil", *, mode: int = 0, twice: bool = False, coding: int = zipfile.ZIP_STORED
) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", coding) as archive:
        for name in ("METADATA", "RECORD"):
            archive.writestr(f"tiny-1.0.dist-info/{name}", "")
        for _ in range(2 if twice else 1):
            member = zipfile.ZipInfo(path)
            member.external_attr, member.compress_type = mode << 16, coding
            archive.writestr(member, data)
    return out.getvalue()


def damaged(coding: int) -> bytes:
    """A wheel of which a file cannot be unpacked."""
    wheel = wheel_with("evil", bytes(range(256)) * 50, coding=coding)
    begin = wheel.index(b"evil") + len("evil") + (9 if coding == zipfile.ZIP_LZMA else 0)
    return wheel[:begin] + b"\xff" * 8 + wheel[begin + 8 :]


def wheel_of_record(record: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("tiny-1.0.dist-info/METADATA", "")
        archive.writestr("tiny-1.0.dist-info/RECORD", record)
    return out.getvalue()


@pytest.mark.parametrize(
    "path",
    [
        *("../evil.py", "/tmp/evil.py", "a/../../evil.py", "a//evil.py", "./evil.py", "a\\..\\evil.py"),  # noqa: S108
        *("C:evil.py", f"{DATA}/data/../../evil.py", f"{DATA}/scripts/../evil", "a/..", "evil\n.py"),
    ],
)
def test_a_path_that_leads_elsewhere_is_refused(tmp_path: Path, path: str) -> None:
    (tmp_path / "w").write_bytes(wheel_with(path))

    with pytest.raises(BuildError, match="which is no safe path"):
        unpack(tmp_path / "w", "tiny-1.0-py3-none-any.whl", tmp_path / "a" / "b")

    assert not list(tmp_path.rglob("evil*"))


@pytest.mark.parametrize(
    ("wheel", "said"),
    [
        (wheel_with("evil", b"/etc/passwd", mode=stat.S_IFLNK | 0o777), "as something else than a file"),
        (wheel_with("evil", mode=stat.S_IFIFO | 0o644), "as something else than a file"),
        (wheel_with(f"{DATA}/nowhere/evil"), "nowhere to be installed"),
        (wheel_with(f"{DATA}/scripts"), "nowhere to be installed"),
        (wheel_with("tiny-1.0.dist-info/entry_points.txt", b"[console_scripts]\n../evil = tiny:x\n"), "a command"),
        (wheel_with("tiny-1.0.dist-info/entry_points.txt", b"[console_scripts\n"), "broken entry points"),
        (wheel_with("other-1.0.dist-info/METADATA"), "no sound wheel"),
        (b"no archive", "no sound wheel"),
        (wheel_with("evil")[:-40], "no sound wheel"),
        (damaged(zipfile.ZIP_DEFLATED), "no sound wheel"),
        (damaged(zipfile.ZIP_LZMA), "no sound wheel"),
        (wheel_of_record(b"a" * 200_000), "no sound wheel"),
        (wheel_of_record(b"a\rb\r"), "no sound wheel"),
        (wheel_with("tiny-1.0.dist-info/entry_points.txt", b"#" * 2**20 + b"\n"), "entry points take more than 1 MiB"),
        (wheel_with("tiny-1.0.data/data/tiny-1.0.dist-info/entry_points.txt", b"#" * (2**20 + 1)), "more than 1 MiB"),
    ],
)
def test_what_is_no_sound_wheel_is_refused(tmp_path: Path, wheel: bytes, said: str) -> None:
    (tmp_path / "w").write_bytes(wheel)

    with pytest.raises(BuildError, match=said):
        unpack(tmp_path / "w", "tiny-1.0-py3-none-any.whl", tmp_path / "t")

    assert not [each for each in tmp_path.rglob("evil") if each.is_symlink() or each.parent == tmp_path]


@pytest.mark.parametrize("name", ["evil-1.0-py3-none-any.whl", "tiny-1.1-py3-none-any.whl"])
def test_a_wheel_under_the_name_of_another_one_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "w").write_bytes(wheel_with("tiny.py"))

    with pytest.raises(BuildError, match=r"it holds 'tiny-1\.0'"):
        unpack(tmp_path / "w", name, tmp_path / "t")

    assert not (tmp_path / "t").exists()


@pytest.mark.parametrize("name", ["Tiny-1-py3-none-any.whl", "tiny-1.0.0-1-py3-none-any.whl"])
def test_names_and_versions_are_compared_however_they_are_written(tmp_path: Path, name: str) -> None:
    (tmp_path / "w").write_bytes(wheel_with("tiny.py"))

    unpack(tmp_path / "w", name, tmp_path / "t")

    assert (tmp_path / "t" / "tiny.py").is_file()


def test_a_wheel_is_named_by_the_lock_before_its_address(
    kit: "Kit", site: "Site", index: Index, tmp_path: Path
) -> None:
    name, data = kit.wheel_of("tiny", {"tiny.py": ""})
    lock = kit.pylock_of(site, (name, data))
    named = lock.replace(f"/files/{name}".encode(), b"/files/1").replace(b"url =", f'name = "{name}", url ='.encode())
    site.files["/files/1"] = data

    for machine, folder in ((AMD64, tmp_path / "uv"), (S390X, tmp_path / "ours")):
        lay_out(named, machine, folder, index=index)

        assert (folder / "tiny.py").is_file()
    assert [each.file_name for each in chosen(named, AMD64)] == [name]


def test_a_marker_nested_too_deep_is_said_of_the_lock(kit: "Kit", site: "Site") -> None:
    marker = "(" * 3000 + "os_name == 'posix'" + ")" * 3000
    lock = kit.pylock_of(site, kit.wheel_of("tiny", {}))

    with pytest.raises(BuildError, match="nested too deep"):
        chosen(lock.replace(b", version", f', marker = "{marker}", version'.encode(), 1), S390X)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_file_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    (tmp_path / "w").write_bytes(wheel_with("evil", twice=True))

    with pytest.raises(BuildError, match="'evil' twice"):
        unpack(tmp_path / "w", "tiny-1.0-py3-none-any.whl", tmp_path / "t")


@pytest.mark.parametrize("limit", ["UNPACKED_BYTES_MAX", "FILES_MAX", "RECORD_BYTES_MAX"])
def test_a_wheel_that_holds_more_than_any_is_refused(
    kit: "Kit", tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str
) -> None:
    monkeypatch.setattr(wheels, limit, 2)
    name, data = kit.wheel_of("tiny", {"tiny.py": "long enough"})
    (tmp_path / "w").write_bytes(data)

    with pytest.raises(BuildError, match="more than"):
        unpack(tmp_path / "w", name, tmp_path / "t")


def test_a_wheel_beside_the_lock_is_verified_too(kit: "Kit", tmp_path: Path) -> None:
    name, data = kit.wheel_of("tiny", {"tiny.py": "x = 1\n"})
    sha256 = kit.sha256(data)
    lock = (
        'lock-version = "1.0"\ncreated-by = "test"\n[[packages]]\nname = "tiny"\nversion = "1.0"\n'
        f'wheels = [{{ path = "wheels/{name}", hashes = {{ sha256 = "{sha256}" }} }}]\n'
    ).encode()
    own = {f"wheels/{name}": functools.partial(io.BytesIO, data)}
    other = {f"wheels/{name}": functools.partial(io.BytesIO, data + b"x")}

    lay_out(lock, S390X, tmp_path / "t", wheels=own)

    assert (tmp_path / "t" / "tiny.py").is_file()
    with pytest.raises(BuildError, match="hash mismatch"):
        lay_out(lock, S390X, tmp_path / "u", wheels=other)


@pytest.mark.network
def test_real_wheels_come_out_as_from_uv(tmp_path: Path) -> None:
    from mmgit.images.dependencies import Asked  # noqa: PLC0415 - with the network alone
    from mmgit.images.origins import PYPI  # noqa: PLC0415 - as above

    lock = lock_dependencies(Asked("numpy\nflask\n", "3.11")).pylock

    lay_out(lock, AMD64, tmp_path / "uv")
    unpack_all(chosen(lock, AMD64), tmp_path / "ours", index=PYPI, wheels={})

    assert content(tmp_path / "ours") == content(tmp_path / "uv")
