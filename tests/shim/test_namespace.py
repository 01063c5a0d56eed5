"""Whose `azureml` a score file gets, and what the shim's modules are named."""

import importlib.util
from pathlib import Path

import pytest

from tests.serving.conftest import PACKAGE, Start

OWN = "class ModelDataCollector:\n    owner = 'user'\n"
ASKS = """
def run(x):
    import importlib
    found = {}
    for name in x:
        try:
            found[name] = importlib.import_module(name).__file__.split("/azureml/")[0]
        except ImportError as error:
            found[name] = "missing"
    return found
"""
EXTENDED = "__path__ = __import__('pkgutil').extend_path(__path__, __name__)\n"
SHIM = PACKAGE / "shim" / "packages"


def packages(folder: Path, **files: str) -> Path:
    """A folder of packages with an `azureml`; `init` is its `__init__.py`, every other name one of a module in it."""
    (folder / "azureml").mkdir(parents=True)
    for name, text in files.items():
        (folder / "azureml" / ("__init__.py" if name == "init" else f"{name}.py")).write_text(text)
    return folder


@pytest.mark.parametrize("init", [{}, {"init": EXTENDED}], ids=["a namespace", "extended by pkgutil"])
def test_what_the_users_azureml_has_comes_first_and_the_shim_adds_the_rest(
    start: Start, tmp_path: Path, init: dict[str, str]
) -> None:
    own = packages(tmp_path / "own", datacollector=OWN, **init)
    service = start(score=ASKS, dependencies=[str(own)])

    found = service.score(x=["azureml.datacollector", "azureml.api.realtime.services", "azureml.assets"]).document

    assert found == {
        "azureml.datacollector": str(own),
        "azureml.api.realtime.services": str(SHIM),
        "azureml.assets": str(SHIM),
    }


def test_an_azureml_that_shares_its_name_with_nobody_is_taken_whole(start: Start, tmp_path: Path) -> None:
    own = packages(tmp_path / "own", init="")
    service = start(score=ASKS, dependencies=[str(own)])

    found = service.score(x=["azureml", "azureml.datacollector"]).document

    assert found == {"azureml": str(own), "azureml.datacollector": "missing"}


def test_nothing_but_azureml_is_in_the_users_way() -> None:
    assert [path.name for path in SHIM.iterdir()] == ["azureml"]


@pytest.mark.parametrize("folder", ["azureml", "azureml/api", "azureml/api/schema", "azureml/api/realtime"])
def test_a_folder_that_other_packages_may_share_is_no_package(folder: str) -> None:
    assert (SHIM / folder).is_dir()
    assert not (SHIM / folder / "__init__.py").exists()


def test_installing_mmgit_gives_no_azureml_to_anybody() -> None:
    assert importlib.util.find_spec("mmgit.shim") is not None
    assert importlib.util.find_spec("azureml") is None
