"""What dependency files say: requirements, projects, conda files, locks."""

import pytest

from mmgit.errors import BuildError, UsageError
from mmgit.images.declared import accepts, declared

PROJECT = b"""
[project]
name = "Churn.Model"
requires-python = ">=3.11,<3.13"
dependencies = ["numpy>=2", "pandas ; python_version < '3.12'"]
[project.optional-dependencies]
Boost = ["xgboost"]
all = ["churn-model[boost,text]", "scipy"]
text = ["spacy", "churn_model[all]"]
[tool.other]
x = 1
"""


def test_the_dependencies_of_a_project_are_requirements() -> None:
    said = declared("pyproject.toml", PROJECT)

    assert said.requirements == "numpy>=2\npandas ; python_version < '3.12'\n"
    assert said.pythons == ">=3.11,<3.13"


def test_extras_bring_theirs_and_those_that_they_name() -> None:
    assert declared("pyproject.toml", PROJECT, ("boost",)).requirements.endswith("xgboost\n")
    assert declared("pyproject.toml", PROJECT, ("all",)).requirements.splitlines()[2:] == ["scipy", "xgboost", "spacy"]


def test_an_extra_that_a_project_has_not_is_refused_with_those_that_it_has() -> None:
    with pytest.raises(BuildError, match="no extra gpu; it has all, boost, text"):
        declared("pyproject.toml", PROJECT, ("gpu",))
    with pytest.raises(UsageError, match=r"requirements\.txt has no extras"):
        declared("requirements.txt", b"numpy\n", ("gpu",))


@pytest.mark.parametrize(
    ("project", "message"),
    [
        (b'[project]\nname = "x"\ndynamic = ["dependencies"]\n', "computes its dependencies"),
        (b'[project]\nname = "x"\ndynamic = ["optional-dependencies"]\n', "computes its optional-dependencies"),
        (b"[tool.poetry]\n", r"no \[project\]"),
        (b"[project]\ndependencies = []\n", r"no \[project\]"),
        (b"[project]\nname = 3\n", r"no \[project\]"),
        (b"hello", r"no \[project\]"),
        (
            b'[project]\nname = "x"\ndependencies = ["Acme.Core>=1"]\n[tool.uv.sources]\nacme-core = {path = "."}\n',
            "takes acme-core from a place of its own",
        ),
    ],
)
def test_a_project_that_does_not_say_its_dependencies_itself_is_refused(project: bytes, message: str) -> None:
    with pytest.raises(BuildError, match=message):
        declared("pyproject.toml", project)


def test_a_project_lets_pythons_in_by_their_minor() -> None:
    assert accepts(">=3.11.4", "3.11")
    assert accepts(">=3.11,<3.13", "3.12")
    assert not accepts(">=3.12", "3.11")
    with pytest.raises(BuildError, match="requires-python"):
        accepts("three", "3.11")


def test_a_lock_and_requirements_are_taken_as_they_are() -> None:
    assert declared("pylock.toml", b"x").lock == b"x"
    assert declared("requirements.txt", b"numpy\n").requirements == "numpy\n"
    with pytest.raises(UsageError, match="not UTF-8"):
        declared("requirements.txt", b"\xff")


def test_a_conda_file_that_is_no_yaml_is_refused_at_its_place() -> None:
    with pytest.raises(UsageError, match=r"conda\.yaml:1:"):
        declared("conda.yaml", b"[")


def test_a_conda_file_of_the_usual_shape_is_its_python_and_its_pip_list() -> None:
    said = declared("conda.yaml", b"dependencies: [python=3.11, pip, {pip: [numpy==2.0, pandas]}]\n")

    assert (said.python, said.requirements, said.conda) == ("3.11", "numpy==2.0\npandas\n", None)
