"""What a user may write: one frozen type for each kind of declared file, and pydantic has the last word."""

from mmgit.spec.base import BaseSpec
from mmgit.spec.environment import EnvironmentSpec
from mmgit.spec.evidence import EvidenceSpec
from mmgit.spec.image import ImageSpec
from mmgit.spec.manifest import ManifestSpec
from mmgit.spec.model import ModelSpec, VersionSpec
from mmgit.spec.project import ProjectSpec
from mmgit.spec.record import Refused, Spec
from mmgit.spec.service import ServiceSpec

__all__ = [
    "BaseSpec",
    "EnvironmentSpec",
    "EvidenceSpec",
    "ImageSpec",
    "ManifestSpec",
    "ModelSpec",
    "ProjectSpec",
    "Refused",
    "ServiceSpec",
    "Spec",
    "VersionSpec",
]
