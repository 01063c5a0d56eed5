"""What a model file would run is found when it is registered, and afterwards; who decides is the project's policy."""

import json
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.formats.hostile import BY_HAND, CANARY, Reduced

Here = Callable[..., Path]
Mmgit = Callable[..., Any]
PROJECT = 'apiVersion: mmgit.dev/v1\nkind: Project\nmmgit: "==0.1.0"\nplatforms: [linux/amd64]\n'
VERSION = Path("models/churn/versions/2/version.yaml")
GOOD, BAD, OWN = pickle.dumps({"a": [1.5]}), BY_HAND["STACK_GLOBAL"], b"cfeatures\nLogIncome\n)\x81."


def policy(formats: str) -> dict[str, str]:
    return {"mmgit.yaml": f"{PROJECT}policies: {{formats: {formats}}}\n"}


def registered(mmgit: Mmgit, name: str, data: bytes) -> Any:
    path = Path("..", name)
    path.write_bytes(data)
    return mmgit("model", "register", "churn", str(path))


def recorded() -> dict[str, Any]:
    (file,) = yaml.safe_load(VERSION.read_text())["files"]
    return {name: value for name, value in file.items() if name not in ("path", "sha256", "size")}


@pytest.mark.parametrize(
    ("name", "data", "facts"),
    [
        ("model.pkl", GOOD, {"format": "pickle"}),
        ("model.bin", OWN, {"format": "pickle", "imports": ["features:LogIncome"]}),
        ("model.onnx", b"\x08\x08graph", {"format": "onnx"}),
    ],
)
def test_a_version_records_what_its_files_are(
    here: Here, mmgit: Mmgit, name: str, data: bytes, facts: dict[str, Any]
) -> None:
    here()

    assert registered(mmgit, name, data).code == 0
    assert recorded() == facts


@pytest.mark.parametrize("name", ["model.pkl", "model.onnx", "weights"])
@pytest.mark.usefixtures("here")
def test_what_runs_code_is_not_registered_and_it_is_said_why(here: Here, mmgit: Mmgit, name: str) -> None:
    here()

    ended = registered(mmgit, name, BAD)

    assert ended.code == 2
    assert (
        f"{name} is pickle: loading it imports posix:system, which may run anything (posix:system at byte 17)"
        in ended.err
    )
    assert "hint: load it nowhere; save the model in another format" in ended.err
    assert "allow" not in ended.err
    assert not VERSION.exists()
    assert not Path(CANARY).exists()


def test_what_cannot_be_told_is_not_registered(here: Here, mmgit: Mmgit) -> None:
    here()

    ended = registered(mmgit, "model.pkl", GOOD[:-3])

    assert (ended.code, VERSION.exists()) == (2, False)
    assert "what loading it does cannot be told: at byte" in ended.err
    assert "hint: it is cut off: write or copy it again" in ended.err


def test_a_project_may_allow_what_runs_code(here: Here, mmgit: Mmgit) -> None:
    here(policy("{pickle: allow}"))

    assert registered(mmgit, "model.pkl", BAD).code == 0
    assert recorded() == {"format": "pickle", "imports": ["posix:system"]}
    assert "0 warnings" in mmgit("check").err


@pytest.mark.parametrize(
    ("data", "formats", "kind"),
    [
        (GOOD, "{pickle: refuse}", "pickle"),
        (OWN, "{pickle: refuse}", "pickle"),
        (b"\x08\x08graph", "{onnx: refuse, pickle: allow}", "onnx"),
    ],
)
def test_a_project_may_refuse_a_format(here: Here, mmgit: Mmgit, data: bytes, formats: str, kind: str) -> None:
    here(policy(formats))

    ended = registered(mmgit, "model.onnx", data)

    assert (ended.code, VERSION.exists()) == (2, False)
    assert f"model.onnx is {kind}, which mmgit.yaml refuses (policies.formats)" in ended.err


def test_check_tells_of_pickles_and_knows_no_bytes(here: Here, mmgit: Mmgit) -> None:
    root = here()
    registered(mmgit, "model.pkl", OWN)
    registered(mmgit, "model.onnx", b"\x08\x08graph")
    (root / "models/churn/versions/2/model.pkl").write_bytes(
        b"version https://git-lfs.github.com/spec/v1\noid sha256:%b\nsize %d\n"
        % (yaml.safe_load(VERSION.read_text())["files"][0]["sha256"].encode(), len(OWN))
    )

    ended = mmgit("check")

    assert ended.code == 0
    assert "M326: model churn/2: `model.pkl` is pickle: loading it imports features:LogIncome" in ended.out + ended.err
    assert "churn/3" not in ended.out + ended.err


def test_a_registered_version_is_scanned_by_its_bytes(here: Here, mmgit: Mmgit) -> None:
    here(policy("{pickle: allow}"))
    registered(mmgit, "model.pkl", pickle.dumps([Reduced(eval, "1")]))

    worse, good = mmgit("model", "scan", "churn", "-o", "json"), mmgit("model", "scan", "churn/1")

    (row,) = json.loads(worse.out)
    assert (worse.code, row["imports"], row["format"]) == (3, ["builtins:eval"], "pickle")
    assert "error M327: `model.pkl` is pickle: loading it imports builtins:eval" in worse.err
    assert (good.code, good.err) == (0, "")
    assert "model.bin" in good.out


def test_other_bytes_than_those_registered_are_not_scanned(here: Here, mmgit: Mmgit) -> None:
    root = here()
    (root / "models/churn/versions/1/model.bin").write_bytes(b"others")

    ended = mmgit("model", "scan", "churn/1")

    assert (ended.code, "is not the file that was registered" in ended.err) == (2, True)


def test_what_lies_in_a_store_is_fetched_to_be_scanned(here: Here, mmgit: Mmgit, tmp_path: Path) -> None:
    here(policy("{pickle: allow}"))
    (tmp_path / "far.pkl").write_bytes(BAD)
    mmgit("model", "register", "churn", f"file://{tmp_path}/far.pkl")

    assert mmgit("model", "scan", "churn/2").code == 3
