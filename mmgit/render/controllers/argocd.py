"""Argo CD: one Application a group, made by an ApplicationSet from the folders, in a project that allows no more."""

from mmgit.desired import DesiredEnvironment
from mmgit.render.controllers.access import RENDERED_KINDS, namespace
from mmgit.render.controllers.git_source import GitSource
from mmgit.render.controllers.secrets import external_secrets
from mmgit.render.shapes import Object
from mmgit.repository import layout

_NAMESPACE = "argocd"
_CLUSTER = "https://kubernetes.default.svc"
# While an autoscaler takes over, what is there (it has a uid) keeps the number of replicas that it has.
_HANDOVER = {
    "group": "apps",
    "kind": "Deployment",
    "jqPathExpressions": ['select(.metadata.uid and .metadata.annotations["mmgit.dev/handover"]) | .spec.replicas'],
}


def bootstrap(environment: DesiredEnvironment, source: GitSource) -> list[Object]:
    """The services' namespace, and in Argo CD's own the project and the ApplicationSet."""
    name = f"mmgit-{environment.name}"
    metadata = {"name": name, "namespace": _NAMESPACE, "labels": {"app.kubernetes.io/managed-by": "mmgit"}}
    destination = {"server": _CLUSTER, "namespace": environment.spec.namespace}
    project = {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "AppProject",
        "metadata": metadata,
        "spec": {
            "description": f"What mmgit renders for {environment.name}",
            "sourceRepos": [source.url],
            "destinations": [destination],
            "namespaceResourceWhitelist": [
                {"group": group, "kind": kind} for group, kinds in RENDERED_KINDS.items() for kind in sorted(kinds)
            ],
        },
    }
    folders = source.path(layout.rendered_folder(environment.name))
    application_set = {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "ApplicationSet",
        "metadata": metadata,
        "spec": {
            "goTemplate": True,
            "goTemplateOptions": ["missingkey=error"],
            "generators": [
                {"git": {"repoURL": source.url, "revision": source.branch, "directories": [{"path": f"{folders}/*"}]}}
            ],
            "template": {
                "metadata": {
                    "name": f"{environment.name}-{{{{.path.basename}}}}",
                    "annotations": {
                        "argocd.argoproj.io/compare-options": "ServerSideDiff=true",
                        "argocd.argoproj.io/manifest-generate-paths": ".",
                    },
                    "finalizers": ["resources-finalizer.argocd.argoproj.io"],
                },
                "spec": {
                    "project": name,
                    "source": {
                        "repoURL": source.url,
                        "targetRevision": source.branch,
                        "path": "{{.path.path}}",
                        "directory": {"recurse": False},
                    },
                    "destination": destination,
                    "ignoreDifferences": [_HANDOVER],
                    "syncPolicy": {
                        "automated": {"prune": True, "selfHeal": True},
                        "syncOptions": [
                            "ServerSideApply=true",
                            "ApplyOutOfSyncOnly=true",
                            "RespectIgnoreDifferences=true",
                        ],
                    },
                },
            },
        },
    }
    return [namespace(environment), *external_secrets(environment), project, application_set]
