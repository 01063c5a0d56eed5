"""This project's own digits, trained again for real and proposed on a real forge, where the gates decide."""

import html
import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.deliver.forge.test_promotion import Clone
from tests.deliver.forge.test_promotion import clone as clone  # noqa: PLC0414 - a fixture

if TYPE_CHECKING:
    from tests.deliver.forge.conftest import GiteaRepository

pytestmark = [pytest.mark.forge, pytest.mark.network]


def test_a_retraining_is_proposed_with_its_metrics_and_waits_for_an_approval(
    clone: Clone, gitea: "GiteaRepository", tmp_path: Path
) -> None:
    before = (clone.git("rev-parse", "HEAD"), clone.git("status", "--porcelain"))

    trained = clone.mmgit("retrain", "digits", "--result", str(tmp_path / "result"))
    done = clone.mmgit("retrain", "digits", "--from", str(tmp_path / "result"), "--pull-request")

    assert trained.returncode == 0, trained.stderr
    assert done.returncode == 0, done.stderr
    number = int(done.stdout.strip().rpartition("/")[2])
    found = gitea.forge.pull_request(number)
    assert found.proposal.title == "Retrain digits"
    assert "model version digits/3" in html.unescape(found.proposal.body).replace("**", "").replace("`", "")
    assert "which digits runs in staging" in html.unescape(found.proposal.body)
    changed = set(gitea.forge.files(number))
    assert {f"environments/{name}/services/digits.yaml" for name in ("dev", "staging")} < changed
    assert "models/digits/versions/3/digits.skops" in changed
    assert not [path for path in changed if path.startswith("environments/production/")]
    assert (clone.git("rev-parse", "HEAD"), clone.git("status", "--porcelain")) == before
    again = clone.mmgit("retrain", "digits", "--from", str(tmp_path / "result"), "--pull-request")
    assert again.stdout.strip().rpartition("/")[2] == str(number), "one pull request, renewed"
    judged = clone.mmgit("gate", f"origin/main..{_head(clone, gitea, number)}", "--format", "json")
    assert all(verdict["state"] != "failed" for verdict in json.loads(judged.stdout))


def _head(clone: Clone, gitea: "GiteaRepository", number: int) -> str:
    commit = gitea.forge.pull_request(number).commit
    clone.git("fetch", "--quiet", f"{gitea.url.replace('://', f'://x:{gitea.token}@')}/{gitea.name}.git", commit)
    return commit
