"""What people import: `generate_schema`, which writes schema.json and sample.json, where they train, and
`ModelDataCollector` where they serve. Standard library only.
"""

from mmgit.sdk.collecting import ModelDataCollector
from mmgit.sdk.samples import DataTypes, SampleDefinition
from mmgit.sdk.schema import generate_schema

__all__ = ["DataTypes", "ModelDataCollector", "SampleDefinition", "generate_schema"]
