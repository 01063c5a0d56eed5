import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Here = Callable[..., Path]
Mmgit = Callable[..., Any]

EDITED = {"models/churn/scoring/score.py": "def run(x):\n    return x + 1\n"}


def test_an_edited_script_becomes_the_next_manifest(here: Here, mmgit: Mmgit) -> None:
    root = here(EDITED)

    ended = mmgit("manifest", "create", "churn")

    assert ended.out.splitlines() == [
        "manifest churn/2 (model churn/1)",
        "next: mmgit service update churn --env dev --manifest churn/2",
    ]
    assert (root / "models/churn/manifests/2/score.py").read_text() == EDITED["models/churn/scoring/score.py"]


def test_an_unchanged_folder_makes_nothing_and_says_so(here: Here, mmgit: Mmgit) -> None:
    root = here()
    before = sorted(root.glob("models/churn/**/*"))

    ended = mmgit("manifest", "create", "churn")

    assert ended.out == "manifest churn/1 (model churn/1) is what the scoring folder holds already\n"
    assert sorted(root.glob("models/churn/**/*")) == before


def test_other_models_and_another_python_can_be_named(here: Here, mmgit: Mmgit) -> None:
    root = here(EDITED | {"bases/default.lock.yaml": None})

    ended = mmgit("manifest", "create", "churn", "--model", "churn/1", "--python", "3.12", "--description", "for 3.12")

    assert ended.code == 0
    manifest = (root / "models/churn/manifests/2/manifest.yaml").read_text()
    assert 'description: for 3.12\nruntime: python\npython: "3.12"\n' in manifest


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nothing"], "there is no model `nothing`"),
        (["churn", "--model", "churn/9"], "there is no model version `churn/9`"),
        (["churn", "--base", "alpine"], "base `alpine` has no lock"),
        (["churn", "--python", "3.9"], "has Python 3.11, not 3.9"),
    ],
)
def test_what_cannot_be_frozen_is_said_with_a_hint(here: Here, mmgit: Mmgit, arguments: list[str], words: str) -> None:
    here(EDITED)

    ended = mmgit("manifest", "create", *arguments)

    assert ended.code == 2
    assert words in ended.err
    assert "hint:" in ended.err


def test_manifests_are_listed_with_the_services_that_run_them(here: Here, mmgit: Mmgit) -> None:
    here(EDITED)
    mmgit("manifest", "create", "churn")

    rows = json.loads(mmgit("manifest", "list", "-o", "json").out)

    assert [(row["manifest"], row["models"], row["services"]) for row in rows] == [
        ("churn/1", ["churn/1"], ["dev/churn"]),
        ("churn/2", ["churn/1"], []),
    ]
    assert mmgit("manifest", "list", "nothing", "-o", "tsv").out == "manifest\tmodels\tpython\tbase\timages\tservices\n"


def test_one_manifest_is_shown(here: Here, mmgit: Mmgit) -> None:
    here()

    shown = json.loads(mmgit("manifest", "show", "churn/1", "-o", "json").out)

    assert shown == {
        "manifest": "churn/1",
        "python": "3.11",
        "models": ["churn/1"],
        "images": [],
        "services": ["dev/churn"],
    }
    assert mmgit("manifest", "show", "churn").code == 2


def test_a_schema_with_pickles_of_the_reference_is_refused_before_anything_opens_one(here: Here, mmgit: Mmgit) -> None:
    pickled = {"input": {"x": {"internal": "gANjYnVpbHRpbnMKZXhpdAopUi4=", "swagger": {"type": "array"}, "type": 1}}}
    root = here(EDITED | {"models/churn/scoring/schema.json": json.dumps(pickled)})

    ended = mmgit("manifest", "create", "churn")

    assert ended.code == 2
    assert "schema.json was written by azure-ml-api-sdk" in ended.err
    assert "python -m mmgit.shim score.py" in ended.err
    assert not (root / "models/churn/manifests/2").exists()


def test_model_files_are_kept_out_of_the_image_until_somebody_says_otherwise(here: Here, mmgit: Mmgit) -> None:
    root = here()

    made = [mmgit("manifest", "create", "churn", *how).out for how in ((), ("--volume",), (), ("--no-volume",))]

    assert ["holds already" in out for out in made] == [True, False, True, False]
    manifests = [(root / f"models/churn/manifests/{number}/manifest.yaml").read_text() for number in (1, 2, 3)]
    assert ["volume: true" in manifest for manifest in manifests] == [False, True, False]


def test_an_image_is_customised_by_a_docker_file_that_git_keeps(here: Here, mmgit: Mmgit, tmp_path: Path) -> None:
    root = here()
    (tmp_path / "Dockerfile").write_text("ARG HF_TOKEN=hf_abc\nENV MODE=fast\n")
    (tmp_path / "other.bin").write_text("better weights")

    made = mmgit(
        "model", "register", "churn", str(tmp_path / "other.bin"), "--docker-file", str(tmp_path / "Dockerfile")
    )

    assert made.code == 0, made.err
    for folder in ("scoring", "manifests/2"):
        assert (root / f"models/churn/{folder}/steps.Dockerfile").read_text().endswith("ENV MODE=fast\n")
    assert json.loads(mmgit("manifest", "show", "churn/2", "-o", "json").out)["steps"] == "steps.Dockerfile"
    checked = mmgit("check")
    place = "models/churn/manifests/2/steps.Dockerfile:1:5"
    assert f"{place}: warning M323: steps of manifest churn/2: ARG HF_TOKEN looks like a secret" in checked.err
    assert "hf_abc" not in checked.err


def test_steps_that_are_changed_make_the_next_manifest_and_a_plan_shows_them(
    here: Here, mmgit: Mmgit, git: Callable[..., str]
) -> None:
    root = here({"models/churn/scoring/score.py": EDITED["models/churn/scoring/score.py"]})
    (root / "models/churn/scoring/steps.Dockerfile").write_text("ENV MODE=fast\n")
    mmgit("manifest", "create", "churn")
    git("init", "--quiet")
    git("add", "--all")
    git("commit", "--quiet", "--message=Begin")
    (root / "models/churn/scoring/steps.Dockerfile").write_text("ENV MODE=slow\n")

    assert mmgit("manifest", "create", "churn").code == 0

    plan = mmgit("plan", "HEAD").out
    assert "-ENV MODE=fast" in plan
    assert "+ENV MODE=slow" in plan
