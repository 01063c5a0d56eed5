"""`SampleDefinition` under the reference's name."""

from mmgit.sdk import SampleDefinition

__all__ = ["SampleDefinition"]
