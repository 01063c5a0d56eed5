"""What is said of an image by its locks alone: all that it holds, in the forms that tools read, always the same."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from mmgit.frozen import replace
from mmgit.images.bases import packages_of
from mmgit.images.conda.lock import SUBDIRS, CondaPackage, lock_text
from mmgit.images.evidence.components import Parts, parts_of
from mmgit.images.evidence.manifests import Artifact
from mmgit.images.evidence.statements import statements
from mmgit.lock import Blob, digest_of

if TYPE_CHECKING:
    from tests.images.conftest import World

Json = dict[str, Any]


@pytest.fixture
def parts(world: "World") -> Parts:
    return parts_of(world.recipe, world.sources, world.serving)


IMAGE = Blob(f"sha256:{'1' * 64}", 493)


def said(artifact: Artifact) -> Json:
    value: Json = json.loads(artifact.blobs[1])
    return value


@pytest.fixture
def bill(parts: Parts) -> Json:
    return said(statements(IMAGE, parts)[0])


@pytest.fixture
def made(parts: Parts) -> Json:
    return said(statements(IMAGE, parts)[1])


def by_name(bill: Json) -> dict[str, Json]:
    return {each["name"]: each for each in bill["components"]}


def properties(component: Json) -> list[str]:
    return [each["value"] for each in component["properties"]]


def test_a_bill_of_materials_fits_the_schema_of_cyclonedx(parts: Parts) -> None:
    document = statements(IMAGE, parts)[0].blobs[1].decode()

    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(document) is None


def test_it_names_everything_in_the_image_by_digest(bill: Json, world: "World") -> None:
    found = by_name(bill)

    assert {*found} == {
        *("debian", "python3-minimal", "tiny", "frontier", "quick", "mmgit", "score.py", "models/digits/model.bin"),
    }
    assert found["score.py"]["hashes"] == [{"alg": "SHA-256", "content": world.inputs.files[0].sha256}]
    assert found["models/digits/model.bin"]["hashes"][0]["content"] == world.inputs.models[0].files[0].sha256
    assert found["tiny"]["purl"] == "pkg:pypi/tiny@1.0?file_name=tiny-1.0-py3-none-any.whl"
    assert properties(found["tiny"]) == ["dependencies", "linux/amd64", "linux/arm64"]
    assert properties(found["quick"]) == ["serving", "linux/amd64", "linux/arm64"]


def test_commands_that_were_run_are_named_and_make_the_bill_incomplete(world: "World") -> None:
    world.steps = b"RUN true\n"

    bill = said(statements(IMAGE, parts_of(world.recipe, world.sources, world.serving))[0])

    assert by_name(bill)["steps.Dockerfile"]["hashes"] == [{"alg": "SHA-256", "content": world.inputs.steps}]
    assert bill["compositions"][0]["aggregate"] == "incomplete"


def test_variables_and_labels_leave_it_complete(world: "World") -> None:
    world.steps = b"ENV MODE=fast\n"

    bill = said(statements(IMAGE, parts_of(world.recipe, world.sources, world.serving))[0])

    assert bill["compositions"][0]["aggregate"] == "complete"


def test_each_platform_has_its_own_debian_packages(bill: Json, world: "World") -> None:
    found = [each for each in bill["components"] if each["name"] == "python3-minimal"]

    assert [(each["purl"], properties(each)) for each in found] == [
        (f"pkg:deb/debian/python3-minimal@3.11.2?arch={arch}&distro=bookworm", ["base", f"linux/{arch}"])
        for arch in ("amd64", "arm64")
    ]
    assert [each["hashes"][0]["content"] for each in found] == [
        packages_of(world.base, platform)[0].sha256 for platform in world.base.platforms
    ]


def test_packages_of_condas_own_are_named_for_each_platform(parts: Parts) -> None:
    files = {"linux/amd64": "numpy-2.1.0-py311h71ddf71_1.conda", "linux/arm64": "ld_impl-2.4-h1_0.tar.bz2"}
    packages = {
        platform: [CondaPackage(f"https://me:key@conda.example.com/c/{SUBDIRS[platform]}/{file}", "c" * 64, 7)]
        for platform, file in files.items()
    }
    lock = lock_text(["https://conda.example.com/c"], packages)

    found = by_name(said(statements(IMAGE, replace(parts, conda=lock))[0]))

    assert found["numpy"]["purl"] == "pkg:conda/numpy@2.1.0?build=py311h71ddf71_1&subdir=linux-64&type=conda"
    assert found["ld_impl"]["purl"] == "pkg:conda/ld_impl@2.4?build=h1_0&subdir=linux-aarch64&type=tar.bz2"
    assert (
        found["numpy"]["externalReferences"][0]["url"] == f"https://conda.example.com/c/linux-64/{files['linux/amd64']}"
    )
    assert properties(found["ld_impl"]) == ["dependencies", "linux/arm64"]


def test_the_image_is_its_subject(bill: Json) -> None:
    image = bill["metadata"]["component"]

    assert image["version"] == IMAGE.digest
    assert image["purl"] == f"pkg:oci/digits@{IMAGE.digest.replace(':', '%3A')}"
    assert bill["dependencies"][0]["dependsOn"] == sorted(each["bom-ref"] for each in bill["components"])


def test_a_provenance_says_by_which_recipe_of_what_and_by_whom(made: Json, bill: Json, world: "World") -> None:
    definition, run = (made["predicate"][key] for key in ("buildDefinition", "runDetails"))

    assert made["_type"] == "https://in-toto.io/Statement/v1"
    assert made["subject"] == [{"name": "digits", "digest": {"sha256": IMAGE.digest[7:]}}]
    assert made["predicateType"] == "https://slsa.dev/provenance/v1"
    assert definition["externalParameters"]["recipe"] == world.recipe.key
    assert definition["internalParameters"]["base"] == dict(world.recipe.foundation.base)
    assert run["builder"]["id"] == "https://mmgit.dev/builder/v1"
    assert {each["digest"]["sha256"] for each in definition["resolvedDependencies"]} == {
        each["hashes"][0]["content"] for each in bill["components"] if "hashes" in each
    }


def test_both_are_artifacts_whose_subject_is_the_image(parts: Parts) -> None:
    for artifact, type_ in zip(
        statements(IMAGE, parts), ("application/vnd.cyclonedx+json", "application/vnd.in-toto+json"), strict=True
    ):
        manifest = json.loads(artifact.manifest)
        assert manifest["artifactType"] == manifest["layers"][0]["mediaType"] == type_
        assert manifest["subject"]["digest"] == IMAGE.digest
        assert [digest_of(blob) for blob in artifact.blobs] == [
            manifest["config"]["digest"],
            manifest["layers"][0]["digest"],
        ]


def test_another_number_of_a_version_changes_nothing_and_another_file_does(world: "World") -> None:
    before = statements(IMAGE, parts_of(world.recipe, world.sources, world.serving))
    again = statements(IMAGE, parts_of(world.recipe, world.sources, world.serving))
    world.model = b"better"
    after = statements(IMAGE, parts_of(world.recipe, world.sources, world.serving))

    assert before == again
    assert [one.manifest == other.manifest for one, other in zip(before, after, strict=True)] == [False, False]


_ANYWHERE = """
import sys
from pathlib import Path
from mmgit.images.evidence.components import parts_of
from mmgit.images.evidence.statements import statements
from mmgit.images.recipes import recipe_of
from mmgit.images.serving import INSTALLED
from mmgit.lock import Blob
from mmgit.repository.files import Root
from mmgit.repository.load import load
root = Root(Path(sys.argv[1]))
source = load(root).source
for name, model in source.models.items():
    for number in model.manifests:
        recipe, sources = recipe_of(root, source, f"{name}/{number}")
        for artifact in statements(Blob(f"sha256:{0:064}", 1), parts_of(recipe, sources(), INSTALLED)):
            print(artifact.blobs[1].decode())
"""


def test_bills_and_provenances_of_this_repository_fit_and_are_the_same_under_another_zone_locale_and_hash_seed() -> (
    None
):
    top = Path(__file__).parents[3]
    outputs = set()
    for variables in (
        {"PYTHONHASHSEED": "1", "TZ": "UTC"},
        {"PYTHONHASHSEED": "77", "TZ": "Asia/Tokyo", "LC_ALL": "C"},
    ):
        env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(top), **variables}
        done = subprocess.run(
            [sys.executable, "-c", _ANYWHERE, str(top)], env=env, capture_output=True, check=True, cwd="/"
        )
        outputs.add(done.stdout)

    (output,) = outputs
    bills = [line for line in output.decode().splitlines() if '"bomFormat"' in line]
    validator = JsonStrictValidator(SchemaVersion.V1_6)
    assert len(bills) > 2
    assert validator.validate_str(max(bills, key=len)) is None
    assert all("arch=amd64" in each and "arch=arm64" in each for each in bills)
