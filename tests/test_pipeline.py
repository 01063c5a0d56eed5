"""The pipeline as a whole: what is declared becomes files, in every environment, and the same ones every time."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from mmgit import pipeline
from mmgit.cli.main import run
from mmgit.deliver.baseline import Surroundings
from mmgit.repository.files import Root
from mmgit.resolve import resolve

PROJECT = Path(__file__).parents[1]
SERVICE = PROJECT / "environments/staging/services/digits.yaml"
RENDERED = "environments/staging/rendered/default/digits.yaml"


def compiled(root: Path) -> pipeline.Compiled:
    return pipeline.compiled(Root(root), Surroundings())


@pytest.fixture
def copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, copy_of_ours: Callable[[Path], Path]) -> Path:
    """This project's own repository, under git, with everything committed; the current folder is in it."""
    root = copy_of_ours(tmp_path / "copy")
    monkeypatch.chdir(root)
    return root


def git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], capture_output=True, text=True, check=True).stdout


def test_what_is_committed_is_what_the_compiler_makes() -> None:
    made = compiled(PROJECT)

    committed = {path: (PROJECT / path).read_bytes() for path in made.tree}
    there = {
        path.relative_to(PROJECT).as_posix()
        for folder in made.owned
        for path in (PROJECT / folder).rglob("*")
        if path.is_file()
    }
    assert committed == dict(made.tree)
    assert there == set(made.tree)


def test_the_same_declarations_make_the_same_bytes_anywhere(copy: Path) -> None:
    script = (
        "from pathlib import Path; from mmgit import pipeline; from mmgit.repository.files import Root; import hashlib;"
        "from mmgit.deliver.baseline import Surroundings;"
        "tree = pipeline.compiled(Root(Path('.')), Surroundings()).tree;"
        "print(hashlib.sha256(repr(list(tree.items())).encode()).hexdigest())"
    )
    variations = [
        {"TZ": "Asia/Kolkata", "LC_ALL": "C", "PYTHONHASHSEED": "1"},
        {"TZ": "America/Lima", "LC_ALL": "tr_TR.UTF-8", "PYTHONHASHSEED": "2", "COLUMNS": "40"},
    ]

    digests = set()
    for variation in variations:
        environment = {**os.environ, "PYTHONPATH": str(PROJECT), **variation}
        done = subprocess.run(
            [sys.executable, "-c", script], cwd=copy, env=environment, capture_output=True, check=True
        )
        digests.add(done.stdout)

    assert len(digests) == 1


def test_whoever_watches_hears_of_every_service() -> None:
    heard: list[int] = []
    begun: list[tuple[str, int | None, str]] = []

    @contextmanager
    def watch(what: str, total: int | None = None, unit: str = "bytes") -> Iterator[Callable[[int], None]]:
        begun.append((what, total, unit))
        yield heard.append

    made = pipeline.compiled(Root(PROJECT), Surroundings(), watch)

    services = sum(len(each.services) for each in resolve(made.source).desired.environments.values())
    assert begun == [("services", services, "things")]
    assert sum(heard) == services


@pytest.mark.usefixtures("copy")
def test_a_second_compile_writes_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["compile"]) == 0

    assert "0 files written, 0 removed" in capsys.readouterr().out
    assert git("status", "--porcelain") == ""


@pytest.mark.usefixtures("copy")
def test_compile_check_is_silent_about_what_is_up_to_date() -> None:
    assert run(["compile", "--check"]) == 0


def test_compile_check_names_what_is_stale_and_writes_nothing(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    service = copy / "environments/staging/services/digits.yaml"
    service.write_text(service.read_text() + "queue: 7\n")

    assert run(["compile", "--check"]) == 4
    assert f"{RENDERED}: stale" in capsys.readouterr().out
    assert git("status", "--porcelain") == " M environments/staging/services/digits.yaml\n"


def test_a_removed_service_takes_exactly_its_files_with_it(copy: Path) -> None:
    (copy / "environments/dev/services/digits.yaml").unlink()
    outputs = [path for path in git("ls-files", "environments/dev/rendered").split() if "digits" in path]

    assert run(["compile"]) == 0

    gone = git("ls-files", "--deleted").split()
    assert gone == sorted([*outputs, "environments/dev/services/digits.yaml"])
    assert git("diff", "--name-only", "--diff-filter=M").split() == ["environments/dev/rendered/compose.yaml"]


def test_a_hand_edited_output_is_an_error_until_it_is_named(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rendered = copy / RENDERED
    before = rendered.read_bytes()
    rendered.write_bytes(before + b"# mine\n")

    assert run(["compile"]) == 3
    assert "edited by hand" in capsys.readouterr().err
    assert rendered.read_bytes() == before + b"# mine\n"
    assert run(["compile", "--overwrite", RENDERED]) == 0
    assert rendered.read_bytes() == before


def test_a_commit_does_not_take_a_hand_edit_away(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rendered, service = copy / RENDERED, copy / "environments/staging/services/digits.yaml"
    edited = rendered.read_bytes() + b"# mine\n"
    rendered.write_bytes(edited)
    service.write_text(service.read_text() + "queue: 7\n")
    head = git("rev-parse", "HEAD")

    assert run(["compile", "--commit", "--all"]) == 3
    assert "edited by hand" in capsys.readouterr().err
    assert (rendered.read_bytes(), git("rev-parse", "HEAD")) == (edited, head)
    assert run(["compile", "--commit", "--all", "--overwrite", RENDERED]) == 0
    assert "queue" in rendered.read_text()


def test_a_commit_holds_the_declaration_and_its_output_and_leaves_the_rest_as_it_was(copy: Path) -> None:
    service = copy / "environments/staging/services/digits.yaml"
    service.write_text(service.read_text() + "queue: 7\n")
    (copy / "notes.txt").write_text("mine\n")
    (copy / "mmgit.yaml").open("a").close()
    git("add", "notes.txt")

    assert run(["compile", "--commit", "--include", "environments/staging/services/digits.yaml"]) == 0

    assert git("show", "--name-only", "--format=").split() == [RENDERED, "environments/staging/services/digits.yaml"]
    assert git("status", "--porcelain") == "A  notes.txt\n"


def test_a_declaration_that_was_not_named_stops_a_commit(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    service = copy / "environments/staging/services/digits.yaml"
    service.write_text(service.read_text() + "queue: 7\n")
    head = git("rev-parse", "HEAD")

    assert run(["compile", "--commit"]) == 7
    assert "environments/staging/services/digits.yaml" in capsys.readouterr().err
    assert git("rev-parse", "HEAD") == head


@pytest.mark.usefixtures("copy")
def test_a_compile_that_changes_nothing_makes_no_commit(capsys: pytest.CaptureFixture[str]) -> None:
    head = git("rev-parse", "HEAD")

    assert run(["compile", "--commit", "--all"]) == 0

    assert "nothing to commit" in capsys.readouterr().out
    assert git("rev-parse", "HEAD") == head


def test_setting_another_registry_changes_nothing_but_the_host(copy: Path) -> None:
    before = (copy / RENDERED).read_text().splitlines()

    assert run(["env", "update", "staging", "--registry", "mirror.example.test/models", "--unverified"]) == 0
    assert run(["compile"]) == 0

    after = (copy / RENDERED).read_text().splitlines()
    changed = [(old, new) for old, new in zip(before[1:], after[1:], strict=True) if old != new]
    assert [new for _, new in changed] == [
        old.replace("registry.example.com/mmgit", "mirror.example.test/models") for old, _ in changed
    ]
    assert len(changed) == 1


def test_another_compiler_reads_but_does_not_write(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    project = copy / "mmgit.yaml"
    project.write_text(project.read_text().replace("==0.1.0", "==0.0.9"))

    assert run(["compile", "--check"]) == 0
    assert run(["compile"]) == 12
    assert "uvx mmgit==0.0.9" in capsys.readouterr().err


def test_an_autoscaler_that_would_lose_pods_is_seen_against_where_the_branch_began(
    copy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    service = copy / SERVICE.relative_to(PROJECT)
    declared = service.read_text()
    service.write_text(f"{declared}replicas: 3\n")
    git("commit", "--quiet", "--all", "--message=Three replicas")
    git("switch", "--quiet", "--create", "autoscale")

    service.write_text(f"{declared}autoscale: {{handover: 3}}\n")
    git("commit", "--quiet", "--all", "--message=Begin")
    begun = run(["check"])
    service.write_text(f"{declared}autoscale: {{}}\n")
    ended_in_the_same_branch = run(["check"])
    said = capsys.readouterr().err
    git("branch", "--force", "main", "HEAD")
    ended_in_the_next = run(["check"])

    assert (begun, ended_in_the_same_branch, ended_in_the_next) == (0, 3, 0)
    assert "error M411: service `digits` runs 3 replicas" in said
