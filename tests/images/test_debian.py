"""The root file system of a base: what packages bring, put where a merged /usr has it, and what scripts would do."""

from collections.abc import Iterable

import pytest

from mmgit.errors import BuildError
from mmgit.images.debian import root_file_system
from mmgit.images.tar import Entry, file, folder, link, ordered


def tree(*packages: Iterable[Entry]) -> dict[str, Entry]:
    named = {f"package-{number}": entries for number, entries in enumerate(packages)}
    return {entry.path: entry for entry in root_file_system(named, "bookworm")}


def text(entry: Entry) -> str:
    return b"".join(entry.blocks()).decode()


def test_what_lay_in_bin_and_lib_lies_below_usr_and_links_lead_there() -> None:
    found = tree(
        [folder("lib64"), link("lib64/ld.so", "/lib/ld-2.36.so"), file("lib/ld-2.36.so", b""), file("bin/x", b"")]
    )

    assert found["usr/lib64/ld.so"].target == "/lib/ld-2.36.so"
    assert "usr/lib/ld-2.36.so" in found
    assert {path: found[path].target for path in ("bin", "lib", "lib64")} == {
        "bin": "usr/bin",
        "lib": "usr/lib",
        "lib64": "usr/lib64",
    }
    assert "sbin" not in found


def test_links_that_a_package_brings_for_a_merged_usr_stay_where_they_are() -> None:
    found = tree([link("bin", "usr/bin"), file("usr/bin/x", b"")])

    assert found["bin"].target == "usr/bin"


def test_every_certificate_is_in_the_one_bundle_that_python_reads() -> None:
    found = tree(
        [file("usr/share/ca-certificates/mozilla/B.crt", b"B"), file("usr/share/ca-certificates/mozilla/A.crt", b"A\n")]
    )

    assert text(found["etc/ssl/certs/ca-certificates.crt"]) == "A\nB\n"
    assert found["usr/lib/ssl/cert.pem"].target == "/etc/ssl/certs/ca-certificates.crt"


def test_a_base_without_certificates_has_no_bundle() -> None:
    assert "usr/lib/ssl/cert.pem" not in tree([file("usr/x", b"")])


def test_manuals_and_translations_go_and_licences_stay() -> None:
    found = tree(
        [
            file("usr/share/doc/libc6/changelog.gz", b""),
            file("usr/share/doc/libc6/copyright", b"GPL"),
            file("usr/share/man/man1/x.1", b""),
            file("usr/share/locale/de/x.mo", b""),
        ]
    )

    assert sorted(path for path in found if path.startswith("usr/share")) == ["usr/share/doc/libc6/copyright"]


def test_there_is_a_user_without_rights_and_a_folder_for_anybody() -> None:
    found = tree([])

    assert "nonroot:x:65532:65532:" in text(found["etc/passwd"])
    assert found["tmp"].mode == 0o1777
    assert 'VERSION_ID="12"' in text(found["etc/os-release"])


def test_one_file_in_two_packages_is_refused_with_the_package() -> None:
    with pytest.raises(BuildError, match="package package-1 holds another 'etc/x'"):
        tree([file("etc/x", b"1")], [file("etc/x", b"2")])


def test_the_same_file_or_folder_in_two_packages_is_fine() -> None:
    assert "etc/x" in tree([folder("etc"), file("etc/x", b"1")], [folder("etc"), file("etc/x", b"1")])


def test_the_order_of_packages_does_not_matter() -> None:
    one, other = {"a": [file("x", b"")], "b": [file("y", b"")]}, {"b": [file("y", b"")], "a": [file("x", b"")]}

    assert [entry.path for entry in ordered(root_file_system(one, "trixie"))] == [
        entry.path for entry in ordered(root_file_system(other, "trixie"))
    ]
