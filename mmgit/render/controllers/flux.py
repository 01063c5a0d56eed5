"""Flux: one source narrowed to what is rendered for the environment, and one Kustomization a group."""

from mmgit.desired import DesiredEnvironment
from mmgit.render.controllers.access import access, namespace, own
from mmgit.render.controllers.git_source import GitSource
from mmgit.render.controllers.secrets import external_secrets, sealed_secrets
from mmgit.render.shapes import Object
from mmgit.repository import layout

_ACCOUNT = "mmgit"


def bootstrap(environment: DesiredEnvironment, source: GitSource) -> list[Object]:
    """Everything that Flux needs, in the environment's own namespace."""
    folder = source.path(layout.rendered_folder(environment.name))
    folders = [folder]
    if environment.spec.secrets.sops:
        folders.append(source.path(layout.secrets_folder(environment.name)))
    git_repository: Object = {
        "apiVersion": "source.toolkit.fluxcd.io/v1",
        "kind": "GitRepository",
        **own(environment, "mmgit"),
        "spec": {
            "interval": "1m",
            "timeout": "60s",
            "url": source.url,
            "ref": {"branch": source.branch},
            "sparseCheckout": folders,
            "ignore": _all_but(folders),
        },
    }
    if environment.spec.git_secret:
        git_repository["spec"]["secretRef"] = {"name": environment.spec.git_secret}
    groups = [_kustomization(environment, group, f"./{folder}/{group}") for group in environment.groups]
    secrets = [*external_secrets(environment), *sealed_secrets(environment, source)]
    return [namespace(environment), *access(environment, _ACCOUNT), *secrets, git_repository, *groups]


def _kustomization(environment: DesiredEnvironment, group: str, path: str) -> Object:
    return {
        "apiVersion": "kustomize.toolkit.fluxcd.io/v1",
        "kind": "Kustomization",
        **own(environment, f"mmgit-{group}"),
        "spec": {
            "interval": "10m",
            "retryInterval": "1m",
            "timeout": "10m",
            "path": path,
            "prune": True,
            "wait": True,
            "force": False,
            "serviceAccountName": _ACCOUNT,
            "sourceRef": {"kind": "GitRepository", "name": "mmgit"},
        },
    }


def _all_but(folders: list[str]) -> str:
    """Lines of .gitignore that leave nothing but `folders`: git wants every level opened by itself."""
    lines = ["/*"]
    for folder in folders:
        above = ""
        for name in folder.split("/"):
            lines += [f"{above}/*"] if above else []
            above = f"{above}/{name}"
            lines.append(f"!{above}")
    return "\n".join(dict.fromkeys(lines)) + "\n"
