"""Pins move from one environment to the next and back, in this project's own repository. Its registry is not there."""

import json
import subprocess
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cli.whole import compiled_whole, contents, settle

Mmgit = Callable[..., Any]

STAGING = Path("environments/staging/services/digits.yaml")
PRODUCTION = Path("environments/production/services/digits.yaml")
GATES = "promotion: {from: staging}\n"
TO_PRODUCTION = ("--from", "staging", "--to", "production", "--unverified")
ROLL_BACK = ("rollback", "digits", "--env", "production", "--unverified")

KEY_FILE = ("--key-file", ".mmgit/key")


def git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], capture_output=True, text=True, check=True).stdout


def commit(message: str) -> None:
    git("add", "--all")
    git("commit", "--quiet", f"--message={message}")


def pin(path: Path) -> tuple[str, str]:
    value = yaml.safe_load(path.read_text())
    return value["manifest"], value["image"]


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, copy_of_ours: Callable[[Path], Path]) -> Path:
    """A copy of this project whose staging runs manifest digits/1 and production digits/2; all committed."""
    root = copy_of_ours(tmp_path / "copy")
    monkeypatch.chdir(root)
    return root


@pytest.fixture
def tested(root: Path, mmgit: Mmgit) -> Path:
    """Staging runs another manifest than production."""
    mmgit("service", "update", "digits", "--env", "staging", "--manifest", "digits/1", "--unverified")
    mmgit("compile")
    commit("Try digits/1 in staging")
    return root


@pytest.mark.usefixtures("tested")
def test_a_promotion_copies_the_pin_and_nothing_else(mmgit: Mmgit) -> None:
    PRODUCTION.write_text("# Ask Ada first.\n" + PRODUCTION.read_text() + "queue: 3 # measured\n")
    before = PRODUCTION.read_text().splitlines()

    ended = mmgit("promote", "digits", *TO_PRODUCTION)

    after = PRODUCTION.read_text().splitlines()
    assert (ended.code, pin(PRODUCTION)) == (0, pin(STAGING))
    assert "digits: manifest digits/1 (model digits/1)" in ended.out
    assert [line for line in before if not line.startswith(("manifest:", "image:"))] == [
        line for line in after if not line.startswith(("manifest:", "image:"))
    ]


@pytest.mark.usefixtures("tested")
def test_what_is_promoted_is_compiled(mmgit: Mmgit) -> None:
    mmgit("promote", *TO_PRODUCTION)

    assert pin(STAGING)[1] in Path("environments/production/rendered/default/digits.yaml").read_text()
    assert mmgit("compile", "--check").code == 0


@pytest.mark.usefixtures("tested")
def test_without_names_all_that_both_declare_is_promoted_and_the_rest_is_said(mmgit: Mmgit) -> None:
    out = mmgit("promote", *TO_PRODUCTION).out

    assert "filetype stays: production does not declare it" in out
    assert pin(PRODUCTION) == pin(STAGING)


@pytest.mark.usefixtures("tested")
def test_a_service_that_is_new_in_a_registry_is_released_even_when_its_image_is_locked(mmgit: Mmgit) -> None:
    named = ("--env", "production", "--manifest", "digits/1", "--unverified")

    ended = mmgit("service", "create", "numbers", *named, *KEY_FILE)

    assert ended.code == 0
    assert "warning: registry.example.com/mmgit was not asked" in ended.err
    assert "runs manifest digits/1" in ended.out
    assert "next: mmgit release numbers --env production\n" in ended.out


@pytest.mark.usefixtures("root")
def test_a_service_that_waits_where_pins_are_promoted_is_promoted_next(mmgit: Mmgit) -> None:
    with Path("environments/production/environment.yaml").open("a") as environment:
        environment.write(GATES)
    frozen = mmgit("manifest", "create", "digits")

    ended = mmgit("service", "create", "numbers", "--env", "production", "--model", "digits", *KEY_FILE)

    assert ended.code == 0, ended.err
    assert [line.split()[6] for line in frozen.out.splitlines() if "service update" in line] == ["dev", "staging"]
    assert "next: mmgit promote numbers --from staging --to production   once staging runs it\n" in ended.out


@pytest.mark.usefixtures("root")
def test_a_model_that_runs_nowhere_is_not_begun_where_pins_are_promoted(mmgit: Mmgit) -> None:
    with Path("environments/dev/environment.yaml").open("a") as environment:
        environment.write(GATES)
    mmgit("service", "delete", "filetype", "--env", "staging")

    out = mmgit("manifest", "create", "filetype").out

    assert "next: mmgit service create filetype --env production\n" in out


@pytest.mark.usefixtures("root")
def test_what_runs_the_same_already_is_no_change(mmgit: Mmgit) -> None:
    ended = mmgit("promote", "digits", *TO_PRODUCTION)

    assert ended.out == "digits stays: it runs the same there\nnothing to promote from staging to production\n"
    assert git("status", "--porcelain") == ""


@pytest.mark.parametrize(
    ("arguments", "message", "hint"),
    [
        (("filetype", "--from", "staging", "--to", "production"), "production does not declare it", "service create"),
        (
            ("nobody", "--from", "staging", "--to", "production"),
            "there is no service `nobody`",
            "service create nobody",
        ),
        (("digits", "--from", "dev", "--to", "production"), "is promoted from staging, not from dev", "--from staging"),
        (("digits", "--from", "staging", "--to", "staging"), "cannot be promoted to itself", "--to ENV"),
        (("digits", "--from", "staging", "--to", "nowhere"), "there is no environment `nowhere`", "env create nowhere"),
    ],
)
@pytest.mark.usefixtures("tested")
def test_a_promotion_that_cannot_be_is_an_error_with_the_way_on(
    mmgit: Mmgit, arguments: tuple[str, ...], message: str, hint: str
) -> None:
    with Path("environments/production/environment.yaml").open("a") as environment:
        environment.write(GATES)

    ended = mmgit("promote", *arguments)

    assert ended.code == 2
    assert message in ended.err
    assert hint in ended.err


@pytest.fixture
def remembered(promoted: Path, mmgit: Mmgit) -> Path:
    """Staging runs digits/2 again, as `numbers` does, which is in production alone; the last compile left a state."""
    numbers = PRODUCTION.with_name("numbers.yaml")
    numbers.write_text(PRODUCTION.read_text())
    mmgit("compile", "--commit", "--all")
    for name, environment in (("numbers", "production"), ("digits", "staging")):
        mmgit("service", "update", name, "--env", environment, "--manifest", "digits/2", "--unverified")
    mmgit("compile", "--commit", "--all")
    settle()
    mmgit("compile")
    return promoted


@pytest.mark.parametrize(
    "command",
    [
        ("promote", "digits", *TO_PRODUCTION),
        ("promote", *TO_PRODUCTION),
        (*ROLL_BACK, "--reason", "worse on Mondays"),
        (*ROLL_BACK, "--to", "digits/2", "--reason", "worse on Mondays"),
        ("rollback", "numbers", "--unverified", "--reason", "worse on Mondays"),
    ],
    ids=" ".join,
)
@pytest.mark.parametrize("is_edited", [False, True], ids=["alone", "with-an-edit"])
def test_what_moves_is_compiled_to_the_bytes_of_a_compile_of_everything(
    remembered: Path, mmgit: Mmgit, checked: list[Collection[str] | None], command: tuple[str, ...], *, is_edited: bool
) -> None:
    if is_edited:
        with Path("environments/staging/services/examples/penguins.yaml").open("a") as service:
            service.write("queue: 7\n")
    whole = compiled_whole(remembered, *command)
    before = contents(remembered)
    checked.clear()

    ended = mmgit(*command)

    assert ended.code == 0, ended.err
    assert contents(remembered) == whole != before
    assert len(checked) == 1
    assert None not in checked
    checked.clear()
    assert mmgit("compile", "--check").code == 0
    assert None not in checked


@pytest.mark.usefixtures("remembered")
def test_another_environment_that_changed_has_everything_compiled(
    remembered: Path, mmgit: Mmgit, checked: list[Collection[str] | None]
) -> None:
    with Path("environments/staging/environment.yaml").open("a") as environment:
        environment.write("defaults: {queue: 7}\n")
    whole = compiled_whole(remembered, "promote", "digits", *TO_PRODUCTION)
    checked.clear()

    assert mmgit("promote", "digits", *TO_PRODUCTION).code == 0

    assert None in checked
    assert contents(remembered) == whole


@pytest.fixture
def promoted(tested: Path, mmgit: Mmgit) -> Path:
    """Production runs what staging ran, committed."""
    mmgit("promote", "digits", *TO_PRODUCTION)
    commit("Promote digits")
    return tested


@pytest.mark.usefixtures("promoted")
def test_a_rollback_pins_what_ran_before_and_says_why_it_holds(mmgit: Mmgit) -> None:
    ended = mmgit(*ROLL_BACK, "--reason", "worse on Mondays", "--until", "2099-01-31")

    assert ended.code == 0
    assert pin(PRODUCTION)[0] == "digits/2"
    assert yaml.safe_load(PRODUCTION.read_text())["hold"] == {"reason": "worse on Mondays", "until": "2099-01-31"}
    assert pin(PRODUCTION)[1] in Path("environments/production/rendered/default/digits.yaml").read_text()


@pytest.mark.usefixtures("promoted")
def test_a_rollback_that_is_typed_again_does_not_go_forward_again(mmgit: Mmgit) -> None:
    command = (*ROLL_BACK, "--reason", "worse on Mondays")
    mmgit(*command, "--until", "2099-01-31")

    again, longer = mmgit(*command, "--until", "2099-01-31"), mmgit(*command, "--until", "2099-02-28")

    assert (again.code, again.out) == (0, "it is so already\n")
    assert longer.code == 0
    assert pin(PRODUCTION)[0] == "digits/2"
    assert yaml.safe_load(PRODUCTION.read_text())["hold"]["until"] == "2099-02-28"


@pytest.mark.usefixtures("promoted")
def test_a_later_promotion_does_not_undo_a_rollback(mmgit: Mmgit) -> None:
    mmgit(*ROLL_BACK, "--reason", "worse on Mondays", "--until", "2099-01-31")
    rolled_back = PRODUCTION.read_text()

    all_of_them = mmgit("promote", *TO_PRODUCTION)
    by_name = mmgit("promote", "digits", *TO_PRODUCTION)

    assert "digits stays: production holds its pin until 2099-01-31: worse on Mondays" in all_of_them.out
    assert by_name.code == 2
    assert "mmgit rollback digits --env production --release" in by_name.err
    assert PRODUCTION.read_text() == rolled_back


@pytest.mark.parametrize("end", [("--until", "2026-01-01"), ("--until", "2099-01-31")])
@pytest.mark.usefixtures("promoted")
def test_after_its_last_day_or_when_released_a_hold_is_gone(mmgit: Mmgit, end: tuple[str, str]) -> None:
    mmgit(*ROLL_BACK, "--reason", "worse on Mondays", *end)
    if end[1] > "2090":
        assert mmgit(*ROLL_BACK, "--release").code == 0
        assert "hold" not in yaml.safe_load(PRODUCTION.read_text())

    assert mmgit("promote", "digits", *TO_PRODUCTION).code == 0

    assert pin(PRODUCTION) == pin(STAGING)
    assert "hold" not in yaml.safe_load(PRODUCTION.read_text())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), 'hint: mmgit rollback digits --env production --reason "…"'),
        (("--reason", "x", "--until", "soon"), "--until soon"),
        (("--reason", "x", "--to", "digits/9"), "never ran `digits/9`"),
        (("--release",), "is not held"),
    ],
)
@pytest.mark.usefixtures("promoted")
def test_a_rollback_that_cannot_be_changes_nothing(mmgit: Mmgit, arguments: tuple[str, ...], message: str) -> None:
    ended = mmgit(*ROLL_BACK, *arguments)

    assert ended.code == 2
    assert message in ended.err
    assert git("status", "--porcelain") == ""


@pytest.mark.usefixtures("root")
def test_a_service_that_never_ran_anything_else_cannot_go_back(mmgit: Mmgit) -> None:
    ended = mmgit(*ROLL_BACK, "--reason", "x")

    assert ended.code == 2
    assert "never ran anything else" in ended.err


@pytest.mark.usefixtures("promoted")
def test_history_tells_every_pin_with_its_commit(mmgit: Mmgit) -> None:
    rows = json.loads(mmgit("history", "digits", "--env", "production", "-o", "json").out)

    assert [(row["manifest"], row["subject"]) for row in rows] == [
        ("digits/1", "Promote digits"),
        ("digits/2", "Begin"),
    ]
    assert rows[0]["commit"] == git("rev-parse", "HEAD")[:12]


@pytest.mark.usefixtures("promoted")
def test_history_follows_the_branch_and_not_what_was_merged_into_it(mmgit: Mmgit) -> None:
    git("switch", "--quiet", "--create", "work")
    mmgit(*ROLL_BACK, "--reason", "x")
    commit("On a branch")
    mmgit(*ROLL_BACK, "--to", "digits/1", "--reason", "y")
    commit("Back again")
    git("switch", "--quiet", "main")
    git("merge", "--quiet", "--no-ff", "--message=Merge work", "work")

    rows = json.loads(mmgit("history", "digits", "--env", "production", "-o", "json").out)

    assert [row["subject"] for row in rows] == ["Promote digits", "Begin"]


@pytest.mark.usefixtures("promoted")
def test_the_matrix_says_what_runs_where_since_when_and_what_is_held(mmgit: Mmgit) -> None:
    mmgit(*ROLL_BACK, "--reason", "worse on Mondays")

    rows = json.loads(mmgit("matrix", "-o", "json").out)

    found = {(row["environment"], row["service"]): row for row in rows}
    assert found["staging", "digits"]["since"] == git("log", "-1", "--format=%cI", "HEAD~").strip()
    assert found["production", "digits"]["since"] == "not committed yet"
    assert found["production", "digits"]["held"] == "worse on Mondays"


@pytest.mark.usefixtures("promoted")
def test_why_leads_from_a_service_to_the_version_that_it_runs(mmgit: Mmgit) -> None:
    found = json.loads(mmgit("why", "digits", "--env", "production", "-o", "json").out)

    assert found["subject"] == "Promote digits"
    assert found["manifest"] == "digits/1"
    assert Path(found["image"]["lock"]).is_file()
    assert [model["version"] for model in found["models"]] == ["digits/1"]
    assert found["models"][0]["lineage"]["commit"]


@pytest.mark.usefixtures("promoted")
def test_why_says_nothing_that_nobody_said(mmgit: Mmgit) -> None:
    said = mmgit("why", "digits", "--env", "production").out

    assert [line for line in said.splitlines() if line.endswith((" []", " {}", ' ""', " null"))] == []
