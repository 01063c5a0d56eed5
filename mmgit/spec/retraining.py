"""Where a cluster trains a model, in `environment.yaml`: the image that has its code, and the claims of its files."""

from typing import Annotated, Any

from mmgit.spec.fields import Count, Cpu, KubernetesName, LabelKey, LabelValue, Memory, Name, Variable
from mmgit.spec.record import EMPTY, Spec
from mmgit.spec.service import Blueprint, VariableValue
from mmgit.spec.vocabulary import Matching

ImageByDigest = Annotated[
    str,
    Matching(
        r"[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?(?::[0-9]{1,5})?(?:/[a-z0-9]+(?:[._-]+[a-z0-9]+)*)+@sha256:[0-9a-f]{64}",
        "an image by its digest, like registry.example.com/churn-training@sha256:…",
    ),
]


class RetrainingSpec(Spec):
    """One training in the cluster of an environment, for `mmgit retrain MODEL --objects`.

    The model's `training.command` runs in `image`; what it writes lies in the claim `outputs`, a folder a run.
    """

    model: Name
    """Which model."""
    image: ImageByDigest
    """What has its training code, Python and packages; the command runs in its working folder."""
    outputs: KubernetesName
    """A PersistentVolumeClaim of the namespace: `MMGIT_OUTPUTS` is a folder of it, a new one each time."""
    data: KubernetesName | None = None
    """Another one, which the command reads as `MMGIT_DATA`."""
    cpu: Cpu = "1"
    """How many processors it asks for."""
    memory: Memory = "4Gi"
    """How much memory it gets."""
    gpu: Count | None = None
    """How many GPUs it gets."""
    variables: dict[Variable, VariableValue] = EMPTY
    """Variables beside those of `training`; literal, or out of a Secret."""
    labels: dict[LabelKey, LabelValue] = EMPTY
    """Labels of objects and pods."""
    blueprint: Blueprint = "kubernetes/training"
    """What makes the objects: `kubernetes/training`, `ray/training`, or one of your own."""
    parameters: dict[Name, Any] = EMPTY
    """Parameters of the blueprint."""

    def check(self) -> None:
        """No variable is set twice."""
        for name in self.variables:
            if name == "HOME" or name.startswith("MMGIT_"):
                raise ValueError(f"the command gets a variable {name} of mmgit's")
