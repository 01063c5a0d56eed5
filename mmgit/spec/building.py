"""Where a cluster builds images, in `environment.yaml`: an image of mmgit, and the Secrets with its logins."""

from typing import Annotated, Any

from mmgit.spec.fields import Cpu, KubernetesName, LabelKey, LabelValue, Memory, Name, Variable
from mmgit.spec.record import EMPTY, Spec
from mmgit.spec.retraining import ImageByDigest
from mmgit.spec.service import Blueprint, VariableValue
from mmgit.spec.vocabulary import Matching

GitAddress = Annotated[
    str,
    Matching(
        r"https://[A-Za-z0-9.-]+(?::[0-9]{1,5})?(?:/[A-Za-z0-9._~-]+)+",
        "an https address without a login",
    ),
]


class BuildingSpec(Spec):
    """How a cluster builds what services wait for, for `mmgit build --on kubernetes`."""

    image: ImageByDigest
    """What has mmgit, uv and git in its PATH."""
    registry_secret: KubernetesName
    """A Secret (kubernetes.io/dockerconfigjson) of the namespace: the login that may push images."""
    repository: GitAddress | None = None
    """Where pods get the declarations from; without it, the forge of mmgit.yaml."""
    git_secret: KubernetesName | None = None
    """A Secret with the key `.netrc`: logins to the repository, which may only read, and to package indexes."""
    cpu: Cpu = "1"
    """How many processors a pod asks for."""
    memory: Memory = "2Gi"
    """How much memory a pod gets."""
    variables: dict[Variable, VariableValue] = EMPTY
    """Variables of git and mmgit, as for a proxy or a mirror; literal, or out of a Secret."""
    labels: dict[LabelKey, LabelValue] = EMPTY
    """Labels of Job and pods."""
    blueprint: Blueprint = "kubernetes/build"
    """What makes the Job: `kubernetes/build`, or one of your own."""
    parameters: dict[Name, Any] = EMPTY
    """Parameters of the blueprint."""

    def check(self) -> None:
        """No variable is set twice."""
        for name in self.variables:
            if name in {"HOME", "NETRC", "UV_CACHE_DIR"}:
                raise ValueError(f"pods get a variable {name} of mmgit's")
