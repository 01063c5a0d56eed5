"""This project's own workflow runs every tier, and gives a fork's pull request nothing to take."""

import re
import tomllib
from pathlib import Path

import pytest
import yaml

from tests.workflows import assert_safe, steps

ROOT = Path(__file__).parents[2]
WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_workflows_take_actions_by_commit_and_run_no_expression(path: Path) -> None:
    assert_safe(path.read_text())


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_workflows_have_no_secret_and_may_only_read(path: Path) -> None:
    text = path.read_text()
    workflow = yaml.safe_load(text)

    assert workflow["permissions"] == {"contents": "read"}
    assert all("permissions" not in job for job in workflow["jobs"].values())
    assert "secrets." not in text


def test_the_workflow_runs_what_the_readme_says_and_every_tier_that_needs_a_server() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    markers = {line.partition(":")[0] for line in project["tool"]["pytest"]["ini_options"]["markers"]}

    runs = "\n".join(step.get("run", "") for step in steps(yaml.safe_load(WORKFLOWS[0].read_text())))

    assert "make test" in runs
    assert "make demo" in runs
    assert all(re.search(rf"\b{marker}\b", runs) for marker in markers - {"slow", "forge", "ray"})


def test_clusters_get_the_definitions_whose_schemas_are_shipped() -> None:
    readme = (ROOT / "mmgit/checks/objects/schemas/README.md").read_text()
    row = r"^\| `(?:custom|admission).json`.*?`\S+?/([a-z-]+)(?:/v\d+)?@(v[\d.]+)`, `(\S+)`"
    modules = re.findall(row, readme, re.MULTILINE)

    script = (ROOT / "scripts/crds.sh").read_text()

    pins = re.findall(r"^[0-9a-f]{64} [\w-]+/([\w-]+)/(v[\d.]+)/(\S+)/[\w.-]+\.yaml$", script, re.MULTILINE)
    assert set(pins) == set(modules)
    assert len(modules) == 8
