"""What `check` and `compile` say to type next does what it says."""

import shlex
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import Mmgit

Git = Callable[..., str]
RENDERED = "environments/dev/rendered"
RELEASED = "models/churn/manifests/1/manifest.yaml"


def hinted(text: str) -> list[str]:
    """The arguments of the command that the last hint says to type."""
    return shlex.split(text.rsplit("hint: ", maxsplit=1)[-1].split("   ", maxsplit=1)[0])


def test_what_was_done_by_hand_is_discarded_by_the_command_that_the_comparison_names(
    project: Path, mmgit: Mmgit
) -> None:
    (project / RENDERED).mkdir(parents=True, exist_ok=True)
    (project / RENDERED / "stray.yaml").write_text("mine")

    compared = mmgit("compile", "--check")

    assert compared.code == 4
    assert hinted(compared.err) == ["mmgit", "compile", "--overwrite", f"{RENDERED}/stray.yaml"]
    assert mmgit(*hinted(compared.err)[1:]).code == 0
    assert mmgit("compile", "--check").code == 0


def test_of_several_the_compile_says_which(project: Path, mmgit: Mmgit) -> None:
    (project / RENDERED).mkdir(parents=True, exist_ok=True)
    for name in ("a.yaml", "b.yaml"):
        (project / RENDERED / name).write_text("mine")

    compared = mmgit("compile", "--check")

    assert hinted(compared.err) == ["mmgit", "compile"]
    said = mmgit("compile").err
    assert f"--overwrite {RENDERED}/a.yaml" in said
    assert f"--overwrite {RENDERED}/b.yaml" in said


@pytest.mark.parametrize("named", ["mmgit.yaml", "../../etc/passwd", "environments/dev/rendere", "/etc"])
def test_nothing_is_overwritten_where_nothing_is_rendered(project: Path, mmgit: Mmgit, named: str) -> None:
    ended = mmgit("compile", "--overwrite", named)

    assert ended.code == 2
    assert f"--overwrite {named}: nothing is rendered there" in ended.err
    assert (project / "mmgit.yaml").exists()


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize("named", [f"{RENDERED}/stray.yaml", f"{RENDERED}/", RENDERED, "environments"])
def test_folders_of_rendered_files_may_be_named(mmgit: Mmgit, named: str) -> None:
    assert mmgit("compile", "--overwrite", named).code == 0


@pytest.mark.parametrize("is_cloned", [False, True])
def test_what_was_released_is_restored_by_the_command_that_the_check_names(
    project: Path, mmgit: Mmgit, git: Git, monkeypatch: pytest.MonkeyPatch, *, is_cloned: bool
) -> None:
    if is_cloned:
        git("clone", "-q", str(project), str(project.with_name("clone")))
        monkeypatch.chdir(project.with_name("clone"))
        git("switch", "-q", "-c", "change")
        git("branch", "-D", "main")
    Path(RELEASED).write_text(f"{Path(RELEASED).read_text()}# changed\n")

    ended = mmgit("check")

    restore = next(line for line in (ended.out + ended.err).splitlines() if "git restore" in line)
    git(*hinted(restore)[1:])
    assert mmgit("check").code == 0


def test_a_plan_before_the_first_commit_says_how_to_make_it(here: Callable[..., Path], mmgit: Mmgit, git: Git) -> None:
    here()
    git("init", "-q")

    ended = mmgit("plan")

    assert ended.code == 7
    for command in ended.err.split("hint: ")[-1].strip().split(" && "):
        git(*shlex.split(command)[1:])
    assert mmgit("plan").code == 0
