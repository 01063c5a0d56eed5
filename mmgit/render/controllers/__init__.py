"""What a person applies once so that a GitOps controller applies the rendered folders from then on.

One file a controller, with everything in the order in which it must exist; never inside `rendered/`.
"""

from mmgit.desired import DesiredEnvironment
from mmgit.render.controllers import argocd, flux
from mmgit.render.controllers.admission import policies
from mmgit.render.controllers.by_hand import bootstrap_path, steps
from mmgit.render.controllers.git_source import GitSource
from mmgit.render.emit import emit
from mmgit.render.shapes import Object
from mmgit.render.target import FileTree
from mmgit.repository.header import with_header

__all__ = ["GitSource", "bootstrap_path", "controller_objects", "render_controllers", "render_policies", "steps"]

_CONTROLLERS = {"argocd": argocd.bootstrap, "flux": flux.bootstrap}


def controller_objects(environment: DesiredEnvironment, source: GitSource) -> dict[str, list[Object]]:
    """The objects by path; none unless the environment is a Kubernetes namespace."""
    if environment.spec.target != "kubernetes":
        return {}
    return {
        bootstrap_path(environment.name, name): _CONTROLLERS[name](environment, source)
        for name in sorted(set(environment.spec.controllers))
    }


def render_controllers(environment: DesiredEnvironment, source: GitSource) -> FileTree:
    """`environments/<env>/controllers/…` with their headers."""
    objects = controller_objects(environment, source)
    return {path: with_header(emit(each).encode()) for path, each in objects.items()}


def render_policies(environment: DesiredEnvironment) -> FileTree:
    """What admission controllers are given, with headers; needs no forge."""
    return {path: with_header(emit(each).encode()) for path, each in policies(environment).items()}
