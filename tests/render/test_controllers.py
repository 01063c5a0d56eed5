import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from mmgit.desired import DesiredEnvironment, DesiredService, Uploads
from mmgit.render.controllers import GitSource, controller_objects, render_controllers, steps
from mmgit.render.controllers.access import RENDERED_KINDS
from mmgit.spec.service import SecretKey

MakeService = Callable[..., DesiredService]
MakeEnvironment = Callable[..., DesiredEnvironment]
SOURCE = GitSource("https://git.example.com/acme/models", "main")


@pytest.fixture
def production(service: MakeService, environment: MakeEnvironment) -> DesiredEnvironment:
    return environment(service("churn"), service("iris", group="default"))


def by_kind(environment: DesiredEnvironment, controller: str, source: GitSource = SOURCE) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for each in controller_objects(environment, source)[
        f"environments/production/controllers/{controller}/bootstrap.yaml"
    ]:
        found.setdefault(each["kind"], []).append(each)
    return found


def test_each_declared_controller_has_one_file(
    production: DesiredEnvironment, service: MakeService, environment: MakeEnvironment
) -> None:
    only_flux = environment(service(), controllers=("flux",))

    assert list(render_controllers(production, SOURCE)) == [
        "environments/production/controllers/argocd/bootstrap.yaml",
        "environments/production/controllers/flux/bootstrap.yaml",
    ]
    assert list(render_controllers(only_flux, SOURCE)) == ["environments/production/controllers/flux/bootstrap.yaml"]
    assert all(text.startswith(b"# mmgit 1 sha256:") for text in render_controllers(production, SOURCE).values())


def test_other_targets_have_no_controllers(environment: MakeEnvironment) -> None:
    assert render_controllers(environment(target="compose"), SOURCE) == {}


@pytest.mark.parametrize("controller", ["flux", "argocd"])
def test_the_namespace_comes_first_refuses_unrestricted_pods_and_is_never_pruned(
    production: DesiredEnvironment, controller: str
) -> None:
    text = render_controllers(production, SOURCE)[f"environments/production/controllers/{controller}/bootstrap.yaml"]
    first = next(iter(yaml.safe_load_all(text)))

    assert (first["kind"], first["metadata"]["name"]) == ("Namespace", "ml-production")
    assert first["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    assert first["metadata"]["annotations"] == {
        "argocd.argoproj.io/sync-options": "Prune=false",
        "kustomize.toolkit.fluxcd.io/prune": "disabled",
    }


def test_flux_applies_each_group_with_an_account_of_its_own_and_substitutes_nothing(
    production: DesiredEnvironment,
) -> None:
    kustomizations = by_kind(production, "flux")["Kustomization"]

    assert [each["metadata"]["name"] for each in kustomizations] == ["mmgit-default", "mmgit-retention"]
    spec = kustomizations[1]["spec"]
    assert spec["path"] == "./environments/production/rendered/retention"
    assert (spec["prune"], spec["wait"], spec["timeout"]) == (True, True, "10m")
    assert spec["serviceAccountName"] == by_kind(production, "flux")["ServiceAccount"][0]["metadata"]["name"]
    assert spec["sourceRef"] == {"kind": "GitRepository", "name": "mmgit"}
    assert "postBuild" not in spec


def test_fluxs_source_is_narrowed_to_what_is_rendered(production: DesiredEnvironment, tmp_path: Path) -> None:
    (source,) = by_kind(production, "flux", GitSource("https://x/y", "main", "ml"))["GitRepository"]
    folder = "ml/environments/production/rendered"
    files = (
        f"{folder}/retention/churn.yaml",
        "ml/mmgit.yaml",
        "ml/environments/production/environment.yaml",
        "a/b.yaml",
    )
    for file in files:
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).touch()
    (tmp_path / ".gitignore").write_text(source["spec"]["ignore"])
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)

    listed = subprocess.run(
        ["git", "ls-files", "-o", "--exclude-standard"], cwd=tmp_path, check=True, capture_output=True, text=True
    )

    assert listed.stdout.split() == [f"{folder}/retention/churn.yaml"]
    assert source["spec"]["sparseCheckout"] == [folder]
    assert source["spec"]["ref"] == {"branch": "main"}


def test_the_account_may_do_in_its_namespace_what_is_rendered_and_nothing_else(production: DesiredEnvironment) -> None:
    flux = by_kind(production, "flux")
    rules = flux["Role"][0]["rules"]

    assert {each["metadata"]["namespace"] for kind in ("Role", "RoleBinding") for each in flux[kind]} == {
        "ml-production"
    }
    written = [rule for rule in rules if "create" in rule["verbs"]]
    assert {rule["apiGroups"][0]: set(rule["resources"]) for rule in written} == {
        group: set(kinds.values()) for group, kinds in RENDERED_KINDS.items()
    }
    read = [rule for rule in rules if rule not in written]
    assert {(name, *rule["verbs"]) for rule in read for name in rule["resources"]} == {
        ("pods", "get", "list", "watch"),
        ("replicasets", "get", "list", "watch"),
    }
    assert not any("*" in value for rule in rules for values in rule.values() for value in values)


EXTERNAL = {
    "store": {"name": "vault"},
    "items": [
        {"name": "churn-db", "entry": "ml/churn"},
        {"name": "registry", "type": "kubernetes.io/dockerconfigjson"},
    ],
}


def test_flux_reads_a_private_repository_with_the_secret_that_is_named(
    service: MakeService, environment: MakeEnvironment, production: DesiredEnvironment
) -> None:
    private = environment(service(), git_secret="mmgit-git")

    assert by_kind(private, "flux")["GitRepository"][0]["spec"]["secretRef"] == {"name": "mmgit-git"}
    assert "secretRef" not in by_kind(production, "flux")["GitRepository"][0]["spec"]


@pytest.mark.parametrize("controller", ["flux", "argocd"])
def test_external_secrets_name_entries_of_a_store_and_keep_their_type(
    service: MakeService, environment: MakeEnvironment, controller: str
) -> None:
    made = by_kind(environment(service(), secrets={"external": EXTERNAL}), controller)

    plain, pull = (each["spec"] for each in made["ExternalSecret"])
    assert plain["secretStoreRef"] == {"kind": "ClusterSecretStore", "name": "vault"}
    assert (plain["target"]["name"], plain["dataFrom"][0]["extract"]["key"]) == ("churn-db", "ml/churn")
    assert "template" not in plain["target"]
    assert (pull["target"]["name"], pull["dataFrom"][0]["extract"]["key"]) == ("registry", "registry")
    assert pull["target"]["template"]["type"] == "kubernetes.io/dockerconfigjson"


@pytest.mark.parametrize("secrets", [{}, {"external": EXTERNAL}, {"sops": {"key": "age"}}])
def test_the_account_that_applies_services_never_touches_secrets(
    service: MakeService, environment: MakeEnvironment, secrets: dict[str, Any]
) -> None:
    roles = by_kind(environment(service(), secrets=secrets), "flux")["Role"]

    named = {each["metadata"]["name"]: {name for rule in each["rules"] for name in rule["resources"]} for each in roles}
    assert not named.pop("mmgit") & {"secrets", "externalsecrets"}
    assert named == ({"mmgit.secrets": {"secrets"}} if "sops" in secrets else {})


def test_flux_decrypts_the_files_of_the_environment_into_its_namespace(
    service: MakeService, environment: MakeEnvironment
) -> None:
    made = by_kind(environment(service(), secrets={"sops": {"key": "age"}}), "flux", GitSource("https://x/y", "main"))
    folders = ["environments/production/rendered", "environments/production/secrets"]
    (found,) = (each for each in made["Kustomization"] if each["metadata"]["name"] == "mmgit.secrets")

    assert found["spec"]["decryption"] == {"provider": "sops", "secretRef": {"name": "age"}}
    assert found["spec"]["path"] == "./environments/production/secrets"
    assert (found["spec"]["targetNamespace"], found["spec"]["serviceAccountName"]) == ("ml-production", "mmgit.secrets")
    assert made["GitRepository"][0]["spec"]["sparseCheckout"] == folders
    assert made["GitRepository"][0]["spec"]["ignore"].splitlines() == [
        "/*",
        "!/environments",
        "/environments/*",
        "!/environments/production",
        "/environments/production/*",
        "!/environments/production/rendered",
        "!/environments/production/secrets",
    ]


def test_a_person_makes_by_hand_what_nobody_else_makes(service: MakeService, environment: MakeEnvironment) -> None:
    variables = {"URL": SecretKey(secret="churn-db", key="url"), "KEY": SecretKey(secret="other", key="key")}
    declared = {
        "git_secret": "mmgit-git",
        "gateway": None,
        "ingress": {"class": "nginx", "tls": {"secret": "models-tls"}},
        "secrets": {"external": EXTERNAL, "sops": {}},
    }
    made = environment(service(variables=variables, parameters={"pull-secret": "registry"}), **declared)

    flux = dict(steps(made, "flux", SOURCE.url, sealed=["models-tls"]))
    argocd = dict(steps(made, "argocd", SOURCE.url, sealed=[]))

    path = "environments/production/controllers/flux/bootstrap.yaml"
    assert next(iter(flux.values())) == f"kubectl apply --server-side -f {path}"
    assert [what.partition(":")[0] for what in flux][1:] == ["Secret mmgit-git", "Secret sops-age", "Secret other"]
    assert all(" -n ml-production " in command for command in list(flux.values())[1:])
    assert "--from-file=key=FILE" in flux["Secret other: variables of services"]
    assert "argocd.argoproj.io/secret-type=repository" in list(argocd.values())[1]
    assert "Secret models-tls: the certificate of models.acme.example" in argocd


def test_what_opens_a_store_is_made_by_hand_where_it_is_opened(
    service: MakeService, environment: MakeEnvironment
) -> None:
    uploads = Uploads("r.example.com/uploader@sha256:0", "s3://bucket", "", "keys", 300.0, 2**26)
    declared = {"telemetry": {"store": "s3://bucket", "credentials": "keys"}}

    written = dict(steps(environment(service(uploads=uploads), **declared), "flux", SOURCE.url, sealed=[]))
    unused = dict(steps(environment(service(), **declared), "flux", SOURCE.url, sealed=[]))

    assert "secret generic -n ml-production keys --from-env-file=" in written["Secret keys: opens s3://bucket"]
    assert "Secret keys: opens s3://bucket" not in unused


def test_argo_cd_leaves_the_replicas_of_what_is_there_alone_during_a_handover_and_nothing_else(
    production: DesiredEnvironment,
) -> None:
    spec = by_kind(production, "argocd")["ApplicationSet"][0]["spec"]["template"]["spec"]

    (ignored,) = spec["ignoreDifferences"]
    (path,) = ignored["jqPathExpressions"]
    assert (ignored["group"], ignored["kind"]) == ("apps", "Deployment")
    assert path == 'select(.metadata.uid and .metadata.annotations["mmgit.dev/handover"]) | .spec.replicas'
    assert "RespectIgnoreDifferences=true" in spec["syncPolicy"]["syncOptions"]


def test_argo_cd_makes_an_application_of_each_group_in_a_project_that_allows_no_more(
    production: DesiredEnvironment,
) -> None:
    argocd = by_kind(production, "argocd")
    (project,), (applications,) = argocd["AppProject"], argocd["ApplicationSet"]
    spec = applications["spec"]["template"]["spec"]

    assert applications["spec"]["generators"] == [
        {
            "git": {
                "repoURL": SOURCE.url,
                "revision": "main",
                "directories": [{"path": "environments/production/rendered/*"}],
            }
        }
    ]
    assert spec["project"] == project["metadata"]["name"]
    assert spec["destination"] in project["spec"]["destinations"]
    assert "ServerSideApply=true" in spec["syncPolicy"]["syncOptions"]
    annotations = applications["spec"]["template"]["metadata"]["annotations"]
    assert annotations["argocd.argoproj.io/compare-options"] == "ServerSideDiff=true"
    assert project["spec"]["sourceRepos"] == [SOURCE.url]
    allowed = {(each["group"], each["kind"]) for each in project["spec"]["namespaceResourceWhitelist"]}
    assert allowed == {(group, kind) for group, kinds in RENDERED_KINDS.items() for kind in kinds}
