"""`ModelDataCollector` where the reference had it."""

from mmgit.sdk import ModelDataCollector

__all__ = ["ModelDataCollector"]
