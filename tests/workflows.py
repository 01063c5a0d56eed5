"""What every workflow keeps to, this project's own and those that it writes for others."""

import re
from collections.abc import Iterator
from typing import Any

import yaml


def steps(workflow: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for job in workflow["jobs"].values():
        yield from job["steps"]


def assert_safe(text: str) -> None:
    """Actions by commit, no expression that becomes a script, no credentials left in the clone, no borrowed rights."""
    assert "pull_request_target" not in text
    assert "workflow_run" not in text
    for step in steps(yaml.safe_load(text)):
        assert "${{" not in step.get("run", "")
        assert re.fullmatch(r"[\w-]+/[\w./-]+@[0-9a-f]{40}|", step.get("uses", ""))
        if step.get("uses", "").startswith("actions/checkout@"):
            assert step["with"]["persist-credentials"] is False
