"""A command that crashes before any of its steps leaves old or new, and typed again it ends well without other help.

`promote`, `rollback`, `service keys`, `compile` and `compile --commit` on this project's own repository, where all of
it is compiled and where only what changed is; a sample of the steps, and all of them in `slow`.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from mmgit import divided, forked, pipeline
from mmgit.cli.main import run
from tests.cli.whole import settle
from tests.deliver.test_recovery import ALL_STEPS, Crash

pytestmark = pytest.mark.timeout(1800)

BUDGETS = [6, pytest.param(ALL_STEPS, marks=pytest.mark.slow)]
SERVICE = "environments/production/services/digits.yaml"
RENDERED = "environments/production/rendered"
PROMOTE = ("promote", "digits", "--from", "staging", "--to", "production", "--unverified")
ROLL_BACK = ("rollback", "digits", "--env", "production", "--reason", "worse", "--until", "2099-01-31", "--unverified")


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, copy_of_ours: Callable[[Path], Path], mmgit: Any) -> Path:
    """A copy of this project whose staging runs manifest digits/1 and production digits/2; all committed."""
    root = copy_of_ours(tmp_path / "copy")
    monkeypatch.chdir(root)
    mmgit("service", "update", "digits", "--env", "staging", "--manifest", "digits/1", "--unverified")
    mmgit("compile")
    for arguments in (["add", "--all"], ["commit", "--quiet", "--message=Try digits/1 in staging"]):
        subprocess.run(["git", *arguments], check=True)
    return root


def nothing() -> None:
    """Leave a copy as it is: its files are other ones than the last compile saw, so everything is compiled."""


def remember() -> None:
    """Let the last compile be one of the copy, and long enough ago to be believed."""
    settle()
    assert run(["compile"]) == 0


def crashing(
    root: Path, budget: int, *arguments: str, prepare: Callable[[], None] = nothing, is_partly: bool = False
) -> Iterator[tuple[Path, int]]:
    """A prepared copy of the repository for each step at which the command crashed; the current folder is in it.

    With `is_partly` the command fails where it compiles everything.
    """
    counted = root.with_name("counted")

    def refuse(*_: object, **__: object) -> pipeline.Compiled:
        raise AssertionError("everything is compiled")

    def action() -> None:
        if is_partly:
            pipeline.compiled = refuse
        with Path(os.devnull).open("wb") as silent:
            os.dup2(silent.fileno(), 1)
            os.dup2(silent.fileno(), 2)
        assert run(list(arguments)) == 0

    def copy(step: int) -> Path:
        folder = root.with_name(f"at-{step}")
        shutil.copytree(root, folder, symlinks=True)
        os.chdir(folder)
        prepare()
        return folder

    whole = copy(0)
    assert not Crash(0, counted).happens_in(action)
    os.chdir(root)
    shutil.rmtree(whole)
    total = int(counted.read_text())
    for step in range(1, total + 1, max(1, total // budget)):
        folder = copy(step)
        assert Crash(step, counted).happens_in(action), step
        yield folder, step
        os.chdir(root)
        shutil.rmtree(folder)


State = dict[str, bytes]
"""Path -> bytes of what matters."""


def contents(folder: Path) -> State:
    """The service and all that is rendered of its environment."""
    rendered = sorted((folder / RENDERED).rglob("*.yaml"))
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in [folder / SERVICE, *rendered]}


def assert_is_made_by_the_next_run(folder: Path, states: tuple[State, State], mmgit: Any, *command: str) -> None:
    """After a crash each file is as before or as after; the command then makes what it makes, unaided."""
    old, new = states
    step = folder.name
    assert all(data in (old.get(path), new.get(path)) for path, data in contents(folder).items()), step

    assert mmgit(*command).code == 0, step

    assert contents(folder) == new, step
    assert mmgit("compile", "--check").code == 0, step


@pytest.mark.parametrize("prepare", [nothing, remember])
@pytest.mark.parametrize("budget", BUDGETS)
def test_a_promotion_is_made_or_not(root: Path, mmgit: Any, budget: int, prepare: Callable[[], None]) -> None:
    old = contents(root)
    assert mmgit(*PROMOTE).code == 0
    new = contents(root)
    subprocess.run(["git", "checkout", "--quiet", "--", "."], check=True)
    assert contents(root) == old != new

    for folder, _ in crashing(root, budget, *PROMOTE, prepare=prepare, is_partly=prepare is remember):
        assert_is_made_by_the_next_run(folder, (old, new), mmgit, *PROMOTE)


@pytest.mark.parametrize("budget", BUDGETS)
def test_a_rollback_of_what_is_remembered_is_made_or_not(root: Path, mmgit: Any, budget: int) -> None:
    assert mmgit(*PROMOTE).code == 0
    for arguments in (["add", "--all"], ["commit", "--quiet", "--message=Promote"]):
        subprocess.run(["git", *arguments], check=True)
    old = contents(root)
    assert mmgit(*ROLL_BACK).code == 0
    new = contents(root)
    subprocess.run(["git", "checkout", "--quiet", "--", "."], check=True)

    for folder, _ in crashing(root, budget, *ROLL_BACK, prepare=remember, is_partly=True):
        assert_is_made_by_the_next_run(folder, (old, new), mmgit, *ROLL_BACK)


@pytest.mark.parametrize("budget", BUDGETS)
def test_what_changed_is_compiled_or_not(root: Path, mmgit: Any, budget: int) -> None:
    old = contents(root)
    edit()
    assert mmgit("compile").code == 0
    new = contents(root)
    subprocess.run(["git", "checkout", "--quiet", "--", "."], check=True)

    for folder, _ in crashing(root, budget, "compile", prepare=remember_and_edit, is_partly=True):
        assert_is_made_by_the_next_run(folder, (old, new), mmgit, "compile")


def edit() -> None:
    """Change a service."""
    Path(SERVICE).write_text(Path(SERVICE).read_text() + "queue: 7\n")


def remember_and_edit() -> None:
    """As `remember`, and then change a service."""
    remember()
    edit()


@pytest.mark.parametrize("budget", BUDGETS)
def test_a_key_is_renewed_or_not_and_never_lost(root: Path, mmgit: Any, tmp_path: Path, budget: int) -> None:
    key_file = tmp_path / "key"
    command = ("service", "keys", "digits", "--env", "production", "--regen", "primary", "--key-file", str(key_file))
    old = (root / SERVICE).read_bytes()

    for folder, step in crashing(root, budget, *command):
        left = (folder / SERVICE).read_bytes()
        assert left == old or is_key_of(key_file, left), step
        key_file.unlink(missing_ok=True)

        assert mmgit(*command).code == 0, step

        assert is_key_of(key_file, (folder / SERVICE).read_bytes()), step
        key_file.unlink()
        assert mmgit("compile").code == 0, step


@pytest.mark.parametrize("budget", BUDGETS)
def test_what_changed_is_committed_with_what_it_renders_or_not_at_all(root: Path, mmgit: Any, budget: int) -> None:
    command = ("compile", "--commit", "--all")
    rendered = f"{RENDERED}/default/digits.yaml"

    def committed(path: str) -> str:
        return subprocess.check_output(["git", "show", f"HEAD:{path}"], text=True)

    for _, step in crashing(root, budget, *command, prepare=remember_and_edit, is_partly=True):
        assert ("queue: 7" in committed(SERVICE)) == ('"queue": 7' in committed(rendered)), step

        assert mmgit(*command).code == 0, step

        assert '"queue": 7' in committed(rendered), step
        assert not subprocess.check_output(["git", "status", "--porcelain"]), step
        assert mmgit("compile", "--check").code == 0, step


@pytest.mark.parametrize("budget", BUDGETS)
def test_many_services_are_all_written_or_none(
    root: Path, mmgit: Any, budget: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(divided, "MANY_SERVICES", 1)
    monkeypatch.setattr(divided, "_PART_SERVICES", 1)
    monkeypatch.setattr(forked, "processors", lambda: 1)
    edited = [*root.glob("environments/production/services/**/*.yaml")]
    for path in edited:
        path.write_text(path.read_text() + "labels: {season: winter}\n")
    old = contents(root)
    assert mmgit("compile").code == 0
    new = contents(root)
    subprocess.run(["git", "checkout", "--quiet", "--", RENDERED], check=True)
    shutil.rmtree(root / ".mmgit")
    assert contents(root) == old != new

    for folder, step in crashing(root, budget, "compile"):
        assert all(data in (old[path], new[path]) for path, data in contents(folder).items()), step

        assert mmgit("compile").code == 0, step

        assert contents(folder) == new, step
        assert mmgit("compile", "--check").code == 0, step


def is_key_of(file: Path, service: bytes) -> bool:
    """Whether a key file holds the primary key of a service, and only its owner may read it."""
    token = file.read_text().strip()
    (key,) = [each for each in yaml.safe_load(service)["keys"] if each["name"] == "primary"]
    is_whole = re.fullmatch(rf"mmgit_{key['id']}_[A-Za-z0-9]{{43}}_[A-Za-z0-9]{{6}}", token)
    return is_whole is not None and file.stat().st_mode & 0o777 == 0o600
