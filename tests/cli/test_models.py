import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

Git = Callable[..., str]
Here = Callable[..., Path]
Mmgit = Callable[..., Any]


@pytest.fixture
def training(tmp_path: Path) -> Path:
    """A folder with a trained model and what scores it."""
    folder = tmp_path / "training"
    folder.mkdir()
    (folder / "digits.skops").write_bytes(b"weights")
    (folder / "predict.py").write_text("def run(x):\n    return x\n")
    (folder / "schema.json").write_text("{}")
    (folder / "sample.json").write_text('{"x": 1}')
    return folder


def test_registering_a_model_says_both_numbers_and_what_to_type_next(
    project: Path, mmgit: Mmgit, training: Path, git: Git
) -> None:
    arguments = [
        "-f",
        f"{training}/predict.py",
        "-s",
        f"{training}/schema.json",
        "--metric",
        "auc=0.91",
        "--tag",
        "stage=trial",
    ]

    ended = mmgit("model", "register", "digits", f"{training}/digits.skops", *arguments)

    assert (ended.code, ended.err) == (0, "")
    assert ended.out.splitlines() == [
        "model digits/1",
        "manifest digits/1 (model digits/1)",
        "next: mmgit serve digits",
        "next: mmgit service create digits --env dev",
    ]
    version = yaml.safe_load((project / "models/digits/versions/1/version.yaml").read_text())
    assert version["metrics"] == {"auc": 0.91}
    assert version["lineage"]["commit"] == git("rev-parse", "HEAD").strip()
    assert (project / "models/digits/versions/1/digits.skops").read_bytes() == b"weights"
    assert sorted(path.name for path in (project / "models/digits/scoring").iterdir()) == [
        "sample.json",
        "schema.json",
        "score.py",
    ]
    assert mmgit("model", "list").code == 0


def test_the_next_version_needs_the_file_only(project: Path, mmgit: Mmgit, training: Path) -> None:
    ended = mmgit("model", "register", "churn", f"{training}/digits.skops")

    assert ended.out.startswith("model churn/2\nmanifest churn/2 (model churn/2)\n")
    assert "next: mmgit service update churn --env dev --manifest churn/2" in ended.out
    assert (project / "models/churn/manifests/2/score.py").exists()


def test_a_folder_and_a_uri_are_registered_together(here: Here, mmgit: Mmgit, training: Path) -> None:
    here()
    (training / "saved").mkdir()
    (training / "saved" / "model.pb").write_bytes(b"graph")

    ended = mmgit("model", "register", "digits", f"{training}/saved", f"file://{training}/digits.skops")

    assert ended.code == 0
    assert "next: mmgit manifest create digits" in ended.out
    shown = json.loads(mmgit("model", "show", "digits/1", "-o", "json").out)
    assert [(file["path"], file.get("uri")) for file in shown["files"]] == [
        ("digits.skops", f"file://{training}/digits.skops"),
        ("saved/model.pb", None),
    ]


@pytest.mark.parametrize(
    ("written", "folder"),
    [("store", "store"), ("für%20alle", "für alle"), ("f%C3%BCr", "für"), ("100%25%3F%23", "100%?#")],
)
def test_a_large_file_goes_to_the_file_store_under_its_sha256(  # noqa: PLR0913, PLR0917 - fixtures
    here: Here, mmgit: Mmgit, tmp_path: Path, training: Path, written: str, folder: str
) -> None:
    store = f"store: {{git_limit: 1Ki, uri: 'file://{tmp_path}/{written}'}}\n"
    root = here({"mmgit.yaml": f'apiVersion: mmgit.dev/v1\nkind: Project\nmmgit: "==0.1.0"\n{store}'})
    (training / "digits.skops").write_bytes(b"weights" * 1000)

    for _ in range(2):
        assert mmgit("model", "register", "digits", f"{training}/digits.skops").code == 0

    (stored,) = (tmp_path / folder).iterdir()
    assert stored.read_bytes() == b"weights" * 1000
    version = yaml.safe_load((root / "models/digits/versions/2/version.yaml").read_text())
    assert version["files"][0]["uri"] == f"file://{tmp_path}/{written}/{stored.name}"
    assert [path.name for path in (root / "models/digits/versions/2").iterdir()] == ["version.yaml"]


def test_a_large_file_stays_in_place_where_git_lfs_tracks_it(project: Path, mmgit: Mmgit, training: Path) -> None:
    (project / ".gitattributes").write_text("*.skops filter=lfs diff=lfs merge=lfs -text\n")
    (project / "mmgit.yaml").write_text((project / "mmgit.yaml").read_text() + "store: {git_limit: 1Ki}\n")
    (training / "digits.skops").write_bytes(b"weights" * 1000)

    assert mmgit("model", "register", "digits", f"{training}/digits.skops").code == 0
    assert (project / "models/digits/versions/1/digits.skops").read_bytes() == b"weights" * 1000


def test_a_file_with_no_place_to_go_names_both_and_changes_nothing(
    project: Path, mmgit: Mmgit, training: Path, git: Git
) -> None:
    (project / "mmgit.yaml").write_text((project / "mmgit.yaml").read_text() + "store: {git_limit: 1Ki}\n")
    (training / "digits.skops").write_bytes(b"weights" * 1000)

    ended = mmgit("model", "register", "digits", f"{training}/digits.skops")

    assert ended.code == 2
    assert "git lfs track 'models/**/*.skops'" in ended.err
    assert "store.uri" in ended.err
    assert git("status", "--porcelain").splitlines() == [" M mmgit.yaml"]


def test_a_model_that_git_ignores_is_refused(project: Path, mmgit: Mmgit, training: Path) -> None:
    (project / ".gitignore").write_text("*.skops\n")

    ended = mmgit("model", "register", "digits", f"{training}/digits.skops")

    assert ended.code == 2
    assert "git ignores models/digits/versions/1/digits.skops" in ended.err
    assert not (project / "models/digits").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--metric", "auc"], "expected KEY=VALUE"),
        (["--metric", "auc=high"], "expected a number"),
        (["--metric", "auc=inf"], "expected a number"),
        (["--tag", "a=1", "--tag", "a=2"], "each key once"),
    ],
)
def test_an_option_of_the_wrong_form_is_repeated(
    here: Here, mmgit: Mmgit, training: Path, arguments: list[str], words: str
) -> None:
    here()

    ended = mmgit("model", "register", "digits", f"{training}/digits.skops", *arguments)

    assert ended.code == 2
    assert words in ended.err


def test_a_broken_file_of_this_model_stops_it_and_one_of_another_does_not(
    here: Here, mmgit: Mmgit, training: Path
) -> None:
    here({"models/churn/model.yaml": "kind: Modell\n"})

    assert mmgit("model", "register", "digits", f"{training}/digits.skops").code == 0
    stopped = mmgit("model", "register", "churn", f"{training}/digits.skops")
    assert stopped.code == 3
    assert "models/churn/model.yaml:1:1" in stopped.err


def test_another_mmgit_than_the_pinned_one_does_not_write(here: Here, mmgit: Mmgit, training: Path) -> None:
    root = here({"mmgit.yaml": 'apiVersion: mmgit.dev/v1\nkind: Project\nmmgit: "==9.9.9"\n'})

    assert mmgit("model", "register", "digits", f"{training}/digits.skops").code == 12
    assert not (root / "models/digits").exists()
    assert mmgit("model", "list").code == 0


def test_versions_are_listed_and_found_by_name_and_tag(here: Here, mmgit: Mmgit, training: Path) -> None:
    here()
    for number in (1, 2):
        mmgit(
            "model", "register", "digits", f"{training}/digits.skops", "--tag", f"run=r{number}", "--metric", "auc=0.9"
        )

    table = mmgit("model", "list").out.splitlines()
    assert table[0].split() == ["VERSION", "FRAMEWORK", "METRICS", "SIZE", "TAGS"]
    assert [line.split()[0] for line in table[1:]] == ["churn/1", "digits/1", "digits/2"]
    assert "auc=0.9" in table[2]

    def found(*arguments: str) -> list[str]:
        return [row["version"] for row in json.loads(mmgit("model", "list", *arguments, "-o", "json").out)]

    assert found("dig*") == ["digits/1", "digits/2"]
    assert found("--tag", "run=r2") == ["digits/2"]
    assert found("--tag", "run") == ["digits/1", "digits/2"]
    assert found("churn", "--tag", "run") == []
    assert mmgit("model", "list", "churn", "-o", "tsv").out.splitlines()[1].startswith("churn/1\t")


def test_a_model_is_shown_with_its_versions_and_manifests(here: Here, mmgit: Mmgit) -> None:
    here()

    shown = json.loads(mmgit("model", "show", "churn", "-o", "json").out)

    assert shown["description"] == "leaves or stays"
    assert shown["versions"] == ["churn/1"]
    assert shown["manifests"] == [{"manifest": "churn/1", "models": ["churn/1"]}]
    assert mmgit("model", "show", "churn/7").code == 2
    assert mmgit("model", "show", "nothing").code == 2


def test_outside_of_a_repository_the_way_into_one_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mmgit: Mmgit
) -> None:
    monkeypatch.chdir(tmp_path)

    ended = mmgit("model", "list")

    assert ended.code == 2
    assert "mmgit new ." in ended.err


def test_registrations_at_the_same_moment_get_a_number_each(here: Here, training: Path) -> None:
    root = here()
    command = [sys.executable, "-c", "from mmgit.cli.main import main; main()", "model", "register", "churn"]
    files = [training / f"model-{number}.bin" for number in range(4)]
    for file in files:
        file.write_text(file.name)

    running = [subprocess.Popen([*command, file], cwd=root, stdout=subprocess.DEVNULL) for file in files]

    assert [process.wait(60) for process in running] == [0, 0, 0, 0]
    registered = {path.parent.name: path.name for path in root.glob("models/churn/versions/*/model-*.bin")}
    assert sorted(registered) == ["2", "3", "4", "5"]
    assert sorted(registered.values()) == [file.name for file in files]
