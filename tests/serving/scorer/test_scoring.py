from pathlib import Path

import pytest

from tests.serving.conftest import Start

SEES = """
import json, os, sys

def run(x):
    import helper, shared
    return {"helper": helper.NAME, "shared": shared.NAME, "path": sys.path, "cwd": os.getcwd()}
"""


def package(folder: Path, **modules: str) -> Path:
    folder.mkdir()
    for name, text in modules.items():
        (folder / f"{name}.py").write_text(text)
    return folder


def test_the_scoring_folder_comes_first_then_the_users_packages_then_the_sdk(start: Start, tmp_path: Path) -> None:
    packages = package(tmp_path / "packages", helper="NAME = 'packages'", shared="NAME = 'packages'", json="1/0")
    sdk = package(tmp_path / "sdk", shared="NAME = 'sdk'", helper="NAME = 'sdk'")
    files = {"helper.py": "NAME = 'scoring'"}

    service = start(score=SEES, files=files, dependencies=[str(packages)], sdk_folder=str(sdk))

    seen = service.score(x=1).document
    assert (seen["helper"], seen["shared"]) == ("scoring", "packages")
    assert seen["path"][0] == seen["cwd"] == str(service.scoring)
    assert seen["path"].index(str(packages)) < seen["path"].index(str(sdk))
    library = [index for index, path in enumerate(seen["path"]) if path.endswith("lib-dynload")]
    assert library[0] < seen["path"].index(str(packages))


def test_path_files_among_the_users_packages_are_honoured(start: Start, tmp_path: Path) -> None:
    linked = package(tmp_path / "linked", shared="NAME = 'linked'")
    packages = package(tmp_path / "packages", helper="NAME = 'packages'")
    (packages / "linked.pth").write_text(f"{linked}\n")

    service = start(score=SEES, dependencies=[str(packages)])

    assert service.score(x=1).document["shared"] == "linked"


def test_a_local_server_uses_the_packages_of_its_interpreter(start: Start) -> None:
    service = start(score="import numpy\ndef run(x):\n    return numpy.array(x).sum()\n", dependencies=[])

    assert service.score(x=[1, 2]).document == 3


def test_none_of_our_modules_is_in_the_users_way(start: Start) -> None:
    names = ["worker", "frames", "log", "results", "arguments", "scoring"]
    score = "import importlib.util\ndef run(x):\n    return [name for name in x if importlib.util.find_spec(name)]\n"
    service = start(score=score, dependencies=["/nowhere"], sdk_folder="/nowhere")

    assert service.score(x=names).document == []


def test_the_sdk_can_be_imported(start: Start) -> None:
    service = start(score="from mmgit.sdk import generate_schema\ndef run(x):\n    return generate_schema.__name__\n")

    assert service.score(x=1).document == "generate_schema"


def test_init_is_called_once_before_the_first_request(start: Start) -> None:
    score = "calls = []\ndef init():\n    calls.append(1)\ndef run(x):\n    return calls\n"
    service = start(score=score)

    assert [service.score(x=1).document for _ in range(2)] == [[1], [1]]


def test_the_score_file_may_have_any_name_and_be_imported_by_others(start: Start) -> None:
    files = {
        "predict.py": "class Model: pass\n\ndef run(x):\n    import other\n    return other.same\n",
        "other.py": "import predict, sys\nsame = predict is sys.modules['predict'] and predict.Model is not None\n",
    }
    service = start(files=files, facts={"scoring": "predict.py"})

    assert service.score(x=1).document is True


def test_files_are_read_relative_to_the_scoring_folder_and_by_the_models_variable(start: Start) -> None:
    score = """
import os

def run(x):
    with open("models/digits/weights") as near, open(os.environ["MMGIT_MODEL_DIGITS"] + "/weights") as far:
        return [near.read(), far.read()]
"""
    service = start(score=score, files={"models/digits/weights": "w"}, facts={"models": {"digits": "models/digits"}})

    assert service.score(x=1).document == ["w", "w"]


def test_numeric_libraries_are_told_how_many_threads_to_use(start: Start) -> None:
    service = start(score="import os\ndef run(x):\n    return int(os.environ['OMP_NUM_THREADS'])\n")

    assert service.score(x=1).document >= 1


def test_no_compiled_files_are_left_in_the_scoring_folder(start: Start) -> None:
    service = start(score=SEES, files={"helper.py": "NAME = 1", "shared.py": "NAME = 2"})

    service.score(x=1)

    assert not list(service.scoring.rglob("__pycache__"))


@pytest.mark.parametrize(
    ("schema", "reason"),
    [
        ({"properties": {"x": {"x-mmgit": {"type": "pickle"}}}}, "x-mmgit has no type 'pickle'"),
        ({"properties": {"x": {"not": {}}}}, "the keyword not is not among those"),
    ],
)
def test_a_schema_that_cannot_be_kept_ends_the_server(start: Start, schema: object, reason: str) -> None:
    service = start(schema=schema, awaited=False)

    assert service.wait() == 1
    assert reason in service.logged("given_up")[0]["message"]


def test_a_schema_that_names_a_package_the_image_lacks_ends_the_server(start: Start) -> None:
    schema = {"properties": {"x": {"x-mmgit": {"type": "numpy", "dtype": "int8", "shape": []}}}}
    service = start(
        schema=schema,
        dependencies=["/nowhere"],
        files={"numpy.py": "raise ImportError('no numpy here')"},
        awaited=False,
    )

    assert service.wait() == 1
    assert "no numpy here" in service.logged("given_up")[0]["message"]
