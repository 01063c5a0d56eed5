"""Locking what users declare: wheels of the index only, for every platform, with hashes."""

import tomllib
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from mmgit.errors import BuildError
from mmgit.images.dependencies import Asked, check_pylock, lock_dependencies
from mmgit.images.origins import PYPI, Index, Machine

if TYPE_CHECKING:
    from tests.images.conftest import Kit, Site


def locked(requirements: str, index: Index) -> bytes:
    return lock_dependencies(Asked(requirements, "3.11"), index=index).pylock


def test_requirements_are_locked_with_address_and_hash(kit: "Kit", site: "Site") -> None:
    name, wheel = kit.wheel_of("tiny", {"tiny.py": ""})
    index = kit.publish(site, (name, wheel), kit.wheel_of("tiny", {"tiny.py": ""}, version="2.0"))

    lock = locked("tiny<2  # the old one\n", index)

    (package,) = tomllib.loads(lock.decode())["packages"]
    assert (package["name"], package["version"]) == ("tiny", "1.0")
    assert package["wheels"][0]["url"] == f"{site.url}/files/{name}"
    assert package["wheels"][0]["hashes"] == {"sha256": kit.sha256(wheel)}


def test_the_same_requirements_give_the_same_lock(kit: "Kit", site: "Site") -> None:
    index = kit.publish(site, kit.wheel_of("tiny", {"tiny.py": ""}), kit.wheel_of("other", {"other.py": ""}))

    one, two = (locked(text, index) for text in ("tiny\nother\n", "other\ntiny\n"))

    assert one == two
    assert b"/tmp" not in one


def test_no_requirements_are_an_empty_lock(kit: "Kit", site: "Site") -> None:
    lock = locked("# nothing\n", kit.publish(site))

    assert tomllib.loads(lock.decode()).get("packages", []) == []


def test_what_the_index_does_not_have_is_an_error_with_the_reason(kit: "Kit", site: "Site") -> None:
    index = kit.publish(site, kit.wheel_of("tiny", {}))

    with pytest.raises(BuildError, match=r"(?s)tiny.*>=3"):
        locked("tiny>=3\n", index)


def test_a_package_without_a_wheel_is_refused_and_none_of_it_runs(kit: "Kit", site: "Site") -> None:
    index = kit.publish(site)
    setup = b"raise SystemExit('this ran')"
    data = kit.tar_of(kit.member("evil-1.0/setup.py", setup), compression="gz")
    site.files["/files/evil-1.0.tar.gz"] = data
    page = f'<a href="{site.url}/files/evil-1.0.tar.gz#sha256={kit.sha256(data)}">evil-1.0.tar.gz</a>'
    site.files["/simple/evil/"] = page.encode()

    with pytest.raises(BuildError, match="evil") as raised:
        locked("evil\n", index)
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
        locked(f"numpy\n{line}\n", PYPI)
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
        ('[[packages]]\nname = "a"\nwheels = [{path = "a.whl"}]\n', "is a file that does not lie beside the lock"),
        ("packages = 1\n", "not a lock as uv writes it"),
        ("hello", "not a lock as uv writes it"),
    ],
)
def test_a_lock_that_names_anything_else_than_wheels_with_hashes_is_refused(lock: str, message: str) -> None:
    with pytest.raises(BuildError, match=message):
        check_pylock(lock.encode(), index=PYPI)


def test_a_wheel_of_no_index_is_given_back_beside_the_lock(kit: "Kit", site: "Site") -> None:
    index = kit.publish(site, kit.wheel_of("tiny", {"tiny.py": ""}))
    name, wheel = kit.wheel_of("ours", {"ours.py": ""})

    made = lock_dependencies(
        Asked("ours\ntiny\n", "3.11"), index=index, wheels={name: wheel, "else-1.0-py3-none-any.whl": b""}
    )

    ours, tiny = tomllib.loads(made.pylock.decode())["packages"]
    assert made.wheels == {f"wheels/{name}": wheel}
    assert ours["wheels"][0]["path"] == f"wheels/{name}"
    assert ours["wheels"][0]["hashes"] == {"sha256": kit.sha256(wheel)}
    assert tiny["wheels"][0]["url"].startswith(site.url)
    assert b"/tmp" not in made.pylock


def test_a_package_with_an_index_of_its_own_comes_from_there_whatever_others_have(
    kit: "Kit", site: "Site", private_site: "Site"
) -> None:
    public = kit.publish(site, kit.wheel_of("acme-core", {}, version="99.0"), kit.wheel_of("tiny", {}))
    private = kit.publish(private_site, kit.wheel_of("acme-core", {}, version="1.0"))
    index = replace(public, before=(replace(private, name="acme", only=("Acme_Core",)),))

    lock = tomllib.loads(locked("tiny\nacme-core\n", index).decode())

    assert {(each["name"], each["version"]) for each in lock["packages"]} == {("acme-core", "1.0"), ("tiny", "1.0")}
    assert not any("acme" in path for path in site.asked)
    assert not any("tiny" in path for path in private_site.asked)


def test_what_others_need_comes_from_its_own_index_too(kit: "Kit", site: "Site", private_site: "Site") -> None:
    needs = kit.wheel_of("outer", {}, requires=("acme-core",))
    public = kit.publish(site, needs, kit.wheel_of("acme-core", {}, version="99.0"))
    private = kit.publish(private_site, kit.wheel_of("acme-core", {}, version="1.0"))
    index = replace(public, before=(replace(private, name="acme", only=("acme-core",)),))

    lock = tomllib.loads(locked("outer\n", index).decode())

    assert {(each["name"], each["version"]) for each in lock["packages"]} == {("acme-core", "1.0"), ("outer", "1.0")}


def test_the_first_index_that_has_a_package_gives_it(kit: "Kit", site: "Site", private_site: "Site") -> None:
    last = kit.publish(site, kit.wheel_of("tiny", {}, version="2.0"), kit.wheel_of("other", {}))
    first = kit.publish(private_site, kit.wheel_of("tiny", {}, version="1.0"))
    index = replace(last, before=(replace(first, name="acme"),))

    lock = tomllib.loads(locked("tiny\nother\n", index).decode())

    assert [(each["name"], each["version"]) for each in lock["packages"]] == [("other", "1.0"), ("tiny", "1.0")]


def test_a_lock_from_another_index_than_the_one_that_is_named_is_refused() -> None:
    index = Index(before=(Index("https://pypi.acme.example/simple", ("pypi.acme.example",), "acme", ("core",)),))
    wheel = f'{{url = "https://pypi.org/core.whl", hashes = {{sha256 = "{"0" * 64}"}}}}'

    with pytest.raises(BuildError, match=r"core comes from pypi\.org"):
        check_pylock(f'[[packages]]\nname = "core"\nwheels = [{wheel}]\n'.encode(), index=index)
    named = f'[[packages]]\nname = "core"\nindex = "https://pypi.org/simple"\nwheels = [{wheel}]\n'
    with pytest.raises(BuildError, match="core comes from another index"):
        check_pylock(named.encode(), index=index)


def test_a_lock_that_is_given_is_taken_as_it_is_where_it_fits(kit: "Kit", site: "Site") -> None:
    name, data = kit.wheel_of("tiny", {})
    index = Index(f"{site.url}/simple", ("127.0.0.1",))
    machines = (Machine("linux/arm64", "3.11", "/usr/bin/python3", "2.36"),)
    given, other = (
        kit.pylock_of(site, (name.replace("py3-none-any", tags), data)) for tags in ("py3-none-any", "cp39-cp39-win32")
    )

    assert lock_dependencies(Asked("", "3.11", given, machines), index=index).pylock == given
    with pytest.raises(BuildError, match=r"no wheel for Python 3\.11 on linux/arm64 .* of tiny 1\.0"):
        lock_dependencies(Asked("", "3.11", other, machines), index=index)
    with pytest.raises(BuildError, match=r"comes from 127\.0\.0\.1"):
        lock_dependencies(Asked("", "3.11", given, machines))
    assert site.asked == []


def test_what_has_no_wheel_for_a_rarer_machine_is_told_when_it_is_locked(kit: "Kit", site: "Site") -> None:
    name, data = kit.wheel_of("tiny", {})
    index = kit.publish(site, (name.replace("py3-none-any", "cp311-cp311-manylinux_2_17_x86_64"), data))
    machines = tuple(Machine(each, "3.11", "/usr/bin/python3", "2.36") for each in ("linux/amd64", "linux/arm/v7"))
    asked = Asked('tiny; platform_machine == "x86_64"', "3.11", machines=machines)

    lock_dependencies(asked, index=index)

    with pytest.raises(BuildError, match=r"on linux/arm/v7 with libc 2\.36 of tiny 1\.0") as raised:
        lock_dependencies(replace(asked, requirements="tiny"), index=index)
    assert 'tiny; platform_machine != "armv7l"' in raised.value.hint
    assert lock_dependencies(replace(asked, requirements="tiny", machines=machines[:1]), index=index).pylock


def test_a_login_in_the_address_of_a_wheel_is_refused_without_being_shown() -> None:
    lock = b'[[packages]]\nname = "a"\nwheels = [{url = "https://u:canary@pypi.org/a.whl"}]\n'

    with pytest.raises(BuildError, match="a has a login in its address") as raised:
        check_pylock(lock, index=PYPI)
    assert "canary" not in f"{raised.value.message}{raised.value.hint}"
