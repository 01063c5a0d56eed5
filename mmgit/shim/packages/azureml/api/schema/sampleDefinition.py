"""`SampleDefinition` under the reference's name; it had `DataTypes` there too."""

from mmgit.sdk import DataTypes, SampleDefinition

__all__ = ["DataTypes", "SampleDefinition"]
