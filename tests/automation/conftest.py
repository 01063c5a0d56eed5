"""A new repository, made once, and the Python of the machine that runs its workflows and scripts."""

from pathlib import Path

import pytest
from uv import find_uv_bin

from mmgit.edits.automate import Ci
from tests.automation.team import Team, begin, ran
from tests.deliver.forge.conftest import GiteaRepository, gitea  # noqa: F401 - a fixture


@pytest.fixture(scope="session")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of the new repository."""
    folder = tmp_path_factory.mktemp("begun") / "repository"
    begin(folder)
    return folder


@pytest.fixture(scope="session")
def tools(begun: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a runner of one's own keeps from job to job: a Python with all that mmgit needs, and without mmgit.

    The written steps install that one. That they install the others too is shown with `mmgit.edits.tools`.
    """
    folder = tmp_path_factory.mktemp("tools")
    python = folder / "tool_cache/python"
    locked = (begun / "ci/mmgit/requirements.txt").read_text()
    (folder / "requirements.txt").write_text("".join(locked.splitlines(keepends=True)[:-1]))
    ran(folder, find_uv_bin(), "venv", "--quiet", "--seed", str(python))
    installing = ("pip", "install", "--quiet", "--require-hashes", "-r", "requirements.txt")
    ran(folder, find_uv_bin(), *installing, "--python", str(python))
    return folder


@pytest.fixture
def team(gitea: GiteaRepository, begun: Path, ci: Ci, tmp_path: Path) -> Team:  # noqa: F811 - the fixture
    """It has what `ci` needs alone: Gitea starts what it finds in `.github/workflows`."""
    return Team(gitea, begun, tmp_path, without={"github": "*.sh", "scripts": ".github", "none": ""}[ci])
