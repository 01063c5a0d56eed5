import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mmgit.cli import telemetry_options
from mmgit.retraining.due import of_report
from mmgit.spec.drift import DriftSpec
from tests.telemetry.recorded import archive, requests, spool

Here = Callable[..., Path]
Mmgit = Callable[..., Any]


def test_figures_are_shown_by_service_and_version(here: Here, mmgit: Mmgit, store: Path) -> None:
    here()

    ended = mmgit("telemetry", "show", "churn", "--store", str(store))

    assert (ended.code, ended.err) == (0, "")
    head, *rows = [line.split() for line in ended.out.splitlines()]
    assert head == ["SERVICE", "VERSION", "REQUESTS", "REFUSED", "FAILED", "P50_MS", "P95_MS", "P99_MS"]
    assert [row[:3] for row in rows] == [["churn", "churn/3", "900"], ["churn", "churn/4", "600"]]


def test_days_and_versions_are_chosen(here: Here, mmgit: Mmgit, store: Path) -> None:
    here()
    chosen = ("--from", "2026-11-02", "--to", "2026-11-03", "--version", "churn/4", "--by", "day")

    ended = mmgit("telemetry", "show", "--store", str(store), *chosen, "-o", "json")

    rows = json.loads(ended.out)
    assert [(row["day"], row["requests"]) for row in rows] == [("2026-11-02", 200), ("2026-11-03", 200)]


@pytest.mark.parametrize(
    ("written", "folder"), [("a", "a"), ("für", "für"), ("f%C3%BCr%20alle", "für alle"), ("1%25*[a]'", "1%*[a]'")]
)
def test_an_environment_names_its_store(  # noqa: PLR0913, PLR0917 - fixtures
    here: Here, mmgit: Mmgit, store: Path, tmp_path: Path, written: str, folder: str
) -> None:
    (tmp_path / folder).symlink_to(store)
    head = "apiVersion: mmgit.dev/v1\nkind: Environment\ntarget: process\n"
    here({"environments/dev/environment.yaml": f'{head}telemetry: {{store: "file://{tmp_path}/{written}"}}\n'})

    ended = mmgit("telemetry", "show", "--by", "service", "-o", "tsv")

    assert ended.out.splitlines()[1].startswith("churn\t1500\t")


def test_environments_may_have_one_store(here: Here, mmgit: Mmgit, store: Path, tmp_path: Path) -> None:
    both = shutil.copytree(store, tmp_path / "both")
    archive(both, spool(tmp_path / "other", [{**each, "environment": "prod"} for each in requests(3, 30)]))
    text = f"apiVersion: mmgit.dev/v1\nkind: Environment\ntarget: process\ntelemetry: {{store: 'file://{both}'}}\n"
    here({f"environments/{name}/environment.yaml": text for name in ("dev", "prod")})

    found = [mmgit("telemetry", "show", "--env", name, "--by", "service", "-o", "json").out for name in ("dev", "prod")]

    assert [json.loads(out)[0]["requests"] for out in found] == [1500, 30]


def test_what_was_served_here_is_read_without_a_store(here: Here, mmgit: Mmgit) -> None:
    spool(here() / ".mmgit/spool/churn", requests(3, 40), is_open=True)

    ended = mmgit("telemetry", "show", "churn", "-o", "json")

    assert [row["requests"] for row in json.loads(ended.out)] == [40]


def test_what_was_uploaded_is_shown_beside_what_a_server_here_left(here: Here, mmgit: Mmgit, store: Path) -> None:
    head = "apiVersion: mmgit.dev/v1\nkind: Environment\ntarget: process\n"
    root = here({"environments/dev/environment.yaml": f"{head}telemetry: {{store: 'file://{store}'}}\n"})
    (root / ".mmgit/spool/churn").mkdir(parents=True)

    ended = mmgit("telemetry", "show", "--by", "service", "-o", "tsv")

    assert ended.err == ""
    assert [line[:11] for line in ended.out.splitlines()[1:]] == ["churn\t1500\t"]


def test_an_empty_spool_is_called_no_store(here: Here, mmgit: Mmgit) -> None:
    text = "apiVersion: mmgit.dev/v1\nkind: Environment\ntarget: process\n"
    root = here({f"environments/{name}/environment.yaml": text for name in ("dev", "prod")})
    (root / ".mmgit/spool/churn").mkdir(parents=True)

    ended = mmgit("telemetry", "show")

    assert "nothing is recorded of any service on this machine\n" in ended.err
    assert "hint: --env ENV   reads the store of an environment; else telemetry: {}" in ended.err


def test_where_nothing_was_recorded_that_is_said(here: Here, mmgit: Mmgit) -> None:
    here()

    ended = mmgit("telemetry", "show", "churn")

    assert ended.code == 20
    assert "nothing is recorded of churn" in ended.err
    assert "telemetry: {}" in ended.err


def test_what_devices_recorded_is_said_to_be_theirs(here: Here, mmgit: Mmgit) -> None:
    head = "apiVersion: mmgit.dev/v1\nkind: Environment\ntarget: iot-edge\nregistry: registry.example.com\n"
    here({"environments/plant/environment.yaml": head})

    ended = mmgit("telemetry", "show", "--env", "plant")

    assert ended.code == 20
    assert "what devices record stays in volumes of theirs; telemetry: {otlp: …}" in ended.err


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--since", "soon"], "--since soon: expected a duration"),
        (["--since", "7d", "--to", "2026-11-01"], "either --since, or --from and --to"),
        (["--from", "1.11."], "1.11.: expected a date"),
        (["--engine", "trino"], "needs an address"),
    ],
)
def test_options_that_do_not_fit_are_refused(here: Here, mmgit: Mmgit, options: list[str], said: str) -> None:
    here()

    ended = mmgit("telemetry", "show", *options)

    assert ended.code == 2
    assert said in ended.err


def test_without_the_extra_the_command_that_brings_it_is_said(
    here: Here, mmgit: Mmgit, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here()
    monkeypatch.setitem(sys.modules, "ibis", None)

    ended = mmgit("telemetry", "show", "--store", str(store))

    assert ended.code == 2
    assert "needs ibis, which is not installed" in ended.err
    assert "uv tool install --force '.[telemetry]'" in ended.err


def test_commands_are_shown_without_importing_an_engine(here: Here) -> None:
    here()
    script = "import sys; from mmgit.cli.main import run; run(['telemetry', '--help']); print('ibis' in sys.modules)"

    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert done.stdout.splitlines()[-1] == "False"


def test_what_an_engine_says_is_said_on_one_line(here: Here, mmgit: Mmgit, tmp_path: Path) -> None:
    here()
    place = tmp_path / "service=a/model=a/version=1/identifier=requests/date=2026-11-01"
    place.mkdir(parents=True)
    (place / "a.parquet").write_bytes(b"no parquet")

    ended = mmgit("telemetry", "show", "--store", str(tmp_path))

    assert ended.code == 20
    assert ended.err.startswith("error: duckdb could not do it: ")
    assert len(ended.err.splitlines()) == 2


def test_since_begins_with_a_whole_day(here: Here, mmgit: Mmgit, store: Path) -> None:
    here()

    ended = mmgit("telemetry", "show", "--store", str(store), "--since", "36500d")

    assert "churn/4" in ended.out
    assert telemetry_options.days_of("2026-11-01..2026-11-02") == ("2026-11-01", "2026-11-02")


def test_a_version_is_compared_with_another_one(here: Here, mmgit: Mmgit, store: Path, tmp_path: Path) -> None:
    here()
    files = ("--html", f"{tmp_path}/drift.html", "--report", f"{tmp_path}/drift.json")

    ended = mmgit("telemetry", "report", "churn", "--store", str(store), "--against", "churn/3", *files)

    assert (ended.code, ended.err) == (0, "")
    assert ended.out.splitlines()[1].split()[:3] == ["threshold", "inputs", "much"]
    said = json.loads((tmp_path / "drift.json").read_text())
    assert (said["kind"], said["version"], said["reference"]) == ("Drift", "churn/4", "churn/3")
    assert DriftSpec.read(said).psi == said["features"][0]["psi"] > 1
    assert said["total"]["requests"] == 600
    assert of_report(tmp_path / "drift.json", "churn") == {"rows": said["rows"], "drift": said["psi"]}
    assert "churn/4 in churn" in (tmp_path / "drift.html").read_text()


def test_a_version_is_compared_with_its_own_earlier_days(here: Here, mmgit: Mmgit, store: Path) -> None:
    here()
    which = ("--store", str(store), "--version", "churn/3", "--from", "2026-11-02")

    ended = mmgit("telemetry", "report", "churn", *which, "--against", "2026-11-01..2026-11-01", "-o", "json")

    said = json.loads(ended.out)
    assert said["reference"] == "churn/3 from 2026-11-01 to 2026-11-01"
    assert [day["day"] for day in said["days"]] == ["2026-11-02", "2026-11-03"]
    assert {each["level"] for each in said["features"]} <= {"none", "some"}


def test_what_was_collected_is_compared_where_it_is_named(here: Here, mmgit: Mmgit, store: Path) -> None:
    here()
    which = ("--store", str(store), "--version", "churn/3", "--collected", "inputs")

    ended = mmgit("telemetry", "report", "churn", *which, "--against", "churn/3", "-o", "json")

    assert [each["name"] for each in json.loads(ended.out)["features"]] == ["plan", "years"]


def test_a_version_is_compared_with_the_reference_that_it_declares(
    here: Here, mmgit: Mmgit, git: Callable[..., str], tmp_path: Path
) -> None:
    root = here()
    git("init", "-q")
    (tmp_path / "model.bin").write_bytes(b"weights")
    lines = [f"{18 + number % 63},{number}" for number in range(200)]
    (tmp_path / "train.csv").write_text("\n".join(["Age,target", *lines]) + "\n")

    made = mmgit("model", "register", "churn", f"{tmp_path}/model.bin", "--reference", f"{tmp_path}/train.csv")
    spool(root / ".mmgit/spool/churn", requests(2, 300))
    ended = mmgit("telemetry", "report", "churn", "-o", "json")

    assert made.code == 0
    assert (root / "models/churn/versions/2/train.csv").is_file()
    assert mmgit("check").code == 0
    said = json.loads(ended.out)
    assert said["reference"] == "the reference of churn/2"
    assert [(each["name"], each["level"]) for each in said["features"]] == [("Age", "none")]
    assert said["only_reference"] == ["target"]
    (root / "models/churn/versions/2/train.csv").write_text("Age\n1\n")
    assert "train.csv of churn/2 is not the file that was registered" in mmgit("telemetry", "report", "churn").err
    assert "M315" in mmgit("check").err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "model version churn/4 declares no reference to compare with"),
        (["--against", "yesterday"], "--against yesterday is neither a version, nor days, nor a file"),
        (["--against", "nowhere.csv"], "there is no file nowhere.csv"),
        (["--against", "2026-11-01..2026-11-99"], "expected a date"),
        (["--against", "churn/9"], "nothing is recorded of churn, churn/9"),
        (["--version", "churn/9", "--against", "churn/3"], "nothing is recorded of churn, churn/9"),
    ],
)
def test_a_reference_that_is_none_is_refused(
    here: Here, mmgit: Mmgit, store: Path, arguments: list[str], said: str
) -> None:
    here()

    ended = mmgit("telemetry", "report", "churn", "--store", str(store), *arguments)

    assert ended.code in (2, 20)
    assert said in ended.err


@pytest.mark.parametrize(
    "arguments",
    [
        ("report", "churn", "--html", "nowhere/drift.html"),
        ("report", "churn", "--report", "nowhere/drift.json"),
        ("export", "churn", "nowhere/rows.csv"),
    ],
)
def test_a_folder_that_is_missing_is_said_before_anything_is_read(
    here: Here, mmgit: Mmgit, arguments: tuple[str, ...]
) -> None:
    here()

    ended = mmgit("telemetry", *arguments)

    assert ended.code == 2
    assert f"{arguments[-1]}: there is no folder nowhere" in ended.err
    assert "mkdir -p nowhere" in ended.err


def test_a_reference_with_nothing_in_common_is_no_report(here: Here, mmgit: Mmgit, store: Path, tmp_path: Path) -> None:
    here()
    (tmp_path / "others.csv").write_text("weight\n1\n")

    ended = mmgit("telemetry", "report", "churn", "--store", str(store), "--against", f"{tmp_path}/others.csv")

    assert (ended.code, ended.out) == (20, "")
    assert "nothing of what churn was asked is in others.csv" in ended.err
    assert "in the reference: weight" in ended.err


def test_a_service_that_is_not_declared_is_said(here: Here, mmgit: Mmgit) -> None:
    here({"environments/other/environment.yaml": "apiVersion: mmgit.dev/v1\nkind: Environment\ntarget: process\n"})

    ended = mmgit("telemetry", "show", "chrun")

    assert (ended.code, "there is no service `chrun`" in ended.err) == (2, True)
    assert "did you mean `churn`?" in ended.err


def test_reference_data_is_parquet_or_csv(here: Here, mmgit: Mmgit, tmp_path: Path) -> None:
    here()
    (tmp_path / "model.bin").write_bytes(b"weights")

    for reference in (tmp_path, tmp_path / "model.bin"):
        ended = mmgit("model", "register", "churn", f"{tmp_path}/model.bin", "--reference", str(reference))

        assert ended.code == 2
        assert "is no file of .parquet or .csv" in ended.err


def test_records_are_exported_for_labels(here: Here, mmgit: Mmgit, store: Path, tmp_path: Path) -> None:
    here()
    which = ("--store", str(store), "--version", "churn/3")

    whole = mmgit("telemetry", "export", "churn", f"{tmp_path}/all.parquet", *which)
    flat = mmgit("telemetry", "export", "churn", f"{tmp_path}/rows.csv", "--rows", *which)
    collected = mmgit("telemetry", "export", "churn", f"{tmp_path}/years.jsonl", "--collected", "inputs", *which)

    assert whole.out == f"900 lines in {tmp_path}/all.parquet\n"
    assert flat.code == collected.code == 0
    assert '"key","row","Age","age"' in (tmp_path / "rows.csv").read_text().splitlines()[0]
    assert {"years", "plan", "request_id"} <= json.loads((tmp_path / "years.jsonl").read_text().splitlines()[0]).keys()
