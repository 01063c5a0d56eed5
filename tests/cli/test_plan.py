"""`mmgit plan`, on this project's own repository: what a change does to each environment, in words."""

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Mmgit = Callable[..., Any]

STAGING = "environments/staging/services/digits.yaml"
DEV = "environments/dev/services/digits.yaml"


def git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], capture_output=True, text=True, check=True).stdout


def edit(path: str, old: str, new: str) -> None:
    text = Path(path).read_text()
    assert old in text
    Path(path).write_text(text.replace(old, new))


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, copy_of_ours: Callable[[Path], Path]) -> Path:
    """A copy of this project, all committed; the current folder is in it."""
    root = copy_of_ours(tmp_path / "copy")
    monkeypatch.chdir(root)
    return root


@pytest.mark.usefixtures("root")
def test_without_a_change_nothing_changes(mmgit: Mmgit) -> None:
    assert mmgit("plan").out == "plan: nothing changes\n"


@pytest.mark.usefixtures("root")
def test_scale_and_amounts_are_said_with_the_objects_that_they_touch(mmgit: Mmgit) -> None:
    mmgit("service", "update", "digits", "--env", "staging", "--memory", "2Gi", "--max", "6")

    ended = mmgit("plan")

    assert ended.out == (
        "staging\n"
        "  ~ digits\n"
        "      scale    1 replica → 1 to 6 replicas towards 70 % cpu\n"
        "      memory   1Gi → 2Gi\n"
        "      objects  ~ Deployment digits-a, + HorizontalPodAutoscaler digits\n"
        "\n"
        "plan: services: 1 to change (in staging)\n"
    )


@pytest.mark.usefixtures("root")
def test_a_pin_that_moves_says_what_is_pulled(mmgit: Mmgit) -> None:
    mmgit("service", "update", "digits", "--env", "dev", "--manifest", "digits/1")

    out = mmgit("plan").out

    assert "manifest  digits/2 (model digits/2) → digits/1 (model digits/1)\n" in out
    assert "linux/amd64: 1 of 5 layers are new," in out
    assert "linux/arm64: 1 of 5 layers are new," in out


@pytest.mark.usefixtures("root")
def test_a_new_version_says_its_metrics_and_how_its_scoring_files_differ(mmgit: Mmgit, tmp_path: Path) -> None:
    (tmp_path / "new.skops").write_bytes(b"other weights")
    with Path("models/digits/scoring/score.py").open("a") as script:
        script.write("# a remark\n")
    assert mmgit("model", "register", "digits", str(tmp_path / "new.skops"), "--metric", "accuracy=0.5").code == 0

    out = mmgit("plan").out

    assert "+ model version digits/3" in out
    assert "accuracy 0.5 (was 0.9844, worse)" in out
    assert "+ manifest digits/3" in out
    assert "        +# a remark" in out
    assert "no service changes" in out


@pytest.mark.usefixtures("root")
def test_services_that_come_and_go_are_there_with_all_their_objects(mmgit: Mmgit) -> None:
    Path("environments/staging/services/examples/penguins.yaml").unlink()
    Path("environments/production/services/other.yaml").write_text(Path(STAGING).read_text())

    found = json.loads(mmgit("plan", "--format", "json").out)

    changes = {
        (each["name"], service["name"]): service for each in found["environments"] for service in each["services"]
    }
    assert {where: change["action"] for where, change in changes.items()} == {
        ("production", "other"): "add",
        ("staging", "penguins"): "remove",
    }
    assert {each["action"] for each in changes["staging", "penguins"]["objects"]} == {"remove"}
    assert "Deployment" in {each["kind"] for each in changes["production", "other"]["objects"]}


@pytest.mark.usefixtures("root")
def test_a_change_of_the_rules_is_a_class_of_its_own(mmgit: Mmgit) -> None:
    with Path("environments/production/environment.yaml").open("a") as environment:
        environment.write("promotion: {from: staging, approvals: 0, freeze: [{weekdays: [sunday]}]}\n")
    edit("models/digits/model.yaml", "owners:", "owners: [mallory] #")
    Path(".github/workflows").mkdir(parents=True)
    Path(".github/workflows/new.yml").write_text("on: push\n")
    Path(".github/CODEOWNERS").write_text("* @mallory\n")

    rules = mmgit("plan").out.partition("rules that change")[2]

    assert "! gates: production: promotion.approvals: none → 0" in rules
    assert "! gates: production: promotion.freeze.1.weekdays: none → sunday\n" in rules
    assert "promotion.require" not in rules
    assert "→ mallory" in rules
    assert "! owners: .github/CODEOWNERS" in rules
    assert "! workflows: .github/workflows/new.yml" in rules


@pytest.mark.usefixtures("root")
def test_a_change_far_behind_in_a_long_value_is_shown(mmgit: Mmgit) -> None:
    licences = ", ".join(f"Licence-{number}" for number in range(40))
    with Path("mmgit.yaml").open("a") as project:
        project.write(f"policies: {{licences: [{licences}]}}\n")
    git("commit", "-qam", "Policies")
    edit("mmgit.yaml", "Licence-39]", "Licence-39, Evil-1.0]")

    assert "Evil-1.0" in mmgit("plan", "HEAD..").out


@pytest.mark.usefixtures("root")
def test_a_hold_that_goes_and_a_service_that_stops_are_said(mmgit: Mmgit) -> None:
    edit(STAGING, "kind: Service\n", "kind: Service\nhold: {reason: worse on Mondays}\n")
    git("commit", "-qam", "Hold")
    text = Path(STAGING).read_text().replace("hold: {reason: worse on Mondays}\n", "")
    Path(STAGING).write_text(text)
    dev = [line for line in Path(DEV).read_text().splitlines() if not line.startswith(("manifest:", "image:"))]
    Path(DEV).write_text("\n".join([*dev, "next: digits/2"]) + "\n")

    out = mmgit("plan", "HEAD..").out

    assert "worse on Mondays → none" in out
    assert "digits/2 (model digits/2) → nothing: it stops" in out


@pytest.mark.usefixtures("root")
def test_a_new_service_says_what_it_waits_for(mmgit: Mmgit) -> None:
    Path("environments/staging/services/letters.yaml").write_text(
        "apiVersion: mmgit.dev/v1\nkind: Service\nnext: digits/2\n"
    )

    assert "  + letters\n      next  none → digits/2\n" in mmgit("plan").out


@pytest.mark.usefixtures("root")
def test_what_a_service_waits_for_is_held_to_the_contract_of_what_it_runs(mmgit: Mmgit) -> None:
    edit(STAGING, "manifest:", "next: digits/1\nmanifest:")

    out = mmgit("plan").out

    assert "      next      none → digits/1\n      contract  of digits/1: same\n" in out


@pytest.mark.usefixtures("root")
def test_an_environments_default_changes_every_service_that_takes_it(mmgit: Mmgit) -> None:
    with Path("environments/staging/environment.yaml").open("a") as environment:
        environment.write("defaults: {queue: 33}\n")

    out = mmgit("plan").out

    assert "  ~ defaults.queue: none → 33" in out
    assert out.count("queue    10 → 33") == 3


@pytest.mark.usefixtures("root")
def test_two_commits_are_compared_whatever_the_work_tree_holds(mmgit: Mmgit) -> None:
    mmgit("service", "update", "digits", "--env", "staging", "--memory", "2Gi")
    git("commit", "-qam", "More memory")
    mmgit("service", "update", "digits", "--env", "staging", "--memory", "4Gi")

    between, since, now = (mmgit("plan", each).out for each in ("HEAD~..HEAD", "HEAD~", "HEAD.."))

    assert "memory   1Gi → 2Gi" in between
    assert "memory   1Gi → 4Gi" in since
    assert "memory   2Gi → 4Gi" in now


@pytest.mark.usefixtures("root")
def test_a_branch_is_compared_with_where_it_began(mmgit: Mmgit) -> None:
    git("switch", "-qc", "work")
    mmgit("service", "update", "digits", "--env", "staging", "--memory", "2Gi")
    git("commit", "-qam", "More memory")
    git("switch", "-q", "main")
    edit(DEV, "kind: Service\n", "kind: Service\nqueue: 3\n")
    git("commit", "-qam", "Another change on main")
    git("switch", "-q", "work")

    out = mmgit("plan").out

    assert "memory   1Gi → 2Gi" in out
    assert "queue" not in out


@pytest.mark.usefixtures("root")
def test_markdown_shows_values_as_they_are(mmgit: Mmgit) -> None:
    hostile = "<img src=x> @acme/all [a](http://evil) | `x` **b**"
    edit(STAGING, "kind: Service\n", f"kind: Service\nvariables: {{NOTE: {json.dumps(hostile)}}}\n")

    shown = mmgit("plan", "--format", "markdown").out

    row = next(line for line in shown.splitlines() if "NOTE" in line)
    assert "<img" not in row.replace("\\<", "")
    assert "@acme" not in row
    assert "](http" not in row
    assert row.replace("\\|", "").count("|") == 4


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ("nothing..HEAD", "there is no commit `nothing` here"),
        ("HEAD...HEAD", "two dots"),
        ("..HEAD", "no commit to begin"),
    ],
)
@pytest.mark.usefixtures("root")
def test_what_cannot_be_compared_is_an_error(mmgit: Mmgit, argument: str, message: str) -> None:
    ended = mmgit("plan", argument)

    assert ended.code in (2, 7)
    assert message in ended.err


@pytest.mark.usefixtures("root")
def test_a_side_that_cannot_be_read_is_reported_as_by_check(mmgit: Mmgit) -> None:
    edit(STAGING, "kind: Service\n", "kind: Service\nqueue: many\n")

    ended = mmgit("plan")

    assert ended.code == 3
    assert f"{STAGING}:" in ended.err
    assert "M204" in ended.err


def test_the_plan_writes_nothing(mmgit: Mmgit, root: Path) -> None:
    edit(STAGING, "kind: Service\n", "kind: Service\nqueue: 3\n")
    before = git("status", "--porcelain", "--ignored")

    mmgit("plan")

    assert git("status", "--porcelain", "--ignored") == before
    assert not (root / ".mmgit").exists()


def test_a_manifest_that_needs_no_script_any_more_says_so(root: Path, mmgit: Mmgit) -> None:
    manifests = root / "models/digits/manifests"
    shutil.copytree(
        manifests / "2", manifests / "3", ignore=shutil.ignore_patterns("images", "score.py", "pictures.py")
    )
    edit("models/digits/manifests/3/manifest.yaml", "runtime: python\n", "runtime: onnx\noutputs: [label, scores]\n")
    edit("models/digits/manifests/3/manifest.yaml", "scoring: score.py\nfiles: [pictures.py]\n", "")

    out = mmgit("plan").out

    said = [" ".join(line.split()) for line in out.splitlines()]
    assert {"runtime python → onnx", "outputs none → label, scores"} <= {*said}


@pytest.mark.usefixtures("root")
def test_what_callers_may_rely_on_is_said(mmgit: Mmgit) -> None:
    edit(STAGING, "kind: Service\n", "kind: Service\nslo: {availability: 99.9, latency: 250ms@99}\n")

    assert "      slo  none → availability 99.9, latency 250ms@99\n" in mmgit("plan").out
