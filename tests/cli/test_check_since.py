"""`mmgit check --since COMMIT` says what `mmgit check` says, of what changed since."""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mmgit import pipeline

Mmgit = Callable[..., Any]
SERVICE = "environments/staging/services/digits.yaml"


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, copy_of_ours: Callable[[Path], Path]) -> Path:
    """A copy of this project, all committed; the current folder is in it."""
    root = copy_of_ours(tmp_path / "copy")
    monkeypatch.chdir(root)
    return root


def replaced(path: str, old: str, new: str) -> None:
    text = Path(path).read_text()
    assert old in text
    Path(path).write_text(text.replace(old, new))


def appended(path: str, text: str) -> None:
    with Path(path).open("a") as file:
        file.write(text)


CHANGES: dict[str, Callable[[], object]] = {
    "nothing": lambda: None,
    "a field that is refused": lambda: appended(SERVICE, "queue: many\n"),
    "a reference to nothing": lambda: appended(SERVICE, "next: digits/99\n"),
    "a pin of another manifest": lambda: replaced(SERVICE, "manifest: digits/2", "manifest: digits/1"),
    "a key that is gone": lambda: replaced(SERVICE, "keys:", "labels: {a: b} #"),
    "an environment that is refused": lambda: appended("environments/staging/environment.yaml", "namespaces: x\n"),
    "a default that patches nothing": lambda: appended(
        "environments/staging/environment.yaml", "defaults: {patches: [{target: {kind: Nothing}, merge: {}}]}\n"
    ),
    "a model file that changed": lambda: Path("models/digits/versions/1/digits.skops").write_bytes(b"other"),
    "a scoring file that changed": lambda: appended("models/digits/manifests/1/score.py", "# more\n"),
    "a manifest that is gone": lambda: Path("models/digits/manifests/2/manifest.yaml").unlink(),
    "a lock that was edited": lambda: replaced(
        next(path.as_posix() for path in Path("models/digits/manifests/2/images").iterdir()), "size: 1030", "size: 1031"
    ),
    "a base that lacks a platform": lambda: replaced("mmgit.yaml", "platforms: [", "platforms: [linux/riscv64, "),
    "two services of one name": lambda: Path("environments/staging/services/examples/digits.yaml").write_text(
        Path(SERVICE).read_text()
    ),
    "a stray file": lambda: Path("environments/staging/services/notes.txt").write_text("x\n"),
    "a service that is gone": lambda: Path(SERVICE).unlink(),
}


@pytest.mark.parametrize("is_remembered", [False, True])
@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.usefixtures("root")
def test_what_a_change_breaks_is_found_as_by_the_whole_check(mmgit: Mmgit, change: str, *, is_remembered: bool) -> None:
    if is_remembered:  # what is checked then is what differs from the last compile
        appended(SERVICE, "# a comment\n")
        assert mmgit("compile", "--commit", "--all").code == 0
    CHANGES[change]()

    known = mmgit("check")
    since = mmgit("check", "--since", "HEAD")
    shutil.rmtree(".mmgit", ignore_errors=True)
    whole = mmgit("check")

    assert (known.code, known.out, sorted(known.err)) == (whole.code, whole.out, sorted(whole.err))
    assert (since.code, since.out) == (whole.code, whole.out)
    assert set(errors(since.err)) == set(errors(whole.err))
    assert (whole.code == 0) == (not errors(whole.err))


def errors(text: str) -> list[str]:
    return [line for line in text.splitlines() if ": error " in line]


@pytest.mark.usefixtures("root")
def test_what_did_not_change_is_not_said_again(mmgit: Mmgit) -> None:
    appended(SERVICE, "queue: many\n")
    subprocess.run(["git", "commit", "-qam", "Broken"], check=True)

    assert mmgit("check", "--since", "HEAD").code == 0
    assert mmgit("check", "--since", "HEAD~").code == 3


@pytest.mark.usefixtures("root")
def test_an_unknown_commit_is_an_error(mmgit: Mmgit) -> None:
    ended = mmgit("check", "--since", "nowhere")

    assert ended.code == 7
    assert "there is no commit `nowhere`" in ended.err


def test_a_check_of_what_changed_since_a_compile_checks_nothing_else(
    root: Path, mmgit: Mmgit, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[object] = []
    check = pipeline.check

    def spy(files: Any, surroundings: Any, services: Any = None, *whole: Any, **more: Any) -> pipeline.Checked:
        asked.append(services)
        return check(files, surroundings, services, *whole, **more)

    assert mmgit("compile").code == 0
    monkeypatch.setattr(pipeline, "check", spy)

    unchanged = mmgit("check")
    appended(SERVICE, "queue: 7\n")
    changed = mmgit("check")
    appended("environments/staging/environment.yaml", "# a comment\n")
    another = mmgit("check")

    assert [each.code for each in (unchanged, changed, another)] == [0, 0, 0]
    assert asked == [[SERVICE], None]
    assert not (root / ".mmgit/journal").exists()


@pytest.mark.usefixtures("root")
def test_warnings_of_the_last_compile_are_said_by_a_check(mmgit: Mmgit) -> None:
    text = Path(SERVICE).read_text()
    Path(SERVICE).write_text(text[: text.index("keys:")])
    assert mmgit("compile").code == 0

    known = mmgit("check", "--format", "json")
    shutil.rmtree(".mmgit")

    assert "M331" in known.out
    assert known == mmgit("check", "--format", "json")
