"""`mmgit gate`, on this project's own repository: each gate passes, fails or waits, by the rules of the base."""

import json
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from mmgit.cli.context import find_root
from mmgit.cli.reviewing import changed, judged_now
from mmgit.review.gates import Approvals

Mmgit = Callable[..., Any]

FAILED, WAITING = 14, 15
PRODUCTION = Path("environments/production/environment.yaml")
SERVICE = Path("environments/production/services/digits.yaml")
ROLL_BACK = ("rollback", "digits", "--env", "production", "--unverified")


def git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], capture_output=True, text=True, check=True).stdout


def commit(message: str) -> None:
    git("add", "--all")
    git("commit", "--quiet", f"--message={message}")


def append(path: Path, text: str) -> None:
    path.write_text(path.read_text() + text)


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, copy_of_ours: Callable[[Path], Path], mmgit: Mmgit) -> Path:
    """A copy of this project whose staging runs manifest digits/1 and production digits/2; all committed."""
    root = copy_of_ours(tmp_path / "copy")
    monkeypatch.chdir(root)
    mmgit("service", "update", "digits", "--env", "staging", "--manifest", "digits/1", "--unverified")
    mmgit("compile")
    commit("Try digits/1 in staging")
    return root


Judge = Callable[..., dict[str, dict[str, Any]]]


@pytest.fixture
def judge(root: Path, mmgit: Mmgit) -> Judge:
    """Commits gates for production and rules for the project, promotes digits, and gives the verdicts by gate."""

    def call(gates: str = "", policies: str = "") -> dict[str, dict[str, Any]]:
        append(PRODUCTION, f"promotion: {{from: staging{gates and ', '}{gates}}}\n")
        append(root / "mmgit.yaml", f"policies: {{{policies}}}\n")
        commit("Gates")
        assert mmgit("promote", "digits", "--from", "staging", "--to", "production", "--unverified").code == 0
        return verdicts(mmgit)

    return call


def verdicts(mmgit: Mmgit) -> dict[str, dict[str, Any]]:
    found = json.loads(mmgit("gate", "HEAD..", "--format", "json").out)
    return {verdict["gate"]: verdict for verdict in found}


@pytest.mark.usefixtures("root")
def test_a_change_that_moves_no_pin_meets_no_gate(mmgit: Mmgit) -> None:
    append(SERVICE, "queue: 3\n")
    mmgit("compile")

    ended = mmgit("gate", "HEAD..")

    assert (ended.code, ended.out) == (0, "gates: no pin moves through a gate\n")


def test_a_pin_that_runs_in_the_environment_before_passes(judge: Judge, mmgit: Mmgit) -> None:
    assert judge()["route"]["state"] == "passed"
    assert mmgit("gate", "HEAD..").code == 0


def test_a_pin_that_never_ran_in_the_environment_before_fails(judge: Judge, mmgit: Mmgit, root: Path) -> None:
    judge()
    mmgit("service", "update", "digits", "--env", "staging", "--manifest", "digits/2", "--unverified")
    git("add", "environments/staging")
    git("stash", "--quiet", "--", "environments/production")
    mmgit("compile")
    commit("Staging went on")
    git("stash", "pop", "--quiet")

    found = verdicts(mmgit)

    assert root
    assert found["route"]["state"] == "failed"
    assert "staging runs digits/2" in found["route"]["text"]


@pytest.mark.parametrize(
    ("bound", "state"),
    [
        ("min: 0.95", "passed"),
        ("min: 0.96", "failed"),
        ("max: 0.95", "failed"),
        ("max_loss: 0.03", "passed"),
        ("max_loss: 0.02", "failed"),
    ],
)
def test_metrics_are_bounded_and_compared_with_what_runs(judge: Judge, bound: str, state: str) -> None:
    verdict = judge(f"metrics: {{accuracy: {{{bound}}}}}")["metrics"]

    assert verdict["state"] == state
    assert "accuracy 0.9578" in verdict["text"]


def test_a_metric_where_less_is_better_may_not_grow(judge: Judge) -> None:
    assert judge("metrics: {log_loss: {max_loss: 0.001}}")["metrics"]["state"] == "failed"


def test_a_metric_that_nobody_states_fails(judge: Judge) -> None:
    verdict = judge("metrics: {fairness: {min: 0}}")["metrics"]

    assert verdict["state"] == "failed"
    assert "none of digits/1 states it" in verdict["text"]


def test_keys_without_a_date_are_too_old_for_a_gate(judge: Judge) -> None:
    verdict = judge("key_age: 90d")["keys"]

    assert verdict["state"] == "failed"
    assert "--regen primary" in verdict["text"]


def test_a_soak_waits_for_evidence_however_old_the_commit_is(judge: Judge, mmgit: Mmgit) -> None:
    verdict = judge("soak: 1s")["soak"]

    assert verdict["state"] == "waiting"
    assert "mmgit status --env staging --record" in verdict["text"]
    assert mmgit("gate", "HEAD..").code == WAITING


EVIDENCE = """apiVersion: mmgit.dev/v1
kind: Evidence
manifest: {manifest}
image: {image}
cluster: 1a2755e4-a4e7-4411-98e3-9f7b21434b5c
{since}observed_at: "2026-11-23T12:00:00Z"
replicas: {{ready: 1, desired: 1}}
"""


@pytest.mark.parametrize(
    ("since", "state", "until"),
    [
        ("2026-11-22T11:59:59Z", "passed", None),
        ("2026-11-22T12:00:00Z", "passed", None),
        ("2026-11-22T12:00:01Z", "waiting", "2026-11-23T12:00:01+00:00"),
        ("", "waiting", None),
    ],
)
def test_a_soak_passes_by_what_was_recorded_of_this_very_pin(
    judge: Judge, since: str, state: str, until: str | None
) -> None:
    record("digits/1", f'since: "{since}"\n' if since else "")

    verdict = judge("soak: 24h")["soak"]

    assert (verdict["state"], verdict["until"]) == (state, until)


def test_what_was_recorded_of_another_pin_is_no_evidence(judge: Judge) -> None:
    record("digits/2", 'since: "2026-01-01T00:00:00Z"\n')

    verdict = judge("soak: 24h")["soak"]

    assert verdict["state"] == "waiting"
    assert "of another pin" in verdict["text"]


def test_evidence_that_the_change_itself_brings_is_none(judge: Judge, mmgit: Mmgit) -> None:
    judge("soak: 24h")
    record("digits/1", 'since: "2026-01-01T00:00:00Z"\n')

    assert verdicts(mmgit)["soak"]["state"] == "waiting"


def record(manifest: str, since: str) -> None:
    """Evidence as `mmgit status --env staging --record` writes it."""
    image = yaml.safe_load(Path("environments/staging/services/digits.yaml").read_text())["image"]
    path = Path("environments/staging/evidence/default/digits.yaml")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(EVIDENCE.format(manifest=manifest, image=image, since=since))


def test_approvals_wait_where_no_forge_was_asked(judge: Judge) -> None:
    assert judge("approvals: 1")["approvals"]["state"] == "waiting"


@pytest.mark.parametrize(
    ("people", "is_refused", "state", "text"),
    [
        (("eve",), False, "waiting", "0 of 1 by Ada, bob: nobody"),
        (("ada", "eve"), False, "passed", "1 of 1 by Ada, bob: ada"),
        (("bob",), True, "failed", "somebody asked for changes"),
    ],
)
def test_where_owners_are_named_their_approvals_count_and_no_others(
    judge: Judge, people: tuple[str, ...], *, is_refused: bool, state: str, text: str
) -> None:
    judge("approvals: 1, approvers: [Ada, bob]")

    found = judged_now(changed(find_root(), ""), Approvals(people, is_refused=is_refused))

    verdict = next(each for each in found if each.gate == "approvals")
    assert (verdict.state, verdict.text) == (state, text)


def test_in_a_freeze_no_pin_moves_until_it_ends(judge: Judge) -> None:
    today = datetime.now(UTC).date()
    tomorrow = today + timedelta(days=1)

    verdict = judge(f"freeze: [{{first: '{today}', last: '{tomorrow}', reason: holidays}}]")["freeze"]

    assert verdict["state"] == "waiting"
    assert "holidays" in verdict["text"]
    assert verdict["until"].startswith((tomorrow + timedelta(days=1)).isoformat())


def test_a_freeze_of_another_day_is_none(judge: Judge) -> None:
    assert "freeze" not in judge("freeze: [{first: '2020-01-01', last: '2020-12-31'}]")


@pytest.mark.parametrize("wanted", ["signature", "sbom"])
def test_what_lies_beside_an_image_waits_until_a_registry_is_asked(judge: Judge, wanted: str) -> None:
    verdict = judge(f"require: [{wanted}]")[wanted]

    assert (verdict["state"], verdict["text"]) == ("waiting", "no registry was asked: mmgit gate --ask-registry")


@pytest.mark.parametrize(
    ("policies", "gate", "text"),
    [
        ("formats: {skops: refuse}", "formats", "digits.skops is skops"),
        ("licences: [MIT]", "licences", "Apache-2.0"),
        (
            "rules: [{name: enough, expression: 'service.scale.replicas > 1', message: one is not enough}]",
            "rule enough",
            "one is not enough",
        ),
        ("rules: [{name: broken, expression: 'service.nothing'}]", "rule broken", "nothing"),
        ("rules: [{name: no-truth, expression: 'service.cpu'}]", "rule no-truth", "neither true nor false"),
    ],
)
def test_a_policy_that_is_broken_fails(judge: Judge, policies: str, gate: str, text: str) -> None:
    verdict = judge(policies=policies)[gate]

    assert verdict["state"] == "failed"
    assert text in verdict["text"]


@pytest.mark.parametrize(
    "expression",
    [
        "service.keys.exists(k, k.name == 'primary')",
        "(has(service.autoscale) ? service.autoscale.max : service.replicas) <= 10",
        "environment.name == 'production' && service.models[0].startsWith('digits/')",
    ],
)
@pytest.mark.parametrize("scale", ["replicas: 2\n", "autoscale: {max: 5}\n"])
def test_a_rule_that_holds_passes(root: Path, judge: Judge, expression: str, scale: str) -> None:
    append(root / SERVICE, scale)

    assert judge(policies=f'rules: [{{name: good, expression: "{expression}"}}]')["rule good"]["state"] == "passed"


@pytest.mark.usefixtures("root")
def test_a_new_rule_that_is_no_expression_fails_before_it_is_merged(mmgit: Mmgit) -> None:
    rules = "rules: [{name: good, expression: 'true'}, {name: bad, expression: 'service.('}]"
    append(Path("mmgit.yaml"), f"policies: {{{rules}}}\n")

    ended = mmgit("gate")

    assert ended.code == FAILED
    assert "rule bad" in ended.out
    assert "service.(: not an expression" in ended.out
    assert "rule good" not in ended.out


def test_gates_are_those_of_the_base_and_never_of_the_change(judge: Judge, mmgit: Mmgit) -> None:
    judge("metrics: {accuracy: {min: 0.99}}", "licences: [MIT]")
    PRODUCTION.write_text(PRODUCTION.read_text().replace("0.99", "0.1"))
    project = Path("mmgit.yaml")
    project.write_text(project.read_text().replace("[MIT]", "[Apache-2.0]"))

    ended = mmgit("gate", "HEAD..", "--format", "json")

    states = {verdict["gate"]: verdict["state"] for verdict in json.loads(ended.out)}
    assert (states["metrics"], states["licences"]) == ("failed", "failed")
    assert ended.code == FAILED


@pytest.mark.parametrize(("until", "is_held"), [("2099-01-31", True), ("2020-01-31", False)])
@pytest.mark.usefixtures("root")
def test_a_pin_that_is_held_does_not_move_by_hand_either(mmgit: Mmgit, until: str, is_held: bool) -> None:  # noqa: FBT001 - a parameter of the test
    append(PRODUCTION, "promotion: {from: staging}\n")
    before = SERVICE.read_text()
    append(SERVICE, f"hold: {{reason: worse on Mondays, until: '{until}'}}\n")
    commit("Gates, and a hold")
    staging = Path("environments/staging/services/digits.yaml").read_text()
    pin = [line for line in staging.splitlines() if line.startswith(("manifest:", "image:"))]
    rest = [line for line in before.splitlines() if not line.startswith(("manifest:", "image:"))]
    SERVICE.write_text("\n".join([*rest, *pin]) + "\n")

    found = verdicts(mmgit)

    assert ("hold" in found) == is_held
    assert found["route"]["state"] == "passed"


def test_a_rollback_to_what_ran_here_passes_without_soak_and_metrics(judge: Judge, mmgit: Mmgit) -> None:
    judge("soak: 24h, metrics: {accuracy: {min: 0.999}}")
    commit("Promoted, by force")
    mmgit(*ROLL_BACK, "--reason", "worse on Mondays")

    found = verdicts(mmgit)

    assert found["rollback"]["state"] == "passed"
    assert {"soak", "metrics", "route"} & found.keys() == set()


def test_a_rollback_with_a_hold_that_has_ended_is_none(judge: Judge, mmgit: Mmgit) -> None:
    judge("metrics: {accuracy: {min: 0.999}}")
    commit("Promoted, by force")
    mmgit(*ROLL_BACK, "--reason", "x", "--until", "2020-01-31")

    found = verdicts(mmgit)

    assert "rollback" not in found
    assert found["route"]["state"] == "failed"


def test_a_change_cannot_turn_round_which_way_a_metric_is_better(judge: Judge, mmgit: Mmgit) -> None:
    judge("metrics: {log_loss: {max_loss: 0.001}}")
    model = Path("models/digits/model.yaml")
    model.write_text(model.read_text().replace("log_loss: {better: lower}", "log_loss: {better: higher}"))
    assert "log_loss: {better: higher}" in model.read_text()

    assert verdicts(mmgit)["metrics"]["state"] == "failed"


@pytest.mark.usefixtures("root")
def test_a_hold_that_is_taken_away_needs_the_approvals_of_a_move(mmgit: Mmgit) -> None:
    append(PRODUCTION, "promotion: {from: staging, approvals: 1}\n")
    append(SERVICE, "hold: {reason: worse on Mondays, until: '2099-01-31'}\n")
    commit("Gates, and a hold")
    mmgit(*ROLL_BACK, "--release")

    assert verdicts(mmgit)["approvals"]["state"] == "waiting"


@pytest.mark.parametrize(
    ("old", "new"), [("soak: 24h", "soak: 1h"), ("kind: Environment", "kind: Environment\naccepts: build")]
)
@pytest.mark.usefixtures("root")
def test_who_must_approve_a_move_must_approve_other_gates_and_a_freeze_keeps_nobody_from_it(
    mmgit: Mmgit, old: str, new: str
) -> None:
    freeze = "freeze: [{first: '2020-01-31', last: '2099-01-31'}]"
    append(PRODUCTION, f"promotion: {{from: staging, soak: 24h, approvals: 1, approvers: [ada], {freeze}}}\n")
    commit("Gates")
    PRODUCTION.write_text(PRODUCTION.read_text().replace(old, new, 1))

    found = verdicts(mmgit)

    assert {gate: verdict["state"] for gate, verdict in found.items()} == {"approvals": "waiting"}
    assert found["approvals"]["text"] == "1 wanted by ada; no forge was asked"


@pytest.mark.usefixtures("root")
def test_gates_of_an_old_base_are_not_judged_by(mmgit: Mmgit) -> None:
    git("switch", "--quiet", "--create", "old", "HEAD")
    append(SERVICE, "queue: 3\n")
    commit("A change")
    git("switch", "--quiet", "main")
    append(PRODUCTION, "promotion: {from: staging, approvals: 1}\n")
    commit("Gates")
    git("switch", "--quiet", "old")

    ended = mmgit("gate")

    assert ended.code == 7
    assert "`main` went on since this change began" in ended.err


def test_a_hold_alone_makes_no_rollback(judge: Judge, mmgit: Mmgit) -> None:
    judge("soak: 24h")
    append(SERVICE, "hold: {reason: pretended}\n")

    assert "rollback" not in verdicts(mmgit)


@pytest.mark.usefixtures("root")
def test_a_blast_radius_is_acknowledged_by_exactly_its_hash(mmgit: Mmgit) -> None:
    append(Path("mmgit.yaml"), "policies: {blast_radius: {services: 1}}\n")
    commit("Policy")
    for name in ("penguins", "filetype"):
        Path(f"environments/staging/services/examples/{name}.yaml").unlink()
    mmgit("compile")
    commit("Remove two")
    first = json.loads(mmgit("gate", "HEAD~..HEAD", "--format", "json").out)[0]
    trailer = first["text"].rpartition("must say: ")[2]

    git("commit", "--quiet", "--amend", f"--message=Remove two\n\n{trailer}")
    acknowledged = mmgit("gate", "HEAD~..HEAD")
    append(Path("environments/staging/services/digits.yaml"), "queue: 3\n")
    git("add", "--all")
    git("commit", "--quiet", "--amend", "--no-edit")
    another = mmgit("gate", "HEAD~..HEAD")

    assert first["state"] == "failed"
    assert "services: 2 to go and 0 to change; the policy allows 1" in first["text"]
    assert acknowledged.code == WAITING
    assert "acknowledged; somebody else must approve it" in acknowledged.out
    assert another.code == FAILED


@pytest.mark.usefixtures("root")
def test_an_environment_that_is_emptied_must_be_acknowledged(mmgit: Mmgit) -> None:
    SERVICE.unlink()

    ended = mmgit("gate", "HEAD..")

    assert ended.code == FAILED
    assert "environment production loses all of its services" in ended.out


@pytest.mark.usefixtures("root")
def test_an_environment_that_keeps_a_service_is_not_emptied(mmgit: Mmgit) -> None:
    git("switch", "--quiet", "--create", "work")
    assert mmgit("service", "delete", "penguins", "--env", "staging").code == 0
    assert mmgit("compile", "--commit", "--all").code == 0

    ended = mmgit("gate", "main..HEAD")

    assert (ended.code, ended.out) == (0, "gates: no pin moves through a gate\n")


def predictions_of(mmgit: Mmgit, **facts: Any) -> Path:
    """A report of `mmgit try` on the very images of the promotion that is under way."""
    images = {row["manifest"]: row["image"] for row in json.loads(mmgit("image", "list", "-o", "json").out)}
    running, candidate = (
        {"manifest": manifest, "image": images[manifest], "size_bytes": 1, "latency_ms": 1.0}
        for manifest in ("digits/2", "digits/1")
    )
    comparison = {"running": running, "candidate": candidate, "rows": 4, "changed": 1, "max_difference": 0.5, **facts}
    report = Path("predictions.json")
    head = {"apiVersion": "mmgit.dev/v1", "kind": "Predictions", "runner": "container", "platform": "linux/amd64"}
    report.write_text(json.dumps({**head, "comparisons": [comparison]}))
    return report


def test_predictions_are_judged_by_what_was_tried_of_these_images(judge: Judge, mmgit: Mmgit) -> None:
    assert judge("predictions: {max_changed: 0.3, max_difference: 0.4}")["predictions"]["state"] == "waiting"

    report = predictions_of(mmgit)
    found = json.loads(mmgit("gate", "HEAD..", "--format", "json", "--predictions", str(report)).out)

    assert [(each["state"], each["text"]) for each in found if each["gate"] == "predictions"] == [
        ("passed", "4 rows answered"),
        ("passed", "1 of 4 rows changed; at most 30% may"),
        ("failed", "numbers move by up to 0.5; at most 0.4"),
    ]
    assert "1 of 4 predictions changed" in mmgit("plan", "HEAD..", "--predictions", str(report)).out
    assert json.loads(mmgit("plan", "HEAD..", "--predictions", str(report), "--format", "json").out)["predictions"]


@pytest.mark.usefixtures("root")
@pytest.mark.parametrize("text", ["", "[]", '{"kind": "Predictions"}', "null", '{"comparisons": "x"}'])
def test_what_is_no_report_is_refused(text: str, mmgit: Mmgit) -> None:
    Path("predictions.json").write_text(text)

    ended = mmgit("gate", "HEAD..", "--predictions", "predictions.json")

    assert ended.code == 2
    assert "predictions.json is no report of predictions" in ended.err
    assert "hint: mmgit try --report FILE" in ended.err


def drift_of(version: str, psi: float) -> Path:
    """A report of telemetry of digits in staging."""
    traffic = {"requests": 2000, "refused": 0, "failed": 0}
    rows = {"reference_rows": 500, "current_rows": 2000}
    feature = {"name": "x[0]", "side": "inputs", "kind": "number", "level": "some", "psi": psi, **rows}
    said = {"service": "digits", "environment": "staging", "version": version, "reference": "train.parquet"}
    report = Path(f"drift-{psi}.json")
    head = {
        "apiVersion": "mmgit.dev/v1",
        "kind": "Drift",
        **said,
        "total": traffic,
        "rows": 2000,
        "reference_rows": 500,
    }
    report.write_text(json.dumps({**head, "psi": psi, "features": [feature]}))
    return report


def test_drift_is_judged_by_reports_of_what_the_candidate_is_asked(judge: Judge, mmgit: Mmgit) -> None:
    assert judge("drift: {max_psi: 0.2}")["drift"]["state"] == "waiting"

    def judged(*reports: Path) -> list[str]:
        given = [word for report in reports for word in ("--drift", str(report))]
        found = json.loads(mmgit("gate", "HEAD..", "--format", "json", *given).out)
        return [each["state"] for each in found if each["gate"] == "drift"]

    assert judged(drift_of("digits/1", 0.1)) == ["passed"]
    assert judged(drift_of("digits/1", 0.1), drift_of("digits/1", 0.3)) == ["failed"]
    assert judged(drift_of("digits/2", 0.1)) == ["waiting"]
    Path("drift.json").write_text("{}")
    assert "drift.json is no report of telemetry" in mmgit("gate", "HEAD..", "--drift", "drift.json").err
