import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from mmgit.edits.keys import RANDOM_BYTES, Dates, digest_of, mint
from mmgit.spec.tokens import is_token

DATES = Dates("2026-11-30")

Git = Callable[..., str]
Here = Callable[..., Path]
Mmgit = Callable[..., Any]

SERVICE = "environments/dev/services/churn.yaml"
NONE_YET = {SERVICE: None}
KEY_FILE = ("--key-file", ".mmgit/churn.key")
TOKEN, KEY = mint(bytes(RANDOM_BYTES), "primary", DATES)


def declared(root: Path, path: str = SERVICE) -> dict[str, Any]:
    value: dict[str, Any] = yaml.safe_load((root / path).read_text())
    return value


@pytest.fixture
def root(here: Here) -> Path:
    """A repository without a service, with a folder for keys that git does not see."""
    root = here(NONE_YET)
    (root / ".mmgit").mkdir()
    return root


def test_a_service_waits_for_the_newest_manifest_of_its_model(root: Path, mmgit: Mmgit) -> None:
    ended = mmgit("service", "create", "churn", "--env", "dev", *KEY_FILE)

    assert (ended.code, ended.err) == (0, "")
    assert ended.out.splitlines() == [
        "service churn in dev: next manifest churn/1 (model churn/1)",
        "next: mmgit release churn --env dev",
        "primary key: in .mmgit/churn.key, nowhere else",
    ]
    assert declared(root)["next"] == "churn/1"


def test_git_gets_the_digest_and_only_the_key_file_the_token(root: Path, mmgit: Mmgit) -> None:
    ended = mmgit("service", "create", "churn", "--env", "dev", *KEY_FILE)

    token = (root / ".mmgit/churn.key").read_text().strip()
    assert is_token(token)
    assert (root / ".mmgit/churn.key").stat().st_mode & 0o777 == 0o600
    assert declared(root)["keys"][0]["digest"] == digest_of(token)
    others = [path for path in root.rglob("*") if path.is_file() and path.name != "churn.key"]
    assert not [path for path in others if token.split("_")[2].encode() in path.read_bytes()]
    assert token not in ended.out + ended.err


def test_options_and_group_are_written_in_one_order(root: Path, mmgit: Mmgit) -> None:
    options = ["--max", "4", "--queue", "5", "--cpu", "2", "--variable", "LEVEL=info", "--secret", "DB=churn-db/url"]

    assert (
        mmgit("service", "create", "leavers", "--model", "churn", "--group", "retention", *options, *KEY_FILE).code == 0
    )

    text = (root / "environments/dev/services/retention/leavers.yaml").read_text()
    assert text.startswith(
        "apiVersion: mmgit.dev/v1\nkind: Service\nnext: churn/1\nautoscale: {max: 4}\n"
        'cpu: "2"\nqueue: 5\nvariables: {LEVEL: info, DB: {secret: churn-db, key: url}}\nkeys:\n'
    )


def test_a_refused_service_leaves_no_model_and_no_key(root: Path, mmgit: Mmgit, tmp_path: Path) -> None:
    (tmp_path / "digits.onnx").write_bytes(b"weights")
    (tmp_path / "score.py").write_text("def run(x):\n    return x\n")
    files = ["--model-file", f"{tmp_path}/digits.onnx", "-f", f"{tmp_path}/score.py"]

    ended = mmgit("service", "create", "digits", "--env", "dev", *files, "--cpu", "much", *KEY_FILE)

    assert ended.code == 2
    assert not (root / "models/digits").exists()
    assert not (root / ".mmgit/churn.key").exists()


def test_a_local_process_needs_no_key(here: Here, mmgit: Mmgit) -> None:
    root = here(
        {
            **NONE_YET,
            "environments/dev/environment.yaml": "apiVersion: mmgit.dev/v1\nkind: Environment\ntarget: process\n",
        }
    )

    refused = mmgit("service", "create", "churn", *KEY_FILE)
    assert (refused.code, refused.err.splitlines()[0]) == (2, "error: dev is for `mmgit serve`, which asks for no key")
    assert not (root / SERVICE).exists()
    assert mmgit("service", "create", "churn").code == 0
    assert "keys" not in declared(root)


def test_one_option_is_one_edited_line(project: Path, mmgit: Mmgit, git: Git) -> None:
    text = (
        "# called by the page\napiVersion: mmgit.dev/v1\nkind: Service\nnext: churn/1  # Ada\nqueue: 5   # measured\n"
    )
    (project / SERVICE).write_text(text)
    git("commit", "-q", "-a", "-m", "Comment")

    ended = mmgit("service", "update", "churn", "--env", "dev", "--queue", "7")

    assert ended.out == "service churn in dev\nnext: mmgit compile\n"
    assert git("diff", "-U0", "--no-color").splitlines()[-2:] == ["-queue: 5   # measured", "+queue: 7   # measured"]


def test_batches_are_asked_for_and_their_bytes_stay_as_declared(project: Path, mmgit: Mmgit) -> None:
    (project / SERVICE).write_text(
        "apiVersion: mmgit.dev/v1\nkind: Service\nnext: churn/1\nbatch: {max_bytes: 4096} # measured\n"
    )

    assert mmgit("service", "update", "churn", "--env", "dev", "--batch", "16").code == 0

    assert "batch: {max_bytes: 4096, max_requests: 16}" in (project / SERVICE).read_text()


def test_sites_and_objectives_are_asked_for_and_an_objective_that_is_not_named_stays(
    project: Path, mmgit: Mmgit
) -> None:
    (project / SERVICE).write_text(
        "apiVersion: mmgit.dev/v1\nkind: Service\nnext: churn/1\nslo: {latency: 1s@99} # agreed\nkeys: []\n"
    )
    update = ("service", "update", "churn", "--env", "dev")

    assert mmgit(*update, "--origin", "null", "--availability", "99.9").code == 0
    assert mmgit(*update, "--origin", "https://a.example", "--origin", "https://b.example:8443").code == 0
    refused = mmgit(*update, "--latency", "300ms@99")

    assert declared(project) == {
        "apiVersion": "mmgit.dev/v1",
        "kind": "Service",
        "next": "churn/1",
        "origins": ["https://a.example", "https://b.example:8443"],
        "slo": {"latency": "1s@99", "availability": 99.9},
        "keys": [],
    }
    assert (refused.code, "the server counts answers within" in refused.err) == (2, True)


@pytest.mark.usefixtures("project")
def test_every_time_of_an_objective_that_is_offered_is_taken(mmgit: Mmgit) -> None:
    update = ("service", "update", "churn", "--env", "dev", "--latency")

    times = mmgit(*update, "300ms@99").err.strip().partition("answers within ")[2].split(", ")

    assert ("1ms" in times, "2500ms" in times, "60s" in times) == (True, True, True)
    assert [mmgit(*update, f"{time}@99").err for time in times] == [""] * len(times)


@pytest.mark.parametrize("given", [["--origin", "a.example"], ["--availability", "nan"], ["--latency", "fast"]])
def test_a_site_or_objective_of_another_form_is_refused(project: Path, mmgit: Mmgit, given: list[str]) -> None:
    before = (project / SERVICE).read_bytes()

    assert mmgit("service", "update", "churn", "--env", "dev", *given).code == 2
    assert (project / SERVICE).read_bytes() == before


def test_an_autoscaler_takes_over_in_two_changes(here: Here, mmgit: Mmgit) -> None:
    header = "apiVersion: mmgit.dev/v1\n"
    place = "registry: registry.example.com/ml\nnamespace: ml\nhost: ml.example.com\ngateway: {name: infra/public}\n"
    service = "environments/prod/services/churn.yaml"
    pin = f"manifest: churn/1\nimage: sha256:{'a' * 64}\n"
    root = here(
        {
            "environments/prod/environment.yaml": f"{header}kind: Environment\ntarget: kubernetes\n{place}",
            service: f"{header}kind: Service\n{pin}replicas: 4\n",
        }
    )

    begun = mmgit("service", "update", "churn", "--env", "prod", "--min", "2", "--max", "6")
    during = declared(root, service)
    ended = mmgit("service", "update", "churn", "--env", "prod", "--handed-over")
    again = mmgit("service", "update", "churn", "--env", "prod", "--handed-over")

    assert (begun.code, ended.code, again.code) == (0, 0, 2)
    assert "replicas" not in during
    assert during["autoscale"] == {"handover": 4, "min": 2, "max": 6}
    assert declared(root, service)["autoscale"] == {"min": 2, "max": 6}
    assert "declares no handover" in again.err


def test_a_new_manifest_is_what_comes_next(here: Here, mmgit: Mmgit) -> None:
    root = here({"models/churn/scoring/score.py": "def run(x):\n    return x + 1\n"})
    mmgit("manifest", "create", "churn")

    ended = mmgit("service", "update", "churn", "--manifest", "churn/2")

    assert (
        ended.out
        == "service churn in dev: next manifest churn/2 (model churn/1)\nnext: mmgit release churn --env dev\n"
    )
    assert (root / SERVICE).read_text() == "apiVersion: mmgit.dev/v1\nkind: Service\nnext: churn/2\n"
    assert mmgit("service", "update", "churn", "--manifest", "churn/2").out.splitlines() == ended.out.splitlines()[:1]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "nothing to change is named"),
        (["--image", "sha256:00"], "which image of --manifest"),
        (["--manifest", "churn/9"], "there is no manifest `churn/9`"),
        (["--replicas", "2", "--max", "4"], "either --replicas or --min"),
        (["--min", "5", "--max", "2"], "min 5 is greater than max 2"),
        (["--min", "0", "--scale-on", "concurrency"], "nothing in environment `dev` holds requests"),
        (["--secret", "DB=churn-db"], "expected NAME=SECRET/KEY"),
        (["--variable", "LEVEL"], "expected KEY=VALUE"),
        (["--variable", f"TOKEN={TOKEN}"], f"the API key with the id `{KEY.id}` stands here"),
        (["--timeout", "soon"], "`timeout` is 'soon'"),
        (["--env", "prod", "--queue", "1"], "there is no environment `prod`"),
    ],
)
def test_a_wrong_update_changes_nothing_and_says_why(
    here: Here, mmgit: Mmgit, arguments: list[str], words: str
) -> None:
    root = here()
    before = (root / SERVICE).read_bytes()

    ended = mmgit("service", "update", "churn", *arguments)

    assert ended.code == 2
    assert words in ended.err
    assert TOKEN not in ended.err
    assert (root / SERVICE).read_bytes() == before


@pytest.mark.usefixtures("root")
def test_an_update_of_nothing_names_the_environment_again(mmgit: Mmgit) -> None:
    mmgit("service", "create", "churn", "--env", "dev", *KEY_FILE)

    ended = mmgit("service", "update", "churn", "--env", "dev")

    assert "hint: mmgit service update churn --env dev --manifest NAME/NUMBER" in ended.err


def test_a_new_service_is_given_no_key_of_another_to_keep(root: Path, mmgit: Mmgit) -> None:
    ended = mmgit("service", "create", "churn", "--env", "dev", "--variable", f"TOKEN={TOKEN}", *KEY_FILE)

    assert ended.code == 2
    assert f"the API key with the id `{KEY.id}`" in ended.err
    assert TOKEN not in ended.err
    assert not (root / SERVICE).exists()


def test_a_new_service_scales_to_zero_only_where_something_holds_its_requests(root: Path, mmgit: Mmgit) -> None:
    resting = ("--min", "0", "--scale-on", "concurrency")
    ended = mmgit("service", "create", "churn", "--env", "dev", *resting, *KEY_FILE)

    assert ended.code == 2
    assert "holds requests while there is no replica\n  hint: --min 1   or, in Kubernetes with a gateway" in ended.err
    assert not (root / SERVICE).exists()


def test_a_variable_is_removed_by_a_dash(here: Here, mmgit: Mmgit) -> None:
    root = here({SERVICE: "apiVersion: mmgit.dev/v1\nkind: Service\nnext: churn/1\nvariables: {A: b, C: d}\n"})

    assert mmgit("service", "update", "churn", "--variable", "A-", "--variable", "E=f-").code == 0
    assert declared(root)["variables"] == {"C": "d", "E": "f-"}


def test_a_deleted_service_is_gone(here: Here, mmgit: Mmgit) -> None:
    root = here()

    ended = mmgit("service", "delete", "churn", "--env", "dev")

    assert ended.out == "service churn is gone from dev\nnext: mmgit compile\n"
    assert not (root / SERVICE).exists()
    assert mmgit("service", "delete", "churn").code == 2


def test_services_are_listed_with_what_they_run(here: Here, mmgit: Mmgit) -> None:
    here()

    (row,) = json.loads(mmgit("service", "list", "-o", "json").out)
    assert (row["service"], row["environment"], row["group"]) == ("churn", "dev", "default")
    assert (row["runs"], row["next"]) == (None, "manifest churn/1 (model churn/1)")
    assert mmgit("service", "list", "--group", "other", "-o", "tsv").out.count("\n") == 1
    assert mmgit("service", "list", "--env", "prod").code == 2


def test_one_service_is_shown_with_its_address(here: Here, mmgit: Mmgit) -> None:
    here()

    shown = json.loads(mmgit("service", "show", "churn", "-o", "json").out)

    assert shown["url"] == "https://localhost:8443/api/v1/service/churn/score"
    assert shown["file"] == SERVICE
    assert shown["next"] == "churn/1"


def test_where_several_environments_have_it_one_must_be_named(here: Here, mmgit: Mmgit) -> None:
    other = "environments/prod/"
    here({f"{other}environment.yaml": "apiVersion: mmgit.dev/v1\nkind: Environment\ntarget: process\n"})
    assert mmgit("service", "show", "churn").code == 0

    here({f"{other}services/churn.yaml": "apiVersion: mmgit.dev/v1\nkind: Service\nnext: churn/1\n"})
    ended = mmgit("service", "show", "churn")

    assert ended.code == 2
    assert "--env dev   or   --env prod" in ended.err


def test_a_service_that_runs_what_is_gone_is_still_listed(here: Here, mmgit: Mmgit) -> None:
    here({SERVICE: "apiVersion: mmgit.dev/v1\nkind: Service\nnext: churn/7\n"})

    (row,) = json.loads(mmgit("service", "list", "-o", "json").out)

    assert row["next"] == "manifest churn/7 (not declared)"
