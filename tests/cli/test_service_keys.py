import json
import os
import pty
import re
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from mmgit.edits.keys import digest_of

Git = Callable[..., str]
Here = Callable[..., Path]
Mmgit = Callable[..., Any]

SERVICE = "environments/dev/services/churn.yaml"
RENEW = ("service", "keys", "churn", "--env", "dev", "--regen", "primary")


def keys_of(root: Path) -> list[dict[str, str]]:
    keys: list[dict[str, str]] = yaml.safe_load((root / SERVICE).read_text()).get("keys", [])
    return keys


@pytest.fixture
def root(project: Path, git: Git) -> Path:
    """A repository in git, with a folder that git ignores and one that it does not."""
    (project / ".gitignore").write_text("/.mmgit/\n*.key\n")
    (project / ".mmgit").mkdir()
    git("add", "-A")
    git("commit", "-q", "-m", "Ignore")
    return project


def on_a_terminal(arguments: list[str], folder: Path, **variables: str) -> tuple[int, str]:
    """Run mmgit as a person does, on a terminal of its own."""
    controller, terminal = pty.openpty()
    environment = {name: value for name, value in os.environ.items() if name != "CI"} | variables
    command = [sys.executable, "-c", "from mmgit.cli.main import main; main()", *arguments]
    process = subprocess.Popen(command, cwd=folder, env=environment, stdout=terminal, stderr=terminal)
    os.close(terminal)
    said = b""
    try:
        while chunk := os.read(controller, 65536):
            said += chunk
    except OSError:  # how a terminal says that nobody writes to it any more
        pass
    finally:
        os.close(controller)
    return process.wait(60), said.decode()


def test_a_person_on_a_terminal_sees_the_new_key_once(root: Path) -> None:
    code, said = on_a_terminal(list(RENEW), root)

    (token,) = re.findall(r"mmgit_\w+", said)
    assert code == 0
    assert "shown this once" in said
    assert [key["digest"] for key in keys_of(root)] == [digest_of(token)]


def test_a_ci_log_never_sees_a_key(root: Path) -> None:
    code, said = on_a_terminal(list(RENEW), root, CI="true")

    assert code == 2
    assert "--key-file" in said
    assert not re.search(r"mmgit_\w{8}_", said)
    assert keys_of(root) == []


@pytest.mark.usefixtures("root")
def test_without_a_terminal_the_key_file_is_named_and_nothing_changes(mmgit: Mmgit, git: Git) -> None:
    ended = mmgit(*RENEW)

    assert ended.code == 2
    assert "--key-file FILE" in ended.err
    assert git("status", "--porcelain") == ""


@pytest.mark.parametrize("place", [".mmgit/churn", "environments/churn.key", "../outside"])
def test_a_key_file_may_lie_where_git_never_takes_it_up(root: Path, mmgit: Mmgit, git: Git, place: str) -> None:
    assert mmgit(*RENEW, "--key-file", place).code == 0

    assert keys_of(root)[0]["digest"] == digest_of((root / place).read_text().strip())
    assert git("status", "--porcelain", "-uall").splitlines() == [f" M {SERVICE}"]


@pytest.mark.usefixtures("root")
@pytest.mark.parametrize("place", ["churn.txt", "models/churn/scoring/key", "environments/dev/../../key"])
def test_a_key_file_that_git_would_take_up_is_refused(mmgit: Mmgit, git: Git, place: str) -> None:
    ended = mmgit(*RENEW, "--key-file", place)

    assert ended.code == 2
    assert "--key-file .mmgit/" in ended.err
    assert git("status", "--porcelain", "-uall") == ""


def test_a_link_into_the_repository_does_not_help(root: Path, mmgit: Mmgit) -> None:
    (root.parent / "link").symlink_to(root / "models")

    assert mmgit(*RENEW, "--key-file", str(root.parent / "link" / "churn")).code == 2
    assert not (root / "models" / "churn.txt").exists()


def test_an_existing_key_file_is_never_overwritten_or_followed(root: Path, mmgit: Mmgit) -> None:
    (root / ".mmgit/churn").write_text("the other key")
    (root / ".mmgit/link").symlink_to(root / ".mmgit/elsewhere")

    assert "File exists" in mmgit(*RENEW, "--key-file", ".mmgit/churn").err
    assert mmgit(*RENEW, "--key-file", ".mmgit/link").code == 2
    assert (root / ".mmgit/churn").read_text() == "the other key"
    assert keys_of(root) == []


def test_outside_of_git_only_the_folder_of_mmgit_itself_will_do(here: Here, mmgit: Mmgit) -> None:
    root = here()
    (root / ".mmgit").mkdir()

    assert mmgit(*RENEW, "--key-file", "churn.key").code == 2
    assert mmgit(*RENEW, "--key-file", ".mmgit/churn.key").code == 0


def test_a_renewal_that_fails_leaves_no_key_file(root: Path, mmgit: Mmgit) -> None:
    (root / SERVICE).write_text("# one\n" + (root / SERVICE).read_text() + "keys: [{name: primary, id: x}]\n")

    assert mmgit(*RENEW, "--key-file", ".mmgit/churn").code == 3
    assert not (root / ".mmgit/churn").exists()


def test_both_keys_live_side_by_side_and_one_can_go(root: Path, mmgit: Mmgit) -> None:
    first = mmgit(*RENEW, "--key-file", ".mmgit/first", "--expires", "2099-12-31").out
    second = mmgit("service", "keys", "churn", "--regen", "secondary", "--key-file", ".mmgit/second").out
    assert first.startswith("service churn in dev: new primary key, through 2099-12-31\n")
    assert second.startswith("service churn in dev: new secondary key\n")

    rows = json.loads(mmgit("service", "keys", "churn", "-o", "json").out)
    assert [(row["name"], row["expires"]) for row in rows] == [("primary", "2099-12-31"), ("secondary", None)]

    revoked = mmgit("service", "keys", "churn", "--revoke", "primary")
    assert (revoked.code, revoked.out) == (0, "service churn in dev: primary key revoked\nnext: mmgit compile\n")
    assert [key["name"] for key in keys_of(root)] == ["secondary"]
    assert mmgit("service", "keys", "churn", "--revoke", "primary").code == 2


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--regen", "primary", "--revoke", "primary"], "either --regen or --revoke"),
        (["--expires", "2099-12-31"], "belong to --regen"),
        (["--own", "mmgit.yaml"], "belong to --regen"),
        (["--regen", "primary", "--own", "mmgit.yaml", "--key-file", "k"], "so none is written"),
        (["--regen", "primary", "--own", "mmgit.yaml"], "lies in the repository"),
        (["--regen", "primary", "--expires", "90000000d"], "neither a day nor a number of days"),
        (["--regen", "primary", "--expires", "soon"], "neither a day nor a number of days"),
        (["--regen", "primary", "--expires", "2020-01-01", "--key-file", "k"], "expected a day from today"),
        (["--regen", "primary", "--expires", "2099-02-30"], "2099-02-30"),
        (["--regen", "primary", "--expires", "2100-01-01"], "to 2099-12-31"),
        (["--regen", "third"], "third"),
    ],
)
def test_what_does_not_fit_together_is_refused(root: Path, mmgit: Mmgit, arguments: list[str], words: str) -> None:
    ended = mmgit("service", "keys", "churn", *arguments)

    assert ended.code == 2
    assert words in ended.err
    assert keys_of(root) == []


def test_a_key_says_when_it_was_made_and_ends_after_so_many_days(root: Path, mmgit: Mmgit) -> None:
    today = datetime.now(UTC).date()

    mmgit(*RENEW, "--key-file", ".mmgit/first", "--expires", "90d")

    (key,) = keys_of(root)
    assert key["expires"] in {str(today + timedelta(days=90)), str(today + timedelta(days=91))}
    assert key["created"] in {str(today), str(today + timedelta(days=1))}
    (row,) = json.loads(mmgit("service", "keys", "churn", "-o", "json").out)
    assert row["age_days"] in {0, -1, 1}


def aged(root: Path, **dates: str) -> None:
    """Let the service have a primary key with these dates."""
    key = {"name": "primary", "id": "abcd", "digest": f"sha256:{'0' * 64}", **dates}
    service = yaml.safe_load((root / SERVICE).read_text()) | {"keys": [key]}
    (root / SERVICE).write_text(yaml.safe_dump(service, sort_keys=False))


@pytest.mark.parametrize(
    ("dates", "words"),
    [
        ({"created": "2020-01-01", "expires": "2020-02-01"}, "the primary key ended on 2020-02-01"),
        ({"created": "2020-01-01"}, "the primary key is 2"),
        ({}, "the primary key has no date"),
    ],
)
def test_a_key_that_is_over_or_old_is_warned_of_for_all_services_at_once(
    root: Path, mmgit: Mmgit, dates: dict[str, str], words: str
) -> None:
    aged(root, **dates)
    environment = root / "environments/dev/environment.yaml"
    environment.write_text(environment.read_text() + "promotion: {from: dev, key_age: 90d}\n")

    ended = mmgit("service", "keys")

    assert ended.out.split()[:3] == ["SERVICE", "ENVIRONMENT", "NAME"]
    assert f"warning: churn in dev: {words}" in ended.err
    assert "mmgit service keys churn --env dev --regen primary" in ended.err


def test_a_key_that_callers_have_already_is_taken_over_without_a_word(root: Path, mmgit: Mmgit) -> None:
    (root / ".mmgit/theirs").write_text("3f9c1d7e5b2a48069e1f7c3d5a8b6402\n")

    ended = mmgit(*RENEW, "--own", ".mmgit/theirs")

    assert ended.code == 0
    assert "3f9c1d7e" not in ended.out + ended.err
    assert keys_of(root)[0]["digest"] == digest_of("3f9c1d7e5b2a48069e1f7c3d5a8b6402")


def test_a_key_of_ones_own_that_may_be_guessed_is_refused(root: Path, mmgit: Mmgit) -> None:
    (root / ".mmgit/theirs").write_text("correct-horse-battery-staple-7")

    ended = mmgit(*RENEW, "--own", ".mmgit/theirs")

    assert ended.code == 2
    assert "128 are needed" in ended.err
    assert "staple" not in ended.out + ended.err
    assert keys_of(root) == []


@pytest.mark.usefixtures("root")
def test_whose_key_shall_be_renewed_must_be_said(mmgit: Mmgit) -> None:
    assert "whose key is meant?" in mmgit("service", "keys", "--regen", "primary").err
