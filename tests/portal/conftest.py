"""A repository in git with something for every page and one text in every field that takes any, and its portal."""

import json
import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from mmgit.cli.main import run
from tests.conftest import HEADER, SHA256, Write

KINDS = (
    *("index.html", "services.html", "models.html", "changes.html", "reports.html", "search.html"),
    *("models/churn.html", "models/churn/versions/2.html", "models/churn/manifests/1.html"),
    *("environments/production.html", "environments/production/churn.html", "environments/dev/churn.html"),
)
"""A page of each kind."""
NEW, OLD = f"sha256:{'a' * 64}", f"sha256:{'b' * 64}"
Portal = Callable[..., Path]


def declared(text: str) -> Mapping[str, str]:
    """Files of a repository that says `text` wherever anything may be said."""
    said = json.dumps(text)
    schema = {
        "type": "object",
        "properties": {
            "rows": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {text: {"enum": [text, None]}, "age": {"type": "number"}},
                    "required": ["age"],
                },
            }
        },
        "required": ["rows"],
        "x-mmgit": {"output": {"type": "array", "items": {"type": "number"}}},
    }
    layer = {"key": "0" * 64, "digest": OLD, "diff_id": OLD, "size": 2_000_000}
    layer["mediaType"] = "application/vnd.oci.image.layer.v1.tar"
    platform = {"manifest": {"digest": OLD, "size": 10}, "config": {"digest": OLD, "size": 10}, "layers": [layer]}
    image = {
        "apiVersion": "mmgit.dev/v1",
        "kind": "Image",
        "digest": NEW,
        "size": 10,
        "recipe": "0" * 64,
        "inputs": "0" * 64,
        "platforms": {"linux/amd64": platform},
        "foundation": {"base": {"linux/amd64": "0" * 64}, "serving": "0" * 64, "codec": text},
    }
    version = f'{HEADER}kind: ModelVersion\nfiles: [{{path: model.bin, sha256: "{SHA256}", size: 7}}]\n'
    version += f"description: {said}\n"
    return {
        "mmgit.yaml": f'{HEADER}kind: Project\nmmgit: "==0.1.0"\nplatforms: [linux/amd64]\ndescription: {said}\n'
        "forge: {kind: github, repository: acme/models}\n",
        "models/churn/model.yaml": f"{HEADER}kind: Model\ndescription: {said}\ntask: {said}\nowners: [{said}]\n"
        f"licence: {said}\ntags: {{team: {said}}}\nmetrics: {{auc: {{better: higher}}, loss: {{better: lower}}}}\n",
        "models/churn/versions/1/version.yaml": f"{version}metrics: {{auc: 0.9, loss: 0.2}}\n",
        "models/churn/versions/2/model.bin": "weights",
        "models/churn/versions/2/version.yaml": f"{version}metrics: {{auc: 0.91, loss: 0.3}}\n"
        f"framework: {{name: {said}, version: {said}}}\ntags: {{kind: {said}}}\n"
        f'lineage: {{commit: "0123abc", data: [{{uri: {said}}}, {{uri: "https://data.example.com/a"}}]}}\n',
        "models/churn/manifests/1/manifest.yaml": f'{HEADER}kind: Manifest\npython: "3.11"\nmodels: [churn/2]\n'
        f"description: {said}\nschema: schema.json\nsample: sample.json\n",
        "models/churn/manifests/1/schema.json": json.dumps(schema),
        "models/churn/manifests/1/sample.json": json.dumps({"rows": [{text: text, "age": 41}]}),
        f"models/churn/manifests/1/images/{'0' * 12}.yaml": json.dumps(image),
        "environments/dev/environment.yaml": f"{HEADER}kind: Environment\ntarget: process\ndescription: {said}\n",
        "environments/production/environment.yaml": f"{HEADER}kind: Environment\ntarget: kubernetes\n"
        f"description: {said}\n"
        "registry: registry.example.com/acme\nnamespace: models\nhost: models.example.com\n"
        "gateway: {name: infra/public, tls: {secret: models-tls}}\n"
        f"promotion: {{from: dev, soak: 24h, approvals: 1, freeze: [{{weekdays: [friday], reason: {said}}}]}}\n",
        "environments/production/services/churn.yaml": service(text, OLD),
        "reports/churn/2026-11.json": json.dumps(drift(text)),
        "reports/churn/2026-10.json.old": json.dumps(drift(text)),
        "reports/churn/others.json": "{}",
        "reports/churn/page.html": "<script>pwned()</script>",
    }


def drift(text: str) -> Mapping[str, object]:
    """What `mmgit telemetry report` writes."""
    total = {"requests": 1200, "refused": 1, "failed": 2, "p50_ms": 3.5}
    bars = [{"label": text, "reference": 10, "current": 20}]
    rows = {"reference_rows": 900, "current_rows": 1000}
    feature = {"name": text, "side": "inputs", "kind": "category", "level": "much", "psi": 0.31, "bars": bars, **rows}
    other = {"name": "age", "side": "inputs", "kind": "number", "level": "unknown", "psi": 4.0, **rows}
    return {
        "apiVersion": "mmgit.dev/v1",
        "kind": "Drift",
        "service": "churn",
        "environment": "production",
        "version": "churn/2",
        "reference": text,
        "total": total,
        "days": [{"day": "2026-10-20", **total}],
        "rows": 1000,
        "reference_rows": 900,
        "psi": 0.31,
        "features": [feature, other],
    }


def service(text: str, image: str) -> str:
    """A service's file."""
    said = json.dumps(text)
    return (
        f"{HEADER}kind: Service\ndescription: {said}\nmanifest: churn/1\nimage: {image}\nnext: churn/1\n"
        f'hold: {{reason: {said}, until: "2027-01-01"}}\n'
        f"autoscale: {{min: 2, max: 4}}\n"
        "slo: {availability: 99.9, latency: 250ms@99}\n"
        f"variables: {{THRESHOLD: {said}}}\ntelemetry: {{inputs: true, redact: [{said}]}}\n"
        f'keys: [{{name: primary, id: k7f3, digest: "{OLD}", created: "2026-01-01", expires: "2027-01-01"}}]\n'
    )


@pytest.fixture
def portal(repository: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Portal:
    """Makes the portal of a repository that says a text everywhere, also in its commits; gives its folder."""

    def make(
        text: str = "plain", files: Mapping[str, str | None] = {}, folder: str = "site", *, is_in_git: bool = True
    ) -> Path:
        shutil.rmtree(tmp_path / "repository", ignore_errors=True)
        root = repository({**declared(text), **files})
        monkeypatch.chdir(root)
        if is_in_git:
            git("init", "--quiet", "--initial-branch=main")
            commit(text, "2026-10-01T10:00:00Z")
            (root / "environments/production/services/churn.yaml").write_text(service(text, NEW))
            commit(text, "2026-11-01T10:00:00+01:00")
        assert run(["portal", "--output", str(tmp_path / folder)]) == 0
        return tmp_path / folder

    return make


def commit(text: str, time: str) -> None:
    """Commit everything; the author and the subject are `text`."""
    git("add", "--all")
    git("commit", "--quiet", f"--message={text}", "--allow-empty-message", name=text, time=time)


def git(*arguments: str, name: str = "Ada", time: str = "2026-10-01T10:00:00Z") -> None:
    """Run git in the current folder."""
    who = {
        f"GIT_{role}_{fact}": value
        for role in ("AUTHOR", "COMMITTER")
        for fact, value in (("NAME", name), ("DATE", time))
    }
    mail = {"GIT_AUTHOR_EMAIL": "a@example.com", "GIT_COMMITTER_EMAIL": "a@example.com"}
    none = {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null", "PATH": "/usr/bin:/bin:/usr/local/bin"}
    subprocess.run(["git", *arguments], env={**none, **who, **mail}, check=True)
