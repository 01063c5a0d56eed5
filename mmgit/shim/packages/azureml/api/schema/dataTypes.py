"""`DataTypes` under the reference's name."""

from mmgit.sdk import DataTypes

__all__ = ["DataTypes"]
