"""`ModelDataCollector` under the reference's name."""

from .modeldatacollector import ModelDataCollector

__all__ = ["ModelDataCollector"]
