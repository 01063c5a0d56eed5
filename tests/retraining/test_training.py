"""Trainings that run for real, in an environment of their own."""

import hashlib
import io
import json
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Any

import pytest

from mmgit.errors import BuildError, TrainingFailed, UsageError
from mmgit.repository.files import Root
from mmgit.retraining.order import Order
from mmgit.retraining.training import train
from mmgit.spec.training import TrainingSpec

MINOR = f"{sys.version_info.major}.{sys.version_info.minor}"
LOCK = b'lock-version = "1.0"\ncreated-by = "uv"\npackages = []\n'
CSV = b"age,leaves\n40,1\n"
WRITE = """
import json, os, pathlib
out = pathlib.Path(os.environ["MMGIT_OUTPUTS"])
(out / "model.json").write_text(json.dumps(told))
(out / "metrics.json").write_text('{"auc": 0.9}')
"""

Ordered = Callable[..., Order]


@pytest.fixture
def ordered(tmp_path: Path) -> Ordered:
    """Makes an order of a script, which leaves what it knows as `told` in model.json."""

    def make(script: str = "told = {}", files: Mapping[str, bytes] = {}, **fields: Any) -> Order:
        given = {name: fields.pop(name, None) for name in ("telemetry", "open_uri")}
        folder = tmp_path / "repository/models/churn/training"
        for name, data in {"train.py": (script + WRITE).encode(), **files}.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(data)
        wanted = {"command": ["python", "train.py"], "outputs": ["model.json"], **fields}
        training = TrainingSpec.read(wanted)
        order = Order(Root(tmp_path / "repository"), "churn", training, MINOR, LOCK, **given)
        order.refuse_missing_data()
        return order

    return make


def told(order: Order, tmp_path: Path) -> Any:
    workspace = tmp_path / "workspace"
    workspace.mkdir()
    [file] = train(order, workspace, workspace).files
    assert file.source is not None
    return json.loads(file.source.read_bytes())


def test_the_command_sees_no_variable_but_its_own(
    ordered: Ordered, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("MMGIT_FORGE_TOKEN", "GITHUB_TOKEN", "AWS_SECRET_ACCESS_KEY", "DATA_LOGIN"):
        monkeypatch.setenv(name, "canary")
    script = "import os, sys\ntold = {'variables': dict(os.environ), 'python': sys.prefix, 'cwd': os.getcwd()}"

    found = told(ordered(script, variables={"EPOCHS": "3"}, inherit=["DATA_LOGIN"]), tmp_path)

    variables = found["variables"]
    assert [name for name, value in variables.items() if value == "canary"] == ["DATA_LOGIN"]
    assert variables["EPOCHS"] == "3"
    for name in ("HOME", "TMPDIR", "MMGIT_DATA", "MMGIT_OUTPUTS", "PYTHONPATH"):
        assert variables[name].startswith(f"{tmp_path}/workspace/"), name
    assert found["python"] == f"{tmp_path}/workspace/venv"
    assert found["cwd"] == f"{tmp_path}/workspace/model/training"


def test_nothing_of_mmgit_or_its_packages_is_there_but_the_sdk(ordered: Ordered, tmp_path: Path) -> None:
    script = "import importlib.util, mmgit.sdk\n"
    script += (
        "told = [name for name in ('click', 'pydantic', 'mmgit.sdk', 'mmgit.cli') if importlib.util.find_spec(name)]"
    )

    assert told(ordered(script), tmp_path) == ["mmgit.sdk"]


def test_what_the_command_does_to_its_folder_stays_there(ordered: Ordered, tmp_path: Path) -> None:
    order = ordered("told = {}\nopen('train.py', 'a').write('#')\nopen('../scoring.txt', 'w').write('x')")
    before = {path: path.read_bytes() for path in order.root.path.rglob("*") if path.is_file()}

    told(order, tmp_path)

    assert {path: path.read_bytes() for path in order.root.path.rglob("*") if path.is_file()} == before


def test_data_of_every_kind_is_where_the_command_looks_and_its_digests_are_known(
    ordered: Ordered, tmp_path: Path
) -> None:
    (tmp_path / "labelled.csv").write_bytes(b"telemetry")
    (tmp_path / "shared.csv").write_bytes(b"shared")
    order = ordered(
        "import os, pathlib\nroot = pathlib.Path(os.environ['MMGIT_DATA'])\n"
        "told = {str(p.relative_to(root)): p.read_text() for p in sorted(root.rglob('*')) if p.is_file()}",
        {"data/churn.csv": CSV, "more/a.csv": b"a", "more/b/c.csv": b"c"},
        data=[
            {"path": "data/churn.csv", "sha256": hashlib.sha256(CSV).hexdigest()},
            {"path": "more"},
            {"uri": "https://example.com/x.csv"},
            {"uri": f"file://{tmp_path}/shared.csv"},
            {"telemetry": "answers.csv"},
        ],
        telemetry=tmp_path / "labelled.csv",
        open_uri=lambda uri: io.BytesIO(uri.encode()),
    )
    workspace = tmp_path / "workspace"
    workspace.mkdir()

    result = train(order, workspace, workspace)

    assert json.loads((workspace / "outputs/model.json").read_bytes()) == {
        "answers.csv": "telemetry",
        "data/churn.csv": CSV.decode(),
        "more/a.csv": "a",
        "more/b/c.csv": "c",
        "shared.csv": "shared",
        "x.csv": "https://example.com/x.csv",
    }
    digests = {each.uri: each.sha256 for each in result.data}
    folder = "models/churn/training"
    lines = [f"{hashlib.sha256(data).hexdigest()}  {name}\n" for data, name in ((b"a", "a.csv"), (b"c", "b/c.csv"))]
    several = "".join(lines).encode()
    assert digests[f"{folder}/data/churn.csv"] == hashlib.sha256(CSV).hexdigest()
    assert digests[f"{folder}/more"] == hashlib.sha256(several).hexdigest()
    assert digests["telemetry:answers.csv"] == hashlib.sha256(b"telemetry").hexdigest()


def test_data_that_is_not_what_is_declared_is_not_trained_on(ordered: Ordered, tmp_path: Path) -> None:
    order = ordered(files={"churn.csv": CSV}, data=[{"path": "churn.csv", "sha256": "0" * 64}])

    with pytest.raises(TrainingFailed, match=f"`churn.csv` is not what is declared.*{hashlib.sha256(CSV).hexdigest()}"):
        told(order, tmp_path)


@pytest.mark.parametrize(
    ("data", "words"),
    [([{"path": "gone.csv"}], "there is no .*gone.csv"), ([{"telemetry": "rows.csv"}], "no file of it is named")],
)
def test_data_that_is_missing_is_said_before_anything_runs(ordered: Ordered, data: list[Any], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        ordered(data=data)


def test_a_command_that_fails_says_its_exit_code_and_its_last_lines(ordered: Ordered, tmp_path: Path) -> None:
    script = "import sys\n[print('epoch', n) for n in range(100)]\nsys.exit('\\x1b[31mno convergence')\ntold = 0"

    with pytest.raises(TrainingFailed) as failed:
        told(ordered(script), tmp_path)

    assert "`python train.py` ended with exit code 1; nothing was registered" in failed.value.message
    assert failed.value.message.endswith("epoch 99\n [31mno convergence")
    assert "epoch 80" not in failed.value.message


def test_a_command_that_takes_too_long_ends_with_all_that_it_started(ordered: Ordered, tmp_path: Path) -> None:
    command = ["sh", "-c", "sleep 600 & echo $!; wait"]

    with pytest.raises(TrainingFailed, match="took longer than 5s") as failed:
        told(ordered(command=command, timeout="5s"), tmp_path)

    pid = int(failed.value.message.split()[-1])
    assert not Path(f"/proc/{pid}").exists() or "sleep" not in Path(f"/proc/{pid}/cmdline").read_text()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux says whose child a process was")
def test_what_a_command_leaves_in_sessions_of_their_own_ends_with_it(ordered: Ordered, tmp_path: Path) -> None:
    script = "import subprocess\nsleep = ['setsid', 'sh', '-c', 'sleep 600 & sleep 600']\n"
    script += "told = subprocess.Popen(sleep).pid"

    pid = told(ordered(script), tmp_path)

    left = [path for path in Path("/proc").glob("[0-9]*/stat") if f" {pid} " in path.read_text()]
    assert left == []


def test_a_command_that_is_not_there_is_named(ordered: Ordered, tmp_path: Path) -> None:
    with pytest.raises(TrainingFailed, match=r"ended with exit code 127.*\n.*trainer: No such file"):
        told(ordered(command=["trainer"]), tmp_path)


def test_a_word_of_the_command_is_never_for_a_shell(ordered: Ordered, tmp_path: Path) -> None:
    script = "import sys\ntold = sys.argv[1:]"
    words = ["$(touch x)", "; true", "`id`", "*"]

    assert told(ordered(script, command=["python", "train.py", *words]), tmp_path) == words


def test_a_lock_of_anything_but_wheels_of_the_index_is_refused(ordered: Ordered, tmp_path: Path) -> None:
    order = ordered()
    bad = LOCK.replace(b"packages = []", b'[[packages]]\nname = "evil"\nvcs = {url = "https://example.com"}')
    workspace = tmp_path / "workspace"
    workspace.mkdir()

    with pytest.raises(BuildError, match="evil"):
        train(Order(order.root, "churn", order.training, MINOR, bad, None, _never), workspace, workspace)


def _never(_: str) -> IO[bytes]:
    raise AssertionError(os.environ)
