from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mmgit import __version__

Git = Callable[..., str]
Mmgit = Callable[..., Any]


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_an_empty_folder_becomes_a_repository(tmp_path: Path, mmgit: Mmgit) -> None:
    ended = mmgit("new", "models-of-acme", "--no-base")

    made = sorted(
        path.relative_to(tmp_path / "models-of-acme").as_posix() for path in tmp_path.rglob("*") if path.is_file()
    )
    assert ended.code == 0
    assert [name for name in made if not name.startswith(".mmgit/")] == [
        ".gitattributes",
        *[f".github/workflows/mmgit-{name}.yml" for name in ("check", "drift", "promote", "release")],
        ".gitignore",
        "environments/dev/environment.yaml",
        "mmgit.yaml",
    ]
    assert ended.out.splitlines()[-4:] == [
        "next: git init -b main",
        "next: mmgit base update && mmgit base update proxy",
        "next: mmgit ci",
        "next: mmgit model register NAME PATH -f score.py -p requirements.txt -s schema.json",
    ]


def test_a_training_repository_keeps_what_it_has(tmp_path: Path, mmgit: Mmgit, git: Git) -> None:
    git("init", "-q", "-b", "trunk")
    (tmp_path / "train.py").write_text("pass")
    (tmp_path / ".gitignore").write_text("*.csv\n")

    ended = mmgit("new", ".", "--no-base")

    assert ended.code == 0
    assert "git init" not in ended.out
    assert "branch: trunk" in (tmp_path / "mmgit.yaml").read_text()
    assert f'mmgit: "=={__version__}"' in (tmp_path / "mmgit.yaml").read_text()
    assert (tmp_path / ".gitignore").read_text().startswith("*.csv\n")
    assert git("status", "--porcelain", "-uall").splitlines() == [
        "?? .gitattributes",
        *[f"?? .github/workflows/mmgit-{name}.yml" for name in ("check", "drift", "promote", "release")],
        "?? .gitignore",
        "?? environments/dev/environment.yaml",
        "?? mmgit.yaml",
        "?? train.py",
    ]


def test_rendered_files_are_never_merged_as_text(mmgit: Mmgit, git: Git) -> None:
    git("init", "-q")
    mmgit("new", ".", "--no-base")

    rendered = git(
        "check-attr", "merge", "text", "linguist-generated", "--", "environments/dev/rendered/default/a/b.yaml"
    )
    model = git("check-attr", "text", "--", "models/churn/versions/1/saved/model.bin")

    assert [line.rpartition(": ")[2] for line in rendered.splitlines()] == ["unset", "unset", "set"]
    assert model.strip().endswith("text: unset")


def test_the_remote_says_which_branch_is_the_default_one(tmp_path: Path, mmgit: Mmgit, git: Git) -> None:
    git("init", "-q", "-b", "feature")
    git("symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/develop")

    mmgit("new", "deploy", "--no-base")

    assert "branch: develop" in (tmp_path / "deploy/mmgit.yaml").read_text()


def test_a_repository_is_made_neither_over_nor_inside_another(tmp_path: Path, mmgit: Mmgit) -> None:
    mmgit("new", "one", "--no-base")

    over, inside = mmgit("new", "one", "--no-base"), mmgit("new", "one/two", "--no-base")

    assert (over.code, inside.code) == (2, 2)
    assert "is an mmgit repository already" in over.err
    assert "lies in the mmgit repository" in inside.err
    assert not (tmp_path / "one" / "two").exists()


def test_a_folder_of_models_that_is_in_use_stays_untouched(tmp_path: Path, mmgit: Mmgit) -> None:
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "churn.pkl").touch()

    ended = mmgit("new", ".", "--no-base")

    assert ended.code == 2
    assert "mmgit new deploy" in ended.err
    assert not (tmp_path / "mmgit.yaml").exists()


def test_the_first_hour_up_to_a_declared_service_needs_no_network(tmp_path: Path, mmgit: Mmgit, git: Git) -> None:
    git("init", "-q")
    (tmp_path / "model.bin").write_bytes(b"weights")
    (tmp_path / "score.py").write_text("def run(x):\n    return x\n")
    mmgit("new", ".", "--no-base")

    assert mmgit("model", "register", "churn", "model.bin").code == 0
    (tmp_path / "models/churn/scoring").mkdir()
    (tmp_path / "score.py").rename(tmp_path / "models/churn/scoring/score.py")
    assert mmgit("manifest", "create", "churn", "--python", "3.11").code == 0
    assert mmgit("service", "create", "churn", "--env", "dev", "--key-file", ".mmgit/churn.key").code == 0
    assert "key" not in git("status", "--porcelain", "-uall")
