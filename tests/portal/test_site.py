"""The pages of whole repositories: links lead somewhere, values are inert, nothing is secret, bytes are the same."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote

import pytest
import yaml

from mmgit.cli.main import run
from mmgit.cli.portal import REPORT_BYTES_MAX
from mmgit.portal.writing import MARKER
from tests.portal.conftest import KINDS, Portal, drift
from tests.portal.test_html import HOSTILE, Reader

DOCUMENT = Path(__file__).parents[2] / "docs/portal.md"
POLICY = re.compile(
    r"default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src ('none'|https?://[^ ;]+); "
    r"form-action 'none'; base-uri 'none'; require-trusted-types-for 'script'"
)
WRITABLE = "".join(text for text in HOSTILE if text.isprintable())
"""What a declared file may hold."""


def pages(site: Path) -> dict[str, Reader]:
    own = (path.relative_to(site).as_posix() for path in site.rglob("*.html"))
    return {path: Reader((site / path).read_text()) for path in own if not path.startswith("reports/")}


def test_there_is_a_page_of_each_kind_and_every_link_leads_to_a_file(portal: Portal) -> None:
    site = portal()
    found = pages(site)

    assert {*KINDS} <= {*found}
    for path, page in found.items():
        links = [
            *(attributes["href"] for _, attributes in page.elements if "href" in attributes),
            *(attributes["src"] for _, attributes in page.elements if "src" in attributes),
        ]
        for link in links:
            if link and not link.startswith(("https://", "#")):
                target = (site / path).parent / unquote(link)
                assert target.is_file(), f"{path} links to {link}"
                assert target.resolve().is_relative_to(site)


def test_every_page_has_the_policy_and_no_script_or_style_of_its_own(portal: Portal) -> None:
    for path, page in pages(portal()).items():
        policies = [said["content"] for name, said in page.elements if said.get("http-equiv")]
        assert len(policies) == 1
        assert POLICY.fullmatch(str(policies[0])), path
        assert [said["src"] for name, said in page.elements if name == "script"] == [
            "../" * path.count("/") + "assets/portal.js"
        ]
        assert not [name for name, _ in page.elements if name == "style"]


def test_the_page_of_a_service_may_call_that_service_alone(portal: Portal) -> None:
    page = (portal() / "environments/production/churn.html").read_text()

    assert "connect-src https://models.example.com;" in page


def test_hostile_values_are_text_on_every_page(portal: Portal) -> None:
    plain, hostile = pages(portal()), pages(portal(WRITABLE, folder="hostile"))

    for path, page in hostile.items():
        assert [(name, {*said}) for name, said in page.elements] == [
            (name, {*said}) for name, said in plain[path].elements
        ], path
        for _, said in page.elements:
            assert not [key for key in said if key.startswith("on") or key in ("style", "srcdoc")]
            assert not (said.get("href") or "").strip().lower().startswith(("javascript:", "data:"))
    text = {path: page.text for path, page in hostile.items()}
    for path in (
        "models/churn.html",
        "models/churn/versions/2.html",
        "environments/production/churn.html",
        "changes.html",
    ):
        assert WRITABLE in text[path], path


def test_the_same_repository_gives_the_same_bytes(portal: Portal, monkeypatch: pytest.MonkeyPatch) -> None:
    one = portal(folder="one")
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    two = portal(folder="two")

    assert {path.relative_to(one): path.read_bytes() for path in one.rglob("*") if path.is_file()} == {
        path.relative_to(two): path.read_bytes() for path in two.rglob("*") if path.is_file()
    }


def test_no_secret_and_no_value_of_a_variable_is_in_the_site(portal: Portal, monkeypatch: pytest.MonkeyPatch) -> None:
    canary = "c4n4ry-5f1d"
    monkeypatch.setenv("MMGIT_KEY", canary)
    files = {
        ".mmgit/compose/dev/key": canary,
        ".env": canary,
        "models/churn/scoring/score.py": f"KEY = '{canary}'",
        "models/churn/manifests/1/score.py": f"KEY = '{canary}'",
        "environments/dev/services/churn.yaml": "apiVersion: mmgit.dev/v1\nkind: Service\nnext: churn/1\n"
        f"variables: {{TOKEN: {canary}}}\nparameters: {{token: {canary}}}\nannotations: {{token: {canary}}}\n",
    }

    site = portal(files=files)

    assert not [path for path in site.rglob("*") if path.is_file() and canary in path.read_text()]
    assert f"sha256:{'b' * 64}" not in (site / "environments/production/churn.html").read_text()  # of a key


def test_what_ran_when_and_what_is_held_is_told(portal: Portal) -> None:
    site = portal()
    service = Reader((site / "environments/production/churn.html").read_text()).text
    changes = Reader((site / "changes.html").read_text())

    assert service.count("2026-10-01") == 1
    assert service.count("2026-11-01") == 2  # since when it runs, and what brought it
    assert changes.text.index("churn/1, another image") < changes.text.index("nothing → churn/1")
    assert "2027-01-01" in changes.text
    commits = [said["href"] for _, said in changes.elements if "/commit/" in (said.get("href") or "")]
    assert len(commits) == 2
    assert all(str(each).startswith("https://github.com/acme/models/commit/") for each in commits)


def test_a_metric_that_got_better_or_worse_is_marked(portal: Portal) -> None:
    text = Reader((portal() / "models/churn.html").read_text()).text

    assert "0.91 better" in text
    assert "0.3 worse" in text


def test_a_drift_report_is_a_page_that_its_service_links_and_no_other_file_is_taken(portal: Portal) -> None:
    site = portal("spend")
    reports, service, other = (
        Reader((site / path).read_text())
        for path in ("reports.html", "environments/production/churn.html", "environments/dev/churn.html")
    )

    assert "0.31 of spend moved much" in reports.text
    assert "../../reports/churn/2026-11.html" in [said.get("href") for _, said in service.elements]
    search = Reader((site / "search.html").read_text())
    assert "reports/churn/2026-11.html" in [said.get("href") for _, said in search.elements]
    assert "2026-11 report · churn in production" in search.text
    page = (site / "reports/churn/2026-11.html").read_text()
    assert "spend" in page
    links = {said["href"] for name, said in Reader(page).elements if name == "a"}
    assert links == {"../../reports.html", "../../environments/production/churn.html"}
    assert [path.name for path in (site / "reports").rglob("*.*")] == ["2026-11.html"]
    assert not [said for _, said in other.elements if "/reports/" in (said.get("href") or "")]


@pytest.mark.parametrize("version", ["churn/../../x", "churn", "churn/", "churn/²", f"churn/{'9' * 190}", ""])
def test_a_report_may_be_of_any_version(portal: Portal, version: str) -> None:
    site = portal(files={"reports/odd.json": json.dumps({**drift("spend"), "version": version})})

    assert version in Reader((site / "reports.html").read_text()).text


@pytest.mark.parametrize("name", ["x.html/y.json", "a\nb.json", "a\\b.json", "b./a.json", "link.json", "\udcff.json"])
def test_a_report_that_cannot_have_a_page_is_passed_over(portal: Portal, name: str) -> None:
    site = portal(files={"reports/x.json": json.dumps(drift("spend"))})
    Path("reports", name).parent.mkdir(exist_ok=True)
    if name == "link.json":
        Path("reports", name).symlink_to("x.json")
    else:
        Path("reports", name).write_text(json.dumps(drift("spend")))

    assert run(["portal", "--output", str(site)]) == 0
    assert {path.name for path in (site / "reports").rglob("*")} == {"churn", "2026-11.html", "x.html"}


def test_a_report_that_is_too_large_is_refused(portal: Portal, capsys: pytest.CaptureFixture[str]) -> None:
    site = portal()
    Path("reports/large.json").write_bytes(b" " * (REPORT_BYTES_MAX + 1))

    assert run(["portal", "--output", str(site)]) == 2
    assert "reports/large.json is larger than" in capsys.readouterr().err


def test_the_document_of_a_manifest_is_there_for_programs(portal: Portal) -> None:
    document = json.loads((portal() / "models/churn/manifests/1.openapi.json").read_text())

    assert document["openapi"] == "3.1.0"
    assert document["info"]["title"] == "churn"


def test_a_schema_that_cannot_be_read_costs_the_description_alone(portal: Portal) -> None:
    site = portal(files={"models/churn/manifests/1/schema.json": "[]"})

    assert "Its schema cannot be read" in (site / "models/churn/manifests/1.html").read_text()


def test_a_repository_without_git_or_services_has_a_portal(portal: Portal) -> None:
    services = (f"environments/{each}/services/churn.yaml" for each in ("dev", "production"))
    site = portal(files=dict.fromkeys(services), is_in_git=False)

    assert "No commit has moved a pin yet." in (site / "index.html").read_text()
    assert (site / MARKER).is_file()


def test_the_workflow_in_the_documents_publishes_to_a_branch_and_leaves_other_files(
    portal: Portal, tmp_path: Path
) -> None:
    portal()
    block = re.search(r"```yaml\n# \.github/workflows/portal\.yml\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)
    assert block
    steps = yaml.safe_load(block[1])["jobs"]["portal"]["steps"]
    origin = tmp_path / "origin.git"
    subprocess.run(["git", "init", "--quiet", "--bare", origin], check=True)
    subprocess.run(["git", "remote", "add", "origin", origin], check=True)
    variables = {**os.environ, "GITHUB_SHA": "abc", "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}

    for _ in range(2):
        subprocess.run(["bash", "-e", "-c", steps[-1]["run"]], env=variables, check=True)
        public = tmp_path / "public"
        (public / "CNAME").write_text("models.example.com")
        subprocess.run(["git", "worktree", "prune"], check=True)
        subprocess.run(["git", "-C", public, "add", "--all"], check=True)
        subprocess.run(["git", "-C", public, "commit", "--quiet", "--allow-empty", "--message=Name"], check=True)
        subprocess.run(["git", "-C", public, "push", "--quiet", "origin", "gh-pages"], check=True)
        subprocess.run(["git", "worktree", "remove", public], check=True)
        subprocess.run(["git", "branch", "--quiet", "-D", "gh-pages"], check=True)

    found = subprocess.run(
        ["git", "-C", origin, "ls-tree", "-r", "--name-only", "gh-pages"], capture_output=True, check=True
    )
    assert {"CNAME", ".nojekyll", "index.html"} <= {*found.stdout.decode().split()}
