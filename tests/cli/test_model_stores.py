"""Model files in servers that speak what S3, Azure and Google Cloud Storage do, through cuts and in little memory."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from mmgit.cli import copying
from mmgit.edits.model_files import FoundFile, measured
from mmgit.edits.remote_files import files_at
from mmgit.errors import BuildError, MmgitError, UsageError
from mmgit.images.credentials import Access
from mmgit.images.layout import Layout
from mmgit.images.models import ModelStore
from mmgit.images.stores import RANGE_BYTES, objects_at
from mmgit.recipe import RecipeFile
from tests.archive.servers import SERVERS, Server

pytestmark = pytest.mark.stores
MODEL_BYTES = 240 * 2**20
PEAK_BYTES = 180 * 2**20
"""Of a process that has all clients of stores loaded, which alone take some 80 MiB."""
CANARY = "canaryhunter2canary"
Mmgit = Callable[..., Any]


@pytest.fixture(params=sorted(SERVERS))
def server(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    started = SERVERS[request.param](tmp_path / "server")
    where = {"s3": "AWS_ENDPOINT_URL", "google": "STORAGE_EMULATOR_HOST"}.get(request.param, "UNUSED")
    for name, value in {**started.variables, where: started.endpoint}.items():
        monkeypatch.setenv(name, value)
    yield started
    started.stop()


def file_of(path: Path, size_bytes: int) -> FoundFile:
    """A file that no range of is like another one."""
    with path.open("wb") as file:
        for number in range(size_bytes // 2**20):
            file.write(number.to_bytes(8, "big") * 2**17)
        file.write(b"the rest")
    return measured(path, path.name)


def no_https(uri: str) -> Any:
    raise AssertionError(uri)


def test_a_model_too_large_for_git_is_uploaded_registered_and_read_back(
    server: Server, project: Path, mmgit: Mmgit, tmp_path: Path
) -> None:
    settings = project / "mmgit.yaml"
    settings.write_text(f"{settings.read_text()}store: {{git_limit: 1Mi, uri: {server.url!r}}}\n")
    found = file_of(tmp_path / "model.bin", 3 * RANGE_BYTES)

    first = mmgit("model", "register", "churn", str(tmp_path / "model.bin"))
    again = mmgit("model", "register", "other", f"{server.url}/{found.sha256}")

    assert (first.code, again.code) == (0, 0), first.err + again.err
    (row,) = yaml.safe_load((project / "models/churn/versions/2/version.yaml").read_text())["files"]
    assert row == {
        "path": "model.bin",
        "sha256": found.sha256,
        "size": found.size_bytes,
        "uri": f"{server.url}/{found.sha256}",
        "format": "other",
    }
    assert not (project / "models/churn/versions/2/model.bin").exists()
    (row,) = yaml.safe_load((project / "models/other/versions/1/version.yaml").read_text())["files"]
    assert (row["sha256"], row["size"]) == (found.sha256, found.size_bytes)
    store = ModelStore(Layout(tmp_path / "oci"), tmp_path)
    with store.open_at(row["uri"], RecipeFile("model.bin", row["sha256"], row["size"])) as opened:
        assert opened.read() == (tmp_path / "model.bin").read_bytes()


def test_what_is_in_the_store_already_is_not_sent_again(server: Server, tmp_path: Path) -> None:
    found = file_of(tmp_path / "model.bin", 2**20)
    uri = f"{server.url}/{found.sha256}"
    copying.upload({uri: tmp_path / "model.bin"})
    before = server.files.info(uri)

    copying.upload({uri: tmp_path / "model.bin"})

    assert server.files.info(uri) == before


def test_a_file_that_changed_since_it_was_measured_is_taken_away_again(server: Server, tmp_path: Path) -> None:
    (tmp_path / "model.bin").write_bytes(b"other")

    with pytest.raises(MmgitError, match="changed while it was registered"):
        copying.upload({f"{server.url}/{'a' * 64}": tmp_path / "model.bin"})

    assert server.names() == []


def test_a_folder_of_objects_is_a_model(server: Server) -> None:
    for name in ("saved/model.pb", "saved/variables/one", "other"):
        server.files.pipe_file(f"{server.url}/{name}", name.encode())

    found = list(files_at(f"{server.url}/saved/", no_https, Access()))

    assert [(file.path, file.uri) for file in found] == [
        (name, f"{server.url}/{name}") for name in ("saved/model.pb", "saved/variables/one")
    ]


def test_a_cut_network_costs_the_range_that_was_under_way_alone(server: Server, tmp_path: Path) -> None:
    found = file_of(tmp_path / "model.bin", 3 * RANGE_BYTES)
    copying.upload({f"{server.url}/{found.sha256}": tmp_path / "model.bin"})
    reading = objects_at(f"{server.url}/{found.sha256}").blocks(found.size_bytes)
    got = [next(reading)]

    server.network.way = "reset"
    server.network.way = "open"
    got += list(reading)

    assert b"".join(got) == (tmp_path / "model.bin").read_bytes()


def test_other_bytes_than_those_that_were_registered_are_refused(server: Server, tmp_path: Path) -> None:
    server.files.pipe_file(f"{server.url}/model.bin", b"WEIGHTS")
    store = ModelStore(Layout(tmp_path / "oci"), tmp_path)

    with pytest.raises(BuildError, match=r"/model\.bin: expected 7 bytes with .* got other bytes"):
        store.open_at(f"{server.url}/model.bin", RecipeFile("model.bin", "a" * 64, 7))


def test_no_credential_is_in_what_is_said(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    key = f"AccountKey={'Y2FuYXJ5aHVudGVyMmNhbmFyeQ=='}"
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", CANARY)
    monkeypatch.setenv("AWS_SESSION_TOKEN", CANARY)
    monkeypatch.setenv(
        "AZURE_STORAGE_CONNECTION_STRING",
        server.variables.get("AZURE_STORAGE_CONNECTION_STRING", "").replace("AccountKey=Eby8", key),
    )
    monkeypatch.setenv(
        "GOOGLE_CREDENTIALS", f'{{"type": "service_account", "private_key": "{CANARY}", "client_email": "x"}}'
    )
    store, said = ModelStore(Layout(tmp_path / "oci"), tmp_path), ""

    with pytest.raises(MmgitError) as built:
        store.open_at(f"{server.url}/none.bin", RecipeFile("model.bin", "a" * 64, 7))
    with pytest.raises(UsageError) as registered:
        list(files_at(f"{server.url}/none.bin", no_https, Access()))
    with pytest.raises(MmgitError) as uploaded:
        copying.upload({f"{server.url.replace('archive', 'absent')}/x": Path(__file__)})
    for each in (built, registered, uploaded):
        said += f"{each.value.message} {each.value.hint}"

    assert "none.bin" in said
    for secret in (CANARY, "Y2FuYXJ5", "Eby8vdM0"):
        assert secret not in said + "".join(capsys.readouterr())


@pytest.mark.parametrize("way", ["up", "measured", "down"])
def test_hundreds_of_megabytes_pass_through_bounded_memory(server: Server, way: str, tmp_path: Path) -> None:
    found = file_of(tmp_path / "model.bin", MODEL_BYTES)
    uri = f"{server.url}/{found.sha256}"
    if way != "up":
        server.files.put_file(str(tmp_path / "model.bin"), uri)

    done = subprocess.run(
        [sys.executable, "-c", CHILD, way, uri, str(tmp_path), found.sha256, str(found.size_bytes)],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )

    peak_bytes = int(done.stdout)
    print(f"{way}: {peak_bytes / 2**20:.0f} MiB")  # noqa: T201 - a figure for who measures
    assert 50 * 2**20 < peak_bytes < PEAK_BYTES


CHILD = """
import re, sys
from pathlib import Path
from mmgit.cli import copying
from mmgit.edits.remote_files import files_at
from mmgit.images.credentials import Access
from mmgit.images.layout import Layout
from mmgit.images.models import ModelStore
from mmgit.recipe import RecipeFile

way, uri, folder, sha256, size = sys.argv[1:]
if way == "up":
    copying.upload({uri: Path(folder) / "model.bin"})
elif way == "measured":
    (found,) = files_at(uri, open, Access())
    assert found.sha256 == sha256
else:
    ModelStore(Layout(Path(folder) / "oci"), Path(folder)).open_at(uri, RecipeFile("m", sha256, int(size))).close()
print(int(re.search(r"VmHWM:\\s+([0-9]+) kB", Path("/proc/self/status").read_text())[1]) * 1024)
"""
