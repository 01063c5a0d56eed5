"""GitHub Actions on this machine: `act` runs written workflows, each step as it stands there, jobs one after the other.

Every job gets a workspace of its own on this machine, no container. Actions of others, which nobody could fetch here,
are those in `actions/`, under the very names and commits that the workflows say.
"""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ACTIONS = Path(__file__).parent / "actions"
HIDDEN = re.compile(r"(?:MMGIT_|GIT_|GITHUB_|GITEA_|GH_|FORGEJO_|DOCKER_)(?!DEBIAN_|SSL_|HOST).*")
"""Variables that a job must not find: what it gets, it gets from its workflow."""
TIMEOUT_SECONDS = 240


@dataclass(frozen=True)
class Ran:
    """What a run of a workflow wrote, line by line."""

    log: tuple[dict[str, Any], ...]

    @property
    def jobs(self) -> dict[str, str]:
        """Job -> success or failure; no job that was left out."""
        return {line["jobID"]: line["jobResult"] for line in self.log if "jobResult" in line}

    @property
    def summary(self) -> str:
        """What the jobs wrote into the summary of the run."""
        return "\n".join(line["content"] for line in self.log if line.get("command") == "summary")

    @property
    def text(self) -> str:
        return "\n".join(f"{line.get('jobID', '')}: {str(line.get('msg', '')).rstrip()}" for line in self.log)


@dataclass(frozen=True)
class Act:
    """A runner: what it writes lies in `folder`, its tools in `tools`; `secrets` and `variables` are the project's."""

    folder: Path
    tools: Path
    host: str
    secrets: Mapping[str, str]
    variables: Mapping[str, str]

    def run(self, clone: Path, workflow: str, event: str, payload: Mapping[str, Any], *options: str) -> Ran:
        """Run a workflow of a clone as it is checked out there, on an event."""
        path = clone / f".github/workflows/mmgit-{workflow}.yml"
        artifacts = self.folder / "artifacts"
        shutil.rmtree(artifacts, ignore_errors=True)
        for each in (artifacts, self.folder / "docker"):
            each.mkdir(parents=True, exist_ok=True)
        environment = {name: value for name, value in os.environ.items() if not HIDDEN.fullmatch(name)}
        environment |= {"ARTIFACTS": str(artifacts), "DOCKER_CONFIG": str(self.folder / "docker")}
        environment |= {"PIP_NO_COMPILE": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
        argv = [
            *("act", event, "--json", "--workflows", str(path), "--directory", str(clone)),
            *("--platform", "ubuntu-24.04=-self-hosted", "--no-skip-checkout", "--concurrent-jobs", "1"),
            *("--no-cache-server", "--github-instance", self.host, "--action-cache-path", str(self.tools)),
            *("--eventpath", self._write("event.json", json.dumps(payload))),
            *("--secret-file", self._write("secrets", _lines(self.secrets))),
            *("--var-file", self._write("variables", _lines(self.variables))),
            *("--env-file", self._write("empty", ""), "--input-file", self._write("empty", "")),
            *options,
        ]
        for used in sorted(set(re.findall(r"uses: (\S+)", path.read_text()))):
            argv += ["--local-repository", f"{used}={ACTIONS / used.partition('@')[0].rpartition('/')[2]}"]
        done = subprocess.run(
            argv, env=environment, capture_output=True, text=True, timeout=TIMEOUT_SECONDS, check=False
        )
        return Ran(tuple(_parsed(f"{done.stdout}\n{done.stderr}")))

    def _write(self, name: str, text: str) -> str:
        path = self.folder / name
        path.write_text(text)
        path.chmod(0o600)
        return str(path)


def _lines(values: Mapping[str, str]) -> str:
    return "".join(f"{name}={value}\n" for name, value in values.items())


def _parsed(text: str) -> Iterator[dict[str, Any]]:
    for line in text.splitlines():
        try:
            value = json.loads(line)
        except ValueError:
            value = {"msg": line}
        yield value if isinstance(value, dict) else {"msg": line}
