"""The names of libraries that `update-alternatives` would make."""

import pytest

from mmgit.images.alternatives import PACKAGES, library_entries

FOLDER = "usr/lib/s390x-linux-gnu"
REFERENCE = [f"{FOLDER}/blas/libblas.so.3", f"{FOLDER}/lapack/liblapack.so.3", f"{FOLDER}/blas/libblas.so.3.11.0"]
OPENBLAS = [f"{FOLDER}/openblas-pthread/lib{name}" for name in ("blas.so.3", "lapack.so.3", "openblas.so.0")]


def links(paths: list[str]) -> dict[str, str]:
    return {each.path: each.target for each in library_entries(paths)}


def test_libraries_in_a_folder_of_their_own_get_the_name_that_is_asked_for() -> None:
    assert links(REFERENCE) == {
        f"{FOLDER}/libblas.so.3": "blas/libblas.so.3",
        f"{FOLDER}/liblapack.so.3": "lapack/liblapack.so.3",
    }


def test_the_faster_one_of_several_is_taken() -> None:
    assert links([*REFERENCE, *OPENBLAS]) == links([*OPENBLAS, *REFERENCE])
    assert set(links([*REFERENCE, *OPENBLAS]).values()) == {each.removeprefix(f"{FOLDER}/") for each in OPENBLAS}


def test_a_name_that_is_there_stays_and_a_root_without_such_libraries_gets_none() -> None:
    assert f"{FOLDER}/libblas.so.3" not in links([*REFERENCE, f"{FOLDER}/libblas.so.3"])
    assert links([f"{FOLDER}/libc.so.6", "usr/share/doc/libblas3/copyright"]) == {}


@pytest.mark.parametrize(
    ("name", "brings"), [("libblas3", True), ("libopenblas0-pthread", True), ("libc6", False), ("libblas-dev", False)]
)
def test_packages_that_bring_them_are_known_by_name(name: str, *, brings: bool) -> None:
    assert bool(PACKAGES.fullmatch(name)) == brings
