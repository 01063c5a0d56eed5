"""Locking what users declare: wheels of the index only, for every platform, with hashes."""

import tomllib
from typing import TYPE_CHECKING

import pytest

from mmgit.errors import BuildError
from mmgit.images.dependencies import check_pylock, lock_dependencies, requirements_of_conda
from mmgit.images.origins import PYPI

if TYPE_CHECKING:
    from tests.images.conftest import Kit, Site


def test_requirements_are_locked_with_address_and_hash(kit: "Kit", site: "Site") -> None:
    name, wheel = kit.wheel_of("tiny", {"tiny.py": ""})
    index = kit.publish(site, (name, wheel), kit.wheel_of("tiny", {"tiny.py": ""}, version="2.0"))

    lock = lock_dependencies("tiny<2  # the old one\n", "3.11", index=index)

    (package,) = tomllib.loads(lock.decode())["packages"]
    assert (package["name"], package["version"]) == ("tiny", "1.0")
    assert package["wheels"][0]["url"] == f"{site.url}/files/{name}"
    assert package["wheels"][0]["hashes"] == {"sha256": kit.sha256(wheel)}


def test_the_same_requirements_give_the_same_lock(kit: "Kit", site: "Site") -> None:
    index = kit.publish(site, kit.wheel_of("tiny", {"tiny.py": ""}), kit.wheel_of("other", {"other.py": ""}))

    one, two = (lock_dependencies(text, "3.11", index=index) for text in ("tiny\nother\n", "other\ntiny\n"))

    assert one == two
    assert b"/tmp" not in one


def test_no_requirements_are_an_empty_lock(kit: "Kit", site: "Site") -> None:
    lock = lock_dependencies("# nothing\n", "3.11", index=kit.publish(site))

    assert tomllib.loads(lock.decode()).get("packages", []) == []


def test_what_the_index_does_not_have_is_an_error_with_the_reason(kit: "Kit", site: "Site") -> None:
    index = kit.publish(site, kit.wheel_of("tiny", {}))

    with pytest.raises(BuildError, match=r"(?s)tiny.*>=3"):
        lock_dependencies("tiny>=3\n", "3.11", index=index)


def test_a_package_without_a_wheel_is_refused_and_none_of_it_runs(kit: "Kit", site: "Site") -> None:
    index = kit.publish(site)
    setup = b"raise SystemExit('this ran')"
    data = kit.tar_of(kit.member("evil-1.0/setup.py", setup), compression="gz")
    site.files["/files/evil-1.0.tar.gz"] = data
    page = f'<a href="{site.url}/files/evil-1.0.tar.gz#sha256={kit.sha256(data)}">evil-1.0.tar.gz</a>'
    site.files["/simple/evil/"] = page.encode()

    with pytest.raises(BuildError, match="evil") as raised:
        lock_dependencies("evil\n", "3.11", index=index)
    assert "this ran" not in raised.value.message


@pytest.mark.parametrize(
    "line",
    [
        "-e .",
        "-r other.txt",
        "--index-url https://user:secret@x.example/simple",
        "--extra-index-url=https://x.example",
        "https://user:secret@x.example/a-1.0-py3-none-any.whl",
        "a @ https://x.example/a-1.0-py3-none-any.whl",
        "a @ ./a.whl",
        "git+https://x.example/a.git",
        "./a.whl",
        "/a.whl",
    ],
)
def test_a_line_that_is_no_name_and_version_is_refused_without_being_shown(line: str) -> None:
    with pytest.raises(BuildError, match="line 2 of the requirements") as raised:
        lock_dependencies(f"numpy\n{line}\n", "3.11")
    assert "secret" not in raised.value.message


@pytest.mark.parametrize(
    ("lock", "message"),
    [
        ('[[packages]]\nname = "a"\n[packages.vcs]\ntype = "git"\n', "a  has no wheel"),
        ('[[packages]]\nname = "a"\nversion = "1"\n[packages.sdist]\nurl = "x"\n', "a 1 has no wheel"),
        ('[[packages]]\nname = "a"\nwheels = [{url = "https://evil.example/a.whl"}]\n', "comes from evil.example"),
        (
            '[[packages]]\nname = "a"\nwheels = [{url = "http://files.pythonhosted.org/a.whl"}]\n',
            "comes from files.pythonhosted.org",
        ),
        (
            '[[packages]]\nname = "a"\nwheels = [{url = "https://pypi.org/a.whl", hashes = {sha256 = "0"}}]\n',
            "has no sha256",
        ),
        ('[[packages]]\nname = "a"\nwheels = [{url = "https://pypi.org/a.whl"}]\n', "not a lock as uv writes it"),
        ('[[packages]]\nname = "a"\nwheels = [{path = "a.whl"}]\n', "not a lock as uv writes it"),
        ("packages = 1\n", "not a lock as uv writes it"),
        ("hello", "not a lock as uv writes it"),
    ],
)
def test_a_lock_that_names_anything_else_than_wheels_with_hashes_is_refused(lock: str, message: str) -> None:
    with pytest.raises(BuildError, match=message):
        check_pylock(lock.encode(), index=PYPI)


def test_a_conda_file_of_the_usual_shape_is_its_python_and_its_pip_list() -> None:
    document = {
        "name": "churn",
        "channels": ["conda-forge"],
        "dependencies": ["python=3.11", "pip", "pip>=23", {"pip": ["numpy==2.0", "pandas"]}],
    }

    assert requirements_of_conda(document) == ("3.11", "numpy==2.0\npandas\n")


@pytest.mark.parametrize(
    ("pinned", "python"),
    [("python=3.11.4", "3.11"), ("python==3.10.*", "3.10"), ("python", None), ("python>=3.9", None)],
)
def test_the_python_of_a_conda_file_is_its_minor_when_it_names_one(pinned: str, python: str | None) -> None:
    assert requirements_of_conda({"dependencies": [pinned]}) == (python, "")


@pytest.mark.parametrize("item", ["numpy=1.26", "cudatoolkit", {"conda": []}, 3])
def test_a_package_of_condas_own_is_refused_with_the_way_out(item: object) -> None:
    with pytest.raises(BuildError, match="package of conda's own") as raised:
        requirements_of_conda({"dependencies": ["python=3.11", item]})
    assert "pip:" in raised.value.hint


@pytest.mark.parametrize("document", [None, [], {"dependencies": "numpy"}])
def test_a_conda_file_without_a_list_is_refused(document: object) -> None:
    with pytest.raises(BuildError, match="holds no list"):
        requirements_of_conda(document)
