"""An image of runtime spark-py: Java in its base, pyspark from an index of one's own, started as pods start it."""

import hashlib
import io
import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from mmgit.errors import BuildError
from mmgit.images.apt import DEFAULT_PACKAGES, BaseRequest, resolve_base
from mmgit.images.assemble import Assembler, foundation_of
from mmgit.images.builder import Sources
from mmgit.images.dependencies import Asked, lock_dependencies
from mmgit.images.layout import Layout
from mmgit.images.origins import PYPI, Index
from mmgit.lock import Lock
from mmgit.recipe import Inputs, Recipe, RecipeFile, RecipeModel
from mmgit.spec.base import JAVA, BaseSpec
from tests.images.test_image_base import HERE, MIRROR, started
from tests.serving.conftest import until
from tests.serving.spark_model import PEOPLE, SCORE

pytestmark = [pytest.mark.network, pytest.mark.spark, pytest.mark.timeout(1200)]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("spark")


@pytest.fixture(scope="module")
def index(place: Path) -> Iterator[Index]:
    """PyPI, and an index before it that has a wheel of pyspark, which PyPI has not."""
    site = place / "site"
    page = site / "simple/pyspark/index.html"
    page.parent.mkdir(parents=True)
    wheel = wheel_of("pyspark", site)
    with wheel.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    page.write_text(f'<a href="/{wheel.name}#sha256={sha256}">{wheel.name}</a>')
    command = [sys.executable, "-u", "-m", "http.server", "0", "--bind", "127.0.0.1", "--directory", str(site)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
        assert server.stdout
        port = server.stdout.readline().split(" port ")[1].split()[0]
        own = Index(f"http://127.0.0.1:{port}/simple", ("127.0.0.1",), "own", ("pyspark",))
        yield Index(PYPI.url, PYPI.hosts, "pypi", (), (own,))
        server.terminate()


def wheel_of(package: str, folder: Path) -> Path:
    """An installed package as the wheel that it was installed from."""
    installed = metadata.distribution(package)
    path = folder / f"{package}-{installed.version}-py2.py3-none-any.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as wheel:
        for file in installed.files or ():
            if file.suffix != ".pyc" and ".." not in file.parts:
                wheel.write(str(installed.locate_file(file)), str(file))
    return path


@pytest.fixture(scope="module")
def trained(place: Path) -> Path:
    """A model, a schema and a sample."""
    folder = place / "trained"
    command = [sys.executable, "-m", "tests.serving.spark_model", str(folder)]
    subprocess.run(command, check=True, cwd=Path(__file__).parents[2])
    return folder


def build(base: BaseSpec, layout: Layout, index: Index, trained: Path) -> Lock:
    """An image with the model, for this machine's platform."""
    pylock = lock_dependencies(Asked("pyspark\nnumpy\n", "3.11"), index=index).pylock
    files = {"score.py": SCORE.encode(), "schema.json": (trained / "schema.json").read_bytes()}
    paths = [path for path in sorted((trained / "model").rglob("*")) if path.is_file()]
    model = {path.relative_to(trained).as_posix(): path.read_bytes() for path in paths}
    inputs = Inputs(
        "spark-py",
        "3.11",
        "score.py",
        tuple(sorted(recipe_file(*each) for each in files.items())),
        (RecipeModel("churn", tuple(recipe_file(*each) for each in model.items())),),
        hashlib.sha256(pylock).hexdigest(),
        schema="schema.json",
    )
    sources = Sources(
        base,
        {path: partial(io.BytesIO, data) for path, data in files.items()},
        {("churn", path): partial(io.BytesIO, data) for path, data in model.items()},
        pylock,
        base_name="default",
    )
    assembler = Assembler(layout, MIRROR, packages=index)
    return assembler.build(Recipe(inputs, foundation_of(base, [HERE])), sources)


def recipe_file(path: str, data: bytes) -> RecipeFile:
    return RecipeFile(path, hashlib.sha256(data).hexdigest(), len(data))


def scored(listening: Any) -> Any:
    """What the server answers, once it is ready."""

    def is_ready() -> bool:
        with suppress(HTTPError), urlopen(f"http://127.0.0.1:{listening['admin_port']}/ready", timeout=60):
            return True
        return False

    until(is_ready, "the image does not get ready", seconds=300)
    url = f"http://127.0.0.1:{listening['port']}/api/v1/service/digits/score"
    body = json.dumps({"people": PEOPLE}).encode()
    with urlopen(Request(url, body, {"content-type": "application/json"}), timeout=120) as answer:
        return json.load(answer)


def test_a_base_without_java_stops_the_build_with_the_package_to_add(place: Path, index: Index, trained: Path) -> None:
    base = resolve_base(BaseRequest(platforms=(HERE,)), MIRROR)

    with pytest.raises(BuildError, match="neither base `default` nor a dependency has Java") as error:
        build(base, Layout(place / "oci"), index, trained)

    assert error.value.hint == " ".join(
        ["mmgit base update default", *(f"--package {each}" for each in (*sorted(DEFAULT_PACKAGES), JAVA))]
    )


@pytest.mark.skipif(os.geteuid() != 0, reason="a root of one's own needs root")
def test_a_pipeline_of_pyspark_predicts_in_an_image(place: Path, index: Index, trained: Path, tmp_path: Path) -> None:
    base = resolve_base(BaseRequest(packages=(*DEFAULT_PACKAGES, JAVA), platforms=(HERE,)), MIRROR)
    layout = Layout(place / "oci")
    lock = build(base, layout, index, trained)

    hosts = tmp_path / "root/etc/hosts"  # every runtime of containers brings one
    hosts.parent.mkdir(parents=True)
    hosts.write_text("127.0.0.1 localhost\n")
    with started(lock, layout, tmp_path / "root") as listening:
        first, second = scored(listening)

    assert (first["plan"], first["since"], first["seen"]) == ("FREE", "2026-02-28", "2026-02-28T12:00:00")
    assert (first["prediction"], second["prediction"]) == (1.0, 0.0)
