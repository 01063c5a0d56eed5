"""What binaries of an image need and it lacks, and which package has it."""

import gzip
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mmgit.images import contents
from mmgit.images.binaries import contents_of_base, contents_of_folder, contents_of_layer
from mmgit.images.contents import Holder, holders_of, named_by_rule
from mmgit.images.layers import plan, write
from mmgit.images.layout import Layout
from mmgit.images.needs import (
    Contents,
    Lack,
    lack_of,
    of_other_pythons,
    remembered,
)
from mmgit.images.origins import Mirror
from mmgit.images.tar import file, link

if TYPE_CHECKING:
    from tests.images.conftest import Kit, Site

AMD64, ARM64 = "linux/amd64", "linux/arm64"
NEW = (("libc.so.6", "GLIBC_2.38"),)


def test_what_neither_base_nor_layers_have_is_lacking_with_a_file_that_needs_it() -> None:
    base = Contents(names=["libc.so.6"])
    view = Contents(["view.so", "libown.so.3"], {"libc.so.6": "view.so", "libGL.so.1": "view.so", "libown.so.3": "v"})
    more = Contents([], {"libGL.so.1": "other.so", "libtbb.so.12": "tbb.so", "libcuda.so.1": "gpu.so"})

    assert lack_of(base, [view, more]) == Lack({"libGL.so.1": "view.so", "libtbb.so.12": "tbb.so"}, {})
    assert lack_of(base, [view, more], ["libGL.so.1", "libtbb.so.12"]) == Lack({}, {})


def test_symbols_that_the_library_of_the_base_lacks_are_lacking() -> None:
    base = Contents(["libc.so.6", "libm.so.6"], defined={"libc.so.6": ["GLIBC_2.36"]})
    needed = [("libc.so.6", "GLIBC_2.38", "new.so"), ("libc.so.6", "GLIBC_2.36", "old.so")]
    unknown = [("libm.so.6", "GLIBC_2.99", "m.so")]

    assert lack_of(base, [Contents(versions=[*needed, *unknown])]).versions == {("libc.so.6", "GLIBC_2.38"): "new.so"}
    assert lack_of(base, [Contents(["libc.so.6"], versions=needed)]).versions == {}


def test_extension_modules_of_another_python_are_told_unless_there_is_one_of_this() -> None:
    names = [
        f"{name}.cpython-3{minor}-x86_64-linux-gnu.so" for name, minor in (("a", 11), ("b", 12), ("b", 11), ("c", 13))
    ]

    found = of_other_pythons(Contents([*names, "d.abi3.so", "e.so"]), "3.11")

    assert found == {"c.cpython-313-x86_64-linux-gnu.so": "3.13"}


def test_a_folder_and_the_layer_made_of_it_hold_the_same(kit: "Kit", layout: Layout, tmp_path: Path) -> None:
    files = {
        "cv2/cv2.abi3.so": kit.elf_of("libc.so.6", "libGL.so.1", versions=NEW),
        "bin/tool": kit.elf_of("libfuse.so.2"),
        "cv2/arm.so": kit.elf_of("libarm.so.1", elf=(2, 1, 183)),
        "notes.so": b"no binary",
        "empty.so": b"",
    }
    for name, data in files.items():
        (tmp_path / "site" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "site" / name).write_bytes(data)
    made = plan("x", {}, lambda _: [file(name, data) for name, data in files.items()])

    of_folder = contents_of_folder(tmp_path / "site", AMD64)
    of_layer = contents_of_layer(write(made, layout), layout, AMD64)

    assert of_folder == of_layer
    assert of_folder.names == ["arm.so", "cv2.abi3.so", "tool"]
    assert of_folder.libraries == {
        "libc.so.6": "cv2/cv2.abi3.so",
        "libGL.so.1": "cv2/cv2.abi3.so",
        "libfuse.so.2": "bin/tool",
    }
    assert of_folder.versions == [("libc.so.6", "GLIBC_2.38", "cv2/cv2.abi3.so")]


def test_a_base_tells_names_and_the_versions_that_its_c_and_c_plus_plus_define(kit: "Kit", layout: Layout) -> None:
    entries = [
        file("usr/lib/x/libc.so.6", kit.elf_of(defines=("GLIBC_2.36",))),
        file("usr/lib/x/libstdc++.so.6.0.30", kit.elf_of("libc.so.6", defines=("GLIBCXX_3.4.30",))),
        link("usr/lib/x/libstdc++.so.6", "libstdc++.so.6.0.30"),
        file("usr/lib/x/libother.so.1", kit.elf_of(defines=("OTHER_1",))),
    ]

    found = contents_of_base([write(plan("base", {}, lambda _: entries), layout)], layout, "linux/amd64")

    assert set(found.names) == {"libc.so.6", "libstdc++.so.6.0.30", "libstdc++.so.6", "libother.so.1"}
    assert found.defined["libc.so.6"] == ["GLIBC_2.36"]
    assert found.defined["libstdc++.so.6"] == ["GLIBCXX_3.4.30"]
    assert "libother.so.1" not in found.defined


def test_what_was_read_is_remembered_until_the_layer_goes(layout: Layout) -> None:
    layer = write(plan("x", {}, lambda _: [file("a", b"a")]), layout)
    found = Contents(["a.so"], {"libc.so.6": "a.so"}, [("libc.so.6", "GLIBC_2.38", "a.so")])
    first = remembered(layout, f"{layer.key}.amd64.needs", lambda: found)

    layout.collect([layer.digest])
    again = remembered(layout, f"{layer.key}.amd64.needs", lambda: pytest.fail("it was read again"))
    layout.collect([])

    assert again == first == found
    assert remembered(layout, f"{layer.key}.amd64.needs", Contents) == Contents()


@pytest.mark.parametrize("broken", [b"{", b'{"nobody": 1}', b"[]"])
def test_a_broken_note_is_read_anew(layout: Layout, broken: bytes) -> None:
    layout.note("k.needs", broken)

    assert remembered(layout, "k.needs", lambda: Contents(["a"])) == Contents(["a"])


INDEX = b"""usr/bin/GL  graphics/gl
usr/lib/x86_64-linux-gnu/libGL.so.1                      libs/libgl1
usr/lib/x86_64-linux-gnu/libGL.so.1.7.0                  libs/libgl1
usr/lib/x86_64-linux-gnu/nvidia/libtbb.so.12             contrib/libs/nvidia-tbb
lib/x86_64-linux-gnu/libgthread-2.0.so.0    libs/Bad_Name,libs/libglib2.0-0
usr/lib/aarch64-linux-gnu/libtbb.so.12                   libs/libtbb12-arm
"""


@pytest.fixture
def mirror(site: "Site") -> Mirror:
    site.files["/debian/dists/bookworm/main/Contents-amd64.gz"] = gzip.compress(INDEX)
    return Mirror(f"{site.url}/debian", f"{site.url}/security", f"{site.url}/snapshot")


def test_the_package_of_a_library_is_looked_up_in_the_archives_index_else_guessed(mirror: Mirror) -> None:
    found = holders_of(["libGL.so.1", "libgthread-2.0.so.0", "libtbb.so.12", "no\nname"], "bookworm", AMD64, mirror)

    assert found == {
        "libGL.so.1": Holder("libgl1", is_guessed=False),
        "libgthread-2.0.so.0": Holder("libglib2.0-0", is_guessed=False),
        "libtbb.so.12": Holder("libtbb12", is_guessed=True),
    }


@pytest.mark.parametrize("index", [None, b"no gzip", gzip.compress(b"x" * 3_000_000)])
def test_without_an_index_packages_are_guessed(mirror: Mirror, site: "Site", index: bytes | None) -> None:
    site.files.clear()
    if index is not None:
        site.files["/debian/dists/bookworm/main/Contents-amd64.gz"] = index

    assert holders_of(["libGL.so.1"], "bookworm", AMD64, mirror) == {"libGL.so.1": Holder("libgl1", is_guessed=True)}


def test_an_index_that_never_ends_is_left(mirror: Mirror, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contents, "_INDEX_LIMIT_BYTES", 10)

    assert holders_of(["libGL.so.1"], "bookworm", AMD64, mirror)["libGL.so.1"].is_guessed


def test_a_long_index_is_read_piece_by_piece(mirror: Mirror, site: "Site") -> None:
    many = b"".join(b"usr/share/doc/f%d libs/many\n" % number for number in range(200_000))
    site.files["/debian/dists/bookworm/main/Contents-amd64.gz"] = gzip.compress(many + INDEX)

    assert not holders_of(["libGL.so.1"], "bookworm", AMD64, mirror)["libGL.so.1"].is_guessed


@pytest.mark.parametrize(
    ("library", "package"),
    [
        ("libGL.so.1", "libgl1"),
        ("libbz2.so.1.0", "libbz2-1.0"),
        ("libX11.so.6", "libx11-6"),
        ("libstdc++.so.6", "libstdc++6"),
        ("libpq.so.5", "libpq5"),
        ("lib_x.so.2", "lib-x2"),
        ("+", ""),
    ],
)
def test_packages_are_named_by_debians_rule(library: str, package: str) -> None:
    assert named_by_rule(library) == package
