"""What people import where they train: `generate_schema` writes schema.json and sample.json. Standard library only."""

from mmgit.sdk.samples import DataTypes, SampleDefinition
from mmgit.sdk.schema import generate_schema

__all__ = ["DataTypes", "SampleDefinition", "generate_schema"]
