"""Python packages laid out: the same files for the same lock, with our scripts and honest RECORDs."""

import base64
import csv
import hashlib
import io
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mmgit.errors import BuildError
from mmgit.images.origins import Index, Machine
from mmgit.images.site import lay_out, site_entries

if TYPE_CHECKING:
    from tests.images.conftest import Kit, Site

MACHINE = Machine("linux/arm64", "3.11", "/usr/bin/python3", "2.36")
ENTRY_POINTS = "[console_scripts]\nTiny = tiny:main.run\n\n[gui_scripts]\nwindow = tiny : show [extra]\n"


@pytest.fixture
def index(site: "Site") -> Index:
    return Index(f"{site.url}/simple", ("127.0.0.1",))


def content(folder: Path) -> dict[str, bytes]:
    return {each.path: b"".join(each.blocks()) for each in site_entries(folder, "opt/d", "/usr/bin/python3")}


def laid_out(kit: "Kit", site: "Site", index: Index, folder: Path, wheel: tuple[str, bytes]) -> dict[str, bytes]:
    lay_out(kit.pylock_of(site, wheel), MACHINE, folder, index=index)
    return content(folder)


def test_a_wheel_is_laid_out_for_another_machine(kit: "Kit", site: "Site", index: Index, tmp_path: Path) -> None:
    name, data = kit.wheel_of("tiny", {"tiny.py": "x = 1\n"})
    wheel = (name.replace("py3-none-any", "cp311-cp311-manylinux_2_17_aarch64.manylinux2014_aarch64"), data)

    assert laid_out(kit, site, index, tmp_path / "t", wheel)["opt/d/tiny.py"] == b"x = 1\n"


@pytest.mark.parametrize("tag", ["manylinux_2_17_x86_64", "manylinux_2_39_aarch64", "macosx_11_0_arm64"])
def test_a_wheel_for_another_machine_or_a_newer_libc_is_an_error(
    kit: "Kit", site: "Site", index: Index, tmp_path: Path, tag: str
) -> None:
    name, data = kit.wheel_of("tiny", {})
    wheel = (name.replace("py3-none-any", f"cp311-cp311-{tag}"), data)

    with pytest.raises(BuildError, match=r"no wheel for Python 3\.11 on linux/arm64 with libc 2\.36 of tiny 1\.0"):
        laid_out(kit, site, index, tmp_path / "t", wheel)


def test_the_network_is_not_asked_for_what_the_cache_has(
    kit: "Kit", site: "Site", index: Index, tmp_path: Path
) -> None:
    wheel = kit.wheel_of("tiny", {"tiny.py": ""})
    laid_out(kit, site, index, tmp_path / "one", wheel)
    site.asked.clear()

    laid_out(kit, site, index, tmp_path / "two", wheel)

    assert site.asked == []


def test_a_wheel_with_other_bytes_than_locked_is_refused(
    kit: "Kit", site: "Site", index: Index, tmp_path: Path
) -> None:
    name, wheel = kit.wheel_of("tiny", {"tiny.py": "x = 1"})
    lock = kit.pylock_of(site, (name, wheel))
    site.files[f"/files/{name}"] = kit.wheel_of("tiny", {"tiny.py": "x = 2"})[1]

    with pytest.raises(BuildError, match=r"(?i)(hash|size) mismatch"):
        lay_out(lock, MACHINE, tmp_path / "t", index=index)


@pytest.mark.parametrize("path", ["../evil.py", "../../evil.py", "/tmp/evil-of-mmgit.py", "a/../../../evil.py"])  # noqa: S108
def test_a_wheel_cannot_write_beside_its_folder(
    kit: "Kit", site: "Site", index: Index, tmp_path: Path, path: str
) -> None:
    folder = tmp_path / "a" / "b" / "c"
    folder.mkdir(parents=True)

    with suppress(BuildError):
        laid_out(kit, site, index, folder, kit.wheel_of("tiny", {"tiny.py": "", path: "evil"}))

    outside = {each.relative_to(tmp_path).parts[0] for each in tmp_path.rglob("evil*") if folder not in each.parents}
    assert outside <= {"uv-cache"}
    assert not Path("/tmp/evil-of-mmgit.py").exists()  # noqa: S108 - that is the point


def test_a_link_in_a_package_is_refused(tmp_path: Path) -> None:
    (tmp_path / "evil").symlink_to("/etc/passwd")

    with pytest.raises(BuildError, match="brings 'evil', which is no file"):
        content(tmp_path)


def test_scripts_of_entry_points_are_in_our_words_whatever_uv_writes(
    kit: "Kit", site: "Site", index: Index, tmp_path: Path
) -> None:
    found = laid_out(kit, site, index, tmp_path / "t", kit.wheel_of("tiny", {"tiny.py": ""}, entry_points=ENTRY_POINTS))

    assert found["opt/d/bin/Tiny"].decode() == (
        '#!/usr/bin/python3\nimport sys\nsys.path.insert(0, "/opt/d")\nfrom tiny import main\nsys.exit(main.run())\n'
    )
    assert b"from tiny import show\n" in found["opt/d/bin/window"]


def test_other_scripts_run_the_python_of_the_image(kit: "Kit", site: "Site", index: Index, tmp_path: Path) -> None:
    scripts = "tiny-1.0.data/scripts"
    files = {f"{scripts}/plain": "#!python\nx\n", f"{scripts}/shell": "#!/bin/sh\ny\n"}

    found = laid_out(kit, site, index, tmp_path / "t", kit.wheel_of("tiny", files))

    assert found["opt/d/bin/plain"] == b"#!/usr/bin/python3\nx\n"
    assert found["opt/d/bin/shell"] == b"#!/bin/sh\ny\n"


def test_the_trampoline_of_a_long_path_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "run").write_bytes(b"#!/bin/sh\n'''exec' '/long/python' \"$0\" \"$@\"\n' '''\nimport x\n")

    assert content(tmp_path)["opt/d/bin/run"] == b"#!/usr/bin/python3\nimport x\n"


def test_record_holds_what_is_in_the_layer_and_nothing_else(
    kit: "Kit", site: "Site", index: Index, tmp_path: Path
) -> None:
    files = {"tiny.py": "x = 1\n", "a,b.txt": "comma", "__pycache__/tiny.cpython-311.pyc": "no"}

    found = laid_out(kit, site, index, tmp_path / "t", kit.wheel_of("tiny", files, entry_points=ENTRY_POINTS))

    rows = list(csv.reader(io.StringIO(found["opt/d/tiny-1.0.dist-info/RECORD"].decode())))
    assert rows == sorted(rows)
    assert {f"opt/d/{row[0]}" for row in rows} == set(found)
    for path, digest, size in rows:
        if digest:
            data = found[f"opt/d/{path}"]
            expected = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
            assert (digest, size) == (f"sha256={expected}", str(len(data)))


def test_no_trace_of_the_installer_is_left(kit: "Kit", site: "Site", index: Index, tmp_path: Path) -> None:
    found = laid_out(kit, site, index, tmp_path / "t", kit.wheel_of("tiny", {"tiny.py": "", "tiny.pyc": ""}))

    names = {path.rpartition("/")[2] for path in found}
    assert names == {"tiny.py", "METADATA", "WHEEL", "RECORD"}
    assert str(tmp_path).encode() not in b"".join(found.values())


def test_a_file_is_executable_or_not_and_no_more(tmp_path: Path) -> None:
    for name, mode in (("a", 0o4711), ("b", 0o666)):
        (tmp_path / name).write_bytes(b"")
        (tmp_path / name).chmod(mode)

    modes = {entry.path: oct(entry.mode) for entry in site_entries(tmp_path, "opt/d", "python3")}

    assert modes == {"opt/d/a": "0o755", "opt/d/b": "0o644"}


def test_broken_entry_points_are_refused_with_the_package(tmp_path: Path) -> None:
    (tmp_path / "x-1.dist-info").mkdir()
    (tmp_path / "x-1.dist-info" / "entry_points.txt").write_text("no section\n")

    with pytest.raises(BuildError, match=r"x-1\.dist-info has broken entry points"):
        content(tmp_path)


def test_the_order_in_which_a_folder_lists_its_files_does_not_matter(tmp_path: Path) -> None:
    names = [f"f{number}" for number in range(50)]
    for folder, order in (("one", names), ("two", names[::-1])):
        (tmp_path / folder).mkdir()
        for name in order:
            (tmp_path / folder / name).write_bytes(name.encode())

    assert content(tmp_path / "one") == content(tmp_path / "two")
