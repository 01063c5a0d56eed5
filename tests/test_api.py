"""What a pipeline or a notebook calls: it does what the commands do, and raises what they print."""

import re
import shutil
import subprocess
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import FunctionTransformer

import mmgit
from mmgit.cli.main import run
from mmgit.edits import services
from mmgit.errors import OutOfDate, ProblemsFound, UsageError
from mmgit.spec import ServiceSpec

Write = Callable[..., Path]
SCORE = "def run(x):\n    return x\n"
COMPOSE = "apiVersion: mmgit.dev/v1\nkind: Environment\ntarget: compose\nregistry: localhost:5480\naccepts: build\n"


def declared(root: Path) -> dict[str, bytes]:
    return {str(path.relative_to(root)): path.read_bytes() for path in root.glob("models/**/*") if path.is_file()}


@pytest.fixture
def root(repository: Write) -> Path:
    """A repository that is not the current folder."""
    return repository({"models/churn/scoring/score.py": SCORE, "environments/dev/environment.yaml": COMPOSE})


def test_a_registration_is_the_one_of_the_command(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other, model = Path(shutil.copytree(root, tmp_path / "other")), tmp_path / "model.bin"
    model.write_bytes(b"better weights")
    steps = tmp_path / "Dockerfile"
    steps.write_text("ENV MODE=fast\n")
    typed = ["--metric", "auc=0.93", "--tag", "stage=trial", "--data", "s3://acme/churn.parquet"]
    typed += ["--docker-file", str(steps)]

    made = mmgit.register(
        *("churn", model),
        description="more rows",
        metrics={"auc": 0.93},
        tags={"stage": "trial"},
        data=["s3://acme/churn.parquet"],
        docker_file=steps,
        repository=root / "models",
    )

    monkeypatch.chdir(other)
    assert made == mmgit.Registered("churn/2", "churn/2")
    assert run(["model", "register", "churn", str(model), "--description", "more rows", *typed]) == 0
    assert declared(root) == declared(other)


def test_an_estimator_is_written_by_skops_and_served_without_a_script(root: Path) -> None:
    model = LogisticRegression().fit([[0.0, 1.0], [1.0, 0.0]], [0, 1])

    made = mmgit.register("votes", model, repository=root)

    assert made == mmgit.Registered("votes/1", None)
    assert (root / "models/votes/versions/1/votes.skops").read_bytes().startswith(b"PK")


def test_a_name_that_leads_elsewhere_is_refused_before_the_estimator_is_written(root: Path, tmp_path: Path) -> None:
    model = LogisticRegression().fit([[0.0, 1.0], [1.0, 0.0]], [0, 1])

    with pytest.raises(UsageError, match="is no name for a model"):
        mmgit.register(f"../../../../../../..{tmp_path}/written", model, repository=root)

    assert not (tmp_path / "written.skops").exists()


def test_an_estimator_that_skops_does_not_trust_is_refused_until_its_types_are_named(root: Path) -> None:
    estimator = FunctionTransformer(func=traceback.format_exc)

    with pytest.raises(UsageError, match=r"skops does not trust .* traceback\.format_exc") as refused:
        mmgit.register("votes", estimator, repository=root)

    assert "trusted=['traceback.format_exc']" in refused.value.hint
    assert not (root / "models/votes").exists()


@pytest.mark.parametrize("kind", [float, np.float64, np.float32, np.int64])
def test_a_metric_may_be_a_number_of_numpy(root: Path, tmp_path: Path, kind: type) -> None:
    (tmp_path / "model.bin").write_bytes(b"better weights")

    mmgit.register("churn", tmp_path / "model.bin", metrics={"auc": kind(1)}, repository=root)

    assert yaml.safe_load((root / "models/churn/versions/2/version.yaml").read_text())["metrics"] == {"auc": 1.0}


@pytest.mark.parametrize(
    ("options", "words", "hint"),
    [
        ({"metrics": {"auc": float("nan")}}, "metric auc is nan", '"auc": 0.9'),
        ({"metrics": {"auc": "0.9"}}, "metric auc is '0.9'", '"auc": 0.9'),
        ({"runtime": "onxx"}, "there is no runtime onxx", "did you mean `onnx`?"),
        ({"data": "s3://acme/churn.parquet"}, "data is a list", "data=['s3://acme/churn.parquet']"),
        ({"outputs": "variable"}, "outputs is a list", "outputs=['variable']"),
    ],
)
def test_what_cannot_be_registered_is_said_with_what_was_meant(
    root: Path, tmp_path: Path, options: dict[str, Any], words: str, hint: str
) -> None:
    (tmp_path / "model.bin").write_bytes(b"better weights")

    with pytest.raises(UsageError, match=words) as refused:
        mmgit.register("churn", tmp_path / "model.bin", repository=root, **options)

    assert hint in refused.value.hint
    assert not (root / "models/churn/versions/2").exists()


@pytest.mark.parametrize("thing", [{"weights": [1]}, LogisticRegression])
def test_what_is_neither_a_path_nor_an_estimator_is_not_pickled(root: Path, thing: object) -> None:
    with pytest.raises(UsageError, match="neither a path nor an estimator"):
        mmgit.register("votes", thing, repository=root)  # type: ignore[arg-type]


def test_an_update_changes_what_is_named_and_nothing_else(root: Path, tmp_path: Path) -> None:
    (tmp_path / "model.bin").write_bytes(b"better weights")
    manifest = mmgit.register("churn", tmp_path / "model.bin", repository=root).manifest

    made = mmgit.update("churn", {"memory": "1Gi"}, manifest=manifest, repository=root)
    again = mmgit.update("churn", {"memory": "1Gi"}, manifest=manifest, repository=root)

    service = yaml.safe_load((root / "environments/dev/services/churn.yaml").read_text())
    assert (made.is_changed, again.is_changed, made.environment) == (True, False, "dev")
    assert (service["next"], service["memory"]) == ("churn/2", "1Gi")


def test_every_field_of_a_service_can_be_updated() -> None:
    assert {*services.ORDER} == {*ServiceSpec.fields()} - {"apiVersion", "kind"}


@pytest.mark.parametrize(
    ("options", "words"),
    [({}, "nothing to change"), ({"memroy": "1Gi"}, "no field memroy"), ({"memory": "much"}, "an amount of memory")],
)
def test_an_update_that_is_refused_says_why_and_changes_nothing(
    root: Path, options: dict[str, str], words: str
) -> None:
    before = (root / "environments/dev/services/churn.yaml").read_bytes()

    with pytest.raises(UsageError, match=words):
        mmgit.update("churn", options, repository=root)

    assert (root / "environments/dev/services/churn.yaml").read_bytes() == before


def test_what_is_compiled_is_said_and_can_be_checked(copy_of_ours: Callable[[Path], Path], tmp_path: Path) -> None:
    root = copy_of_ours(tmp_path / "ours")
    mmgit.update("digits", {"memory": "3Gi"}, environment="dev", repository=root)
    with pytest.raises(OutOfDate):
        mmgit.compile(check=True, repository=root)

    made = mmgit.compile(repository=root)

    assert made.written == ("environments/dev/rendered/default/services/digits.yaml",)
    assert mmgit.compile(check=True, repository=root) == mmgit.Compiled((), (), ())


def test_what_the_document_shows_runs(
    copy_of_ours: Callable[[Path], Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(copy_of_ours(tmp_path / "ours"))
    document = (Path(__file__).parents[1] / "docs/python.md").read_text()

    exec("".join(re.findall(r"^```python\n(.*?)^```$", document, re.MULTILINE | re.DOTALL)), {})  # noqa: S102 - ours

    assert capsys.readouterr().out == "iris/1\n"
    assert run(["compile", "--check"]) == 0


def test_problems_are_in_the_exception_with_their_places_and_hints(root: Path) -> None:
    (root / "environments/dev/services/churn.yaml").write_text(
        "apiVersion: mmgit.dev/v1\nkind: Service\nnext: churn/9\n"
    )

    with pytest.raises(ProblemsFound) as found:
        mmgit.compile(repository=root)

    assert "environments/dev/services/churn.yaml:3:1: error M301: " in str(found.value)
    assert "hint: " in str(found.value)


def test_a_hint_is_in_the_traceback(root: Path) -> None:
    with pytest.raises(UsageError) as refused:
        mmgit.update("spam", manifest="churn/1", repository=root)

    assert f"hint: {refused.value.hint}" in "".join(traceback.format_exception(refused.value))


def test_importing_mmgit_imports_nothing_of_it() -> None:
    asked = "import sys, mmgit; print(sorted(name for name in sys.modules if name.startswith(('mmgit.', 'click'))))"

    printed = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True).stdout

    assert printed.strip() == "[]"
    with pytest.raises(AttributeError, match="no attribute 'regsiter'"):
        mmgit.regsiter  # type: ignore[attr-defined]  # noqa: B018
