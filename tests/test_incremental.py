"""A compile of what changed leaves the same bytes as a compile of everything, whatever happened in between."""

import os
import random
import shutil
import subprocess
from collections.abc import Callable, Collection
from pathlib import Path

import pytest

from mmgit import looking, pipeline, state
from mmgit.cli.main import run
from mmgit.deliver.baseline import surroundings_of
from mmgit.errors import ProblemsFound
from mmgit.incremental import memory
from mmgit.repository.files import Root
from mmgit.repository.header import header_state

STAGING = "environments/staging"
DIGITS = f"{STAGING}/services/digits.yaml"
RENDERED = f"{STAGING}/rendered/default/digits.yaml"


@pytest.fixture
def copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, copy_of_ours: Callable[[Path], Path]) -> Path:
    """This project's own repository, compiled, with the current folder in it."""
    root = copy_of_ours(tmp_path / "copy")
    monkeypatch.chdir(root)
    assert run(["compile"]) == 0
    return root


def rendered(root: Path) -> dict[str, bytes]:
    folders = [*root.glob("environments/*/rendered"), *root.glob("environments/*/controllers")]
    paths = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in paths}


def edit(path: Path, line: str) -> None:
    path.write_text(path.read_text() + line)


def set_queue(path: Path, queue: int) -> None:
    lines = [line for line in path.read_text().splitlines() if not line.startswith("queue:")]
    path.write_text("\n".join([*lines, f"queue: {queue}"]) + "\n")


def edit_at_random(root: Path, chance: random.Random) -> None:
    """One to three things that people do: edits, additions, removals, moves, and hands in what is rendered."""
    for _ in range(chance.randint(1, 3)):
        services = sorted(root.glob("environments/*/services/**/*.yaml"))
        outputs = sorted(root.glob("environments/*/rendered/**/*.yaml"))
        service, output = chance.choice(services), chance.choice(outputs)
        group = chance.choice(["", "examples", "others"])
        top = Path(*service.parts[: service.parts.index("services") + 1])
        match min(chance.randrange(10), 8):
            case 0 | 1:
                set_queue(service, chance.randrange(100))
            case 2:
                edit(service, "# a comment\n")
            case 3:
                name = chance.choice([service.name, f"more-{chance.randrange(4)}.yaml"])
                (top / group).mkdir(exist_ok=True)
                (top / group / name).write_bytes(service.read_bytes())
            case 4:
                (top / group).mkdir(exist_ok=True)
                service.rename(top / group / service.name)
            case 5 if len(services) > 3:
                service.unlink()
            case 6:
                output.unlink()
            case 7:
                edit(output, "# by hand\n")
            case 8:
                commit_or_freeze(root, chance)


def commit_or_freeze(root: Path, chance: random.Random) -> None:
    if chance.randrange(2):
        freeze_again(root)
    else:
        git("add", "--all")
        git("commit", "--quiet", "--allow-empty", "--message=By hand")


def git(*arguments: str) -> str:
    return subprocess.check_output(["git", *arguments], text=True)


def freeze_again(root: Path) -> str:
    """A new manifest of `digits`, like the one before; its reference."""
    manifests = root / "models/digits/manifests"
    number = len(list(manifests.iterdir()))
    shutil.copytree(manifests / "2", manifests / str(number + 1), ignore=shutil.ignore_patterns("images"))
    return f"digits/{number + 1}"


@pytest.mark.parametrize("seed", range(3))
def test_whatever_is_edited_the_files_are_those_of_a_full_compile(copy: Path, seed: int) -> None:
    git("tag", "begin")
    chance = random.Random(seed)  # noqa: S311 - the same edits each time
    for _ in range(10):
        edit_at_random(copy, chance)
        touched = rendered(copy)
        try:
            wanted = dict(pipeline.compiled(Root(copy), surroundings_of(Root(copy))).tree)
        except ProblemsFound:
            assert run(["compile"]) == 3
            assert rendered(copy) == touched
            git("reset", "--quiet", "--hard", "begin")
            git("clean", "-fdq", "environments", "models")
            continue

        command = chance.choice([["compile"], ["compile", "--commit", "--all"]])
        code = run(command)
        if code == 3:
            assert any(header_state(data) != "ours" for data in touched.values())
            code = run([*command, "--overwrite", "environments"])

        assert code == 0
        assert rendered(copy) == wanted
        assert run(["compile", "--check"]) == 0
        assert "--commit" not in command or git("status", "--porcelain") == ""


def test_only_the_service_that_changed_is_compiled(copy: Path, checked: list[Collection[str] | None]) -> None:
    set_queue(copy / DIGITS, 7)

    assert run(["compile"]) == 0

    assert checked == [[DIGITS]]
    assert b'"queue": 7' in (copy / RENDERED).read_bytes()


def test_nothing_is_compiled_when_nothing_changed(
    copy: Path, checked: list[Collection[str] | None], capsys: pytest.CaptureFixture[str]
) -> None:
    files = len(rendered(copy))
    capsys.readouterr()

    assert run(["compile"]) == 0
    assert run(["compile", "--check"]) == 0

    assert checked == []
    said = f"0 files written, 0 removed, {files} in all\nup to date: {files} rendered files\n"
    assert capsys.readouterr().out == said


def test_another_kind_of_change_is_a_full_compile(copy: Path, checked: list[Collection[str] | None]) -> None:
    edit(copy / f"{STAGING}/environment.yaml", "defaults: {queue: 3}\n")

    assert run(["compile"]) == 0

    assert checked == [None]
    assert b'"queue": 3' in (copy / RENDERED).read_bytes()


def test_after_a_commit_only_what_it_changed_is_compared_with_what_is_released_now(
    copy: Path, checked: list[Collection[str] | None]
) -> None:
    set_queue(copy / DIGITS, 7)
    assert run(["compile"]) == 0
    git("commit", "--quiet", "--all", "--message=Shorten the queue")
    checked.clear()

    assert run(["compile"]) == 0

    assert checked == [[DIGITS]]


@pytest.mark.usefixtures("copy")
def test_on_a_branch_a_commit_compiles_nothing(checked: list[Collection[str] | None]) -> None:
    git("switch", "--quiet", "--create", "branch")
    git("commit", "--quiet", "--allow-empty", "--message=More")

    assert [run(["compile"]) for _ in range(2)] == [0, 0]

    assert checked == [[]]


@pytest.mark.usefixtures("copy")
def test_a_file_that_is_released_now_and_is_another_one_here_is_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    path = "models/digits/manifests/2/score.py"
    other = subprocess.check_output(["git", "hash-object", "-w", "--stdin"], input="another\n", text=True).strip()
    git("update-index", "--cacheinfo", f"100644,{other},{path}")
    git("commit", "--quiet", "--message=Release another one")

    assert run(["compile"]) == 3
    assert f"{path}: error M401" in capsys.readouterr().err


def test_who_runs_another_manifest_next_is_compared_with_what_runs(
    copy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    reference = freeze_again(copy)
    schema = copy / f"models/{reference.replace('/', '/manifests/')}/schema.json"
    schema.write_text(schema.read_text().replace('"required": [', '"required": ["more", '))
    assert run(["compile", "--commit", "--all"]) == 0

    edit(copy / DIGITS, f"next: {reference}\n")

    assert run(["compile"]) == 3
    assert "M351" in capsys.readouterr().err


def test_a_new_manifest_is_checked_and_no_service_is_compiled(
    copy: Path, checked: list[Collection[str] | None], capsys: pytest.CaptureFixture[str]
) -> None:
    freeze_again(copy)
    assert run(["compile"]) == 0
    assert checked == [[]]

    (copy / f"models/{freeze_again(copy).replace('/', '/manifests/')}/score.py").unlink()

    assert run(["compile"]) == 3
    assert "score.py" in capsys.readouterr().err


def test_a_commit_compiles_what_changed_and_holds_what_was_left(
    copy: Path, checked: list[Collection[str] | None]
) -> None:
    penguins = f"{STAGING}/services/examples/penguins.yaml"
    set_queue(copy / penguins, 7)
    assert run(["compile"]) == 0
    set_queue(copy / DIGITS, 7)
    (copy / "notes.txt").write_text("mine")
    checked.clear()

    assert run(["compile", "--commit"]) == 7
    assert run(["compile", "--commit", "--include", DIGITS, "--include", penguins]) == 0

    assert None not in checked
    changed = git("show", "--format=", "--name-only").split()
    assert sorted(changed) == sorted([DIGITS, RENDERED, penguins, f"{STAGING}/rendered/examples/penguins.yaml"])
    assert git("status", "--porcelain") == "?? notes.txt\n"


def test_a_check_writes_nothing(copy: Path) -> None:
    set_queue(copy / DIGITS, 8)
    before = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in copy.rglob("*") if path.is_file()}

    assert run(["compile", "--check"]) == 4

    assert {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in copy.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize("damage", [b"", b"00000000\n", b"garbage", None])
def test_a_state_that_is_damaged_or_gone_is_no_state(
    copy: Path, checked: list[Collection[str] | None], damage: bytes | None
) -> None:
    path = copy / state.PATH
    path.unlink()
    if damage is not None:
        path.write_bytes(damage)

    assert run(["compile"]) == 0

    assert checked == [None]
    assert state.read(str(copy)) is not None


def test_only_a_journal_with_a_record_in_it_is_left_to_a_full_compile(
    copy: Path, checked: list[Collection[str] | None]
) -> None:
    (copy / ".mmgit/journal").mkdir()

    assert run(["compile"]) == 0
    assert checked == []

    (copy / ".mmgit/journal/entries.json").write_text('{"entries": [], "base": null}')

    assert state.read(str(copy)) is None


def test_every_bit_of_the_state_counts(copy: Path) -> None:
    data = (copy / state.PATH).read_bytes()
    for place in range(0, len(data), 97):
        (copy / state.PATH).write_bytes(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])

        assert state.read(str(copy)) is None


def test_a_change_that_keeps_size_and_time_is_seen(copy: Path) -> None:
    path = copy / RENDERED
    before, data = path.stat(), path.read_bytes()
    path.write_bytes(data.replace(b"Always", b"Never!"))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))

    assert run(["compile", "--check"]) == 4


def test_warnings_are_shown_again_until_they_are_gone(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    service = copy / DIGITS
    data = service.read_text()
    service.write_text(data[: data.index("keys:")])

    said = [(run(["compile"]), capsys.readouterr().err) for _ in range(3)]
    set_queue(copy / f"{STAGING}/services/examples/penguins.yaml", 3)
    assert run(["compile"]) == 0
    later = capsys.readouterr().err
    service.write_text(data)
    assert run(["compile"]) == 0

    assert "M331" in said[0][1]
    assert said == [said[0]] * 3
    assert later == said[0][1]
    assert "M331" not in capsys.readouterr().err


def test_listings_are_the_same_after_a_round_trip(copy: Path) -> None:
    listings = looking.look(str(copy))

    assert looking.unpacked(looking.packed(listings)) == listings
    assert memory.begin(Root(copy)).listings == listings


def test_where_git_lies_elsewhere_it_is_asked_each_time(
    copy: Path, tmp_path: Path, checked: list[Collection[str] | None]
) -> None:
    (copy / ".git").rename(tmp_path / "elsewhere")
    (copy / ".git").write_text(f"gitdir: {tmp_path / 'elsewhere'}\n")

    assert [run(["compile"]) for _ in range(2)] == [0, 0]

    assert checked == [[], []]
