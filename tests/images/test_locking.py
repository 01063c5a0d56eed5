"""Packages from where a project says: private indexes that want a login, and folders of wheels."""

import base64
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from mmgit.errors import BuildError
from mmgit.images.dependencies import Asked
from mmgit.images.locking import index_of, locker
from mmgit.images.origins import PYPI, Machine
from mmgit.images.site import lay_out
from mmgit.repository.files import Root
from mmgit.spec import ProjectSpec, Refused
from mmgit.subprocesses import Completed, run

if TYPE_CHECKING:
    from tests.images.conftest import Kit, Site

USER, CANARY = "robot-5e1", "canary-0d9f"
MACHINE = Machine("linux/arm64", "3.11", "/usr/bin/python3", "2.36")


def project(**packages: Any) -> ProjectSpec:
    return ProjectSpec.read({"apiVersion": "mmgit.dev/v1", "kind": "Project", "mmgit": "==0.1.0", "packages": packages})


def index(site: "Site", name: str = "acme", **more: Any) -> Mapping[str, Any]:
    return {"name": name, "url": f"{site.url}/simple/", **more}


@pytest.fixture
def root(tmp_path: Path) -> Root:
    (tmp_path / "root").mkdir()
    return Root(tmp_path / "root")


@pytest.fixture
def private(private_site: "Site", kit: "Kit") -> "Site":
    kit.publish(private_site, kit.wheel_of("core", {"core.py": "x = 1\n"}))
    private_site.wants = f"Basic {base64.b64encode(f'{USER}:{CANARY}'.encode()).decode()}"
    return private_site


@pytest.fixture
def commands(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The argument lists that uv was started with, by somebody who is logged in."""
    log_in(monkeypatch)
    seen: list[list[str]] = []

    def seeing(argv: list[str], **more: Any) -> Completed:
        seen.append(argv)
        return run(argv, **more)

    monkeypatch.setattr("mmgit.images.uv.run", seeing)
    return seen


def log_in(monkeypatch: pytest.MonkeyPatch, password: str = CANARY) -> None:
    monkeypatch.setenv("UV_INDEX_ACME_PRIVATE_USERNAME", USER)
    monkeypatch.setenv("UV_INDEX_ACME_PRIVATE_PASSWORD", password)


@pytest.mark.parametrize("only", [(), ("core",)])
def test_a_private_index_is_asked_with_the_login_in_variables_that_nothing_else_holds(
    site: "Site", private: "Site", root: Root, commands: list[list[str]], only: tuple[str, ...]
) -> None:
    declared = project(indexes=[index(private, "acme-private", only=only), index(site, "public")])
    out = root.path / "out"

    lock = locker(root, declared)(Asked("core\n", "3.11")).pylock
    lay_out(lock, MACHINE, out, index=index_of(declared))

    assert (out / "core.py").read_text() == "x = 1\n"
    assert private.wants in private.authorizations
    assert not any(site.authorizations)
    assert len(commands) == 3  # it locks, looks for it in the cache, and fetches it
    assert not [text for text in (lock.decode(), str(commands)) if CANARY in text or USER in text]
    assert not [path for path in out.rglob("*") if path.is_file() and CANARY.encode() in path.read_bytes()]


def test_a_login_that_is_refused_is_in_no_message(private: "Site", root: Root, monkeypatch: pytest.MonkeyPatch) -> None:
    log_in(monkeypatch, password="wrong-canary")

    with pytest.raises(BuildError, match="core") as raised:
        locker(root, project(indexes=[index(private, "acme-private")]))(Asked("core\n", "3.11"))
    assert "canary" not in f"{raised.value.message} {raised.value.hint}"


def test_a_login_may_stand_in_netrc(
    private: "Site", root: Root, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "netrc").write_text(f"machine 127.0.0.1\nlogin {USER}\npassword {CANARY}\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))

    lock = locker(root, project(indexes=[index(private)]))(Asked("core\n", "3.11")).pylock

    assert b"core-1.0" in lock
    assert CANARY.encode() not in lock


def test_a_login_for_one_index_is_given_to_no_other(
    kit: "Kit", site: "Site", root: Root, monkeypatch: pytest.MonkeyPatch
) -> None:
    log_in(monkeypatch)
    kit.publish(site, kit.wheel_of("tiny", {}))

    locker(root, project(indexes=[index(site, "public")]))(Asked("tiny\n", "3.11"))

    assert not any(site.authorizations)


def test_wheels_below_the_root_are_found_and_only_those(kit: "Kit", site: "Site", root: Root, tmp_path: Path) -> None:
    kit.publish(site)
    name, wheel = kit.wheel_of("ours", {"ours.py": ""})
    root.write(f"vendor/{name}", wheel)
    root.write("vendor/README.md", b"")
    declared = project(indexes=[index(site)], wheels=["vendor"])

    made = locker(root, declared)(Asked("ours\n", "3.11"))

    assert made.wheels == {f"wheels/{name}": wheel}
    lay_out(
        made.pylock,
        MACHINE,
        tmp_path / "out",
        index=index_of(declared),
        wheels={f"wheels/{name}": lambda: (tmp_path / "root/vendor" / name).open("rb")},
    )
    assert (tmp_path / "out/ours.py").exists()


def test_a_wheel_with_other_bytes_than_the_lock_says_is_not_laid_out(
    kit: "Kit", site: "Site", root: Root, tmp_path: Path
) -> None:
    kit.publish(site)
    name, wheel = kit.wheel_of("ours", {"ours.py": ""})
    root.write(f"vendor/{name}", wheel)
    declared = project(indexes=[index(site)], wheels=["vendor"])
    lock = locker(root, declared)(Asked("ours\n", "3.11")).pylock
    root.write(f"vendor/{name}", kit.wheel_of("ours", {"ours.py": "other"})[1])

    with pytest.raises(BuildError, match=r"(?i)hash"):
        lay_out(
            lock,
            MACHINE,
            tmp_path / "out",
            index=index_of(declared),
            wheels={f"wheels/{name}": lambda: (tmp_path / "root/vendor" / name).open("rb")},
        )


def test_two_wheels_of_one_name_are_refused(root: Root) -> None:
    root.write("a/x-1.0-py3-none-any.whl", b"1")
    root.write("b/x-1.0-py3-none-any.whl", b"2")

    with pytest.raises(BuildError, match=r"two wheels x-1\.0"):
        locker(root, project(wheels=["a", "b"]))(Asked("x\n", "3.11"))


def test_without_a_word_packages_come_from_pypi() -> None:
    assert index_of(project()) is PYPI


def test_the_last_index_for_everything_is_the_default_and_pypi_has_its_files_elsewhere() -> None:
    pypi = {"name": "pypi", "url": "https://pypi.org/simple"}
    acme = {"name": "acme", "url": "https://acme.example/simple", "hosts": ["files.acme.example"], "only": ["core"]}

    found = index_of(project(indexes=[pypi, acme]))

    assert (found.name, found.hosts) == ("pypi", PYPI.hosts)
    assert [each.hosts for each in found.before] == [("acme.example", "files.acme.example")]


@pytest.mark.parametrize(
    "indexes",
    [
        [{"name": "acme", "url": "https://user:canary@acme.example/simple"}],
        [{"name": "acme", "url": "http://acme.example/simple"}],
        [{"name": "acme", "url": "https://acme.example/simple?token=canary"}],
        [{"name": "acme", "url": "https://a.example/simple"}, {"name": "acme", "url": "https://b.example/simple"}],
        [{"name": "acme", "url": "https://a.example/simple", "only": ["core"]}],
    ],
)
def test_indexes_with_logins_without_encryption_or_without_sense_are_refused(indexes: list[Any]) -> None:
    with pytest.raises(Refused):
        project(indexes=indexes)
