"""Policies for admission controllers: for the images of the environment's registry, with the keys that it declares."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from mmgit.desired import DesiredEnvironment, DesiredService
from mmgit.render.controllers import GitSource, controller_objects, render_policies, steps
from mmgit.render.controllers.admission import policies
from mmgit.repository.files import Root
from mmgit.repository.load import load
from mmgit.spec import EnvironmentSpec
from mmgit.spec.record import Refused

MakeService = Callable[..., DesiredService]
MakeEnvironment = Callable[..., DesiredEnvironment]

BODY = "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE" + "J" * 28 + "\n" + "w" * 58 + "=="
KEY = f"-----BEGIN PUBLIC KEY-----\n{BODY}\n-----END PUBLIC KEY-----\n"
OTHER = KEY.replace("J", "K")
BOTH = {"keys": [KEY, OTHER], "admission": ["policy-controller", "kyverno"]}
FOLDER = "environments/production/controllers"
SOURCE = GitSource("https://git.example.com/acme/models", "main")


@pytest.fixture
def signed(service: MakeService, environment: MakeEnvironment) -> DesiredEnvironment:
    return environment(service("churn"), signatures=BOTH)


def test_each_declared_controller_has_one_policy_with_a_header(signed: DesiredEnvironment) -> None:
    files = render_policies(signed)

    assert list(files) == [f"{FOLDER}/kyverno/policy.yaml", f"{FOLDER}/policy-controller/policy.yaml"]
    assert all(text.startswith(b"# mmgit 1 sha256:") for text in files.values())


@pytest.mark.parametrize("signatures", [None, {"keys": [KEY]}, {"keys": [KEY], "admission": []}])
def test_nothing_is_written_unless_it_is_declared(environment: MakeEnvironment, signatures: Any) -> None:
    assert render_policies(environment(signatures=signatures)) == {}


def test_kyverno_asks_for_any_of_the_keys_and_for_no_log(signed: DesiredEnvironment) -> None:
    (policy,) = policies(signed)[f"{FOLDER}/kyverno/policy.yaml"]
    spec = policy["spec"]

    assert [each["cosign"]["key"]["data"] for each in spec["attestors"]] == [KEY, OTHER]
    assert all(each["cosign"]["ctlog"]["insecureIgnoreTlog"] for each in spec["attestors"])
    assert spec["validations"][0]["expression"] == (
        "(images.containers + images.initContainers + images.ephemeralContainers).all(image, "
        "!image.startsWith('registry.example.com/models/') || "
        "verifyImageSignatures(image, [attestors.key1, attestors.key2]) > 0)"
    )


def test_kyverno_refuses_pods_of_the_namespace_also_when_it_cannot_ask(signed: DesiredEnvironment) -> None:
    (policy,) = policies(signed)[f"{FOLDER}/kyverno/policy.yaml"]
    spec = policy["spec"]

    assert (spec["validationActions"], spec["failurePolicy"]) == (["Deny"], "Fail")
    assert spec["matchConstraints"]["namespaceSelector"]["matchLabels"] == {
        "kubernetes.io/metadata.name": "ml-production"
    }
    assert spec["matchImageReferences"] == [{"glob": "registry.example.com/models/*"}]
    assert spec["validationConfigurations"] == {"mutateDigest": False, "required": True, "verifyDigest": True}


def test_the_policy_controller_takes_any_of_the_keys(signed: DesiredEnvironment) -> None:
    (policy,) = policies(signed)[f"{FOLDER}/policy-controller/policy.yaml"]

    assert policy["spec"] == {
        "mode": "enforce",
        "images": [{"glob": "registry.example.com/models/**"}],
        "authorities": [
            {"name": "key1", "key": {"data": KEY, "hashAlgorithm": "sha256"}},
            {"name": "key2", "key": {"data": OTHER, "hashAlgorithm": "sha256"}},
        ],
    }


def test_the_namespace_opts_in_where_the_policy_controller_judges(
    signed: DesiredEnvironment, environment: MakeEnvironment
) -> None:
    def labels(of: DesiredEnvironment) -> dict[str, str]:
        found: dict[str, str] = controller_objects(of, SOURCE)[f"{FOLDER}/flux/bootstrap.yaml"][0]["metadata"]["labels"]
        return found

    assert labels(signed)["policy.sigstore.dev/include"] == "true"
    assert "policy.sigstore.dev/include" not in labels(
        environment(signatures={"keys": [KEY], "admission": ["kyverno"]})
    )


def test_the_steps_of_a_bootstrap_name_the_policies(signed: DesiredEnvironment) -> None:
    commands = [command for _, command in steps(signed, "flux", "https://x/y", sealed=())]

    assert f"kubectl apply --server-side -f {FOLDER}/kyverno/policy.yaml" in commands
    assert f"kubectl apply --server-side -f {FOLDER}/policy-controller/policy.yaml" in commands


def test_a_key_in_a_file_is_read_as_it_was_pasted(repository: Callable[..., Path]) -> None:
    text = KEY.replace("\n", "\n      ").rstrip()
    root = repository(
        {
            "environments/dev/environment.yaml": "apiVersion: mmgit.dev/v1\nkind: Environment\ntarget: process\n"
            f"signatures:\n  keys:\n    - |\n      {text}\n"
        }
    )

    source = load(Root(root)).source

    assert source is not None
    declared = source.environments["dev"].spec.signatures
    assert declared is not None
    assert declared.keys == (KEY,)


@pytest.mark.parametrize(
    "key",
    [
        "",
        "cosign.pub",
        KEY.replace("PUBLIC", "PRIVATE"),
        KEY.replace("PUBLIC KEY", "ENCRYPTED SIGSTORE PRIVATE KEY"),
        KEY.replace("JJ", "J'"),
        KEY + KEY,
        KEY.replace("DQgAE", "DQgAX"),
    ],
)
def test_what_is_no_public_key_over_p_256_is_refused(key: str) -> None:
    declared = {"apiVersion": "mmgit.dev/v1", "kind": "Environment", "target": "process", "signatures": {"keys": [key]}}

    with pytest.raises(Refused, match=r"public key over P-256|a public key"):
        EnvironmentSpec.read(declared)


def test_only_clusters_admit() -> None:
    declared = {"apiVersion": "mmgit.dev/v1", "kind": "Environment", "target": "process", "signatures": BOTH}

    with pytest.raises(Refused, match="admission is for target kubernetes"):
        EnvironmentSpec.read(declared)


def test_the_policies_fit_the_definitions_of_their_kinds(signed: DesiredEnvironment) -> None:
    schema = json.loads((Path(__file__).parent / "admission.json").read_bytes())
    objects = [each for found in policies(signed).values() for each in found]
    wrong = {**objects[0], "spec": {**objects[0]["spec"], "unknown": 1}}

    def problems(*found: Any) -> list[str]:
        by_kind = {f"{each['apiVersion']}/{each['kind']}": [each] for each in found}
        return [error.message for error in jsonschema.Draft7Validator(schema).iter_errors(by_kind)]

    assert problems(*objects) == []
    assert problems(wrong) == ["Additional properties are not allowed ('unknown' was unexpected)"]


def test_the_policies_are_yaml_that_says_the_same(signed: DesiredEnvironment) -> None:
    for path, objects in policies(signed).items():
        assert list(yaml.safe_load_all(render_policies(signed)[path])) == objects
