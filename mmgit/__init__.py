"""mmgit: a compiler from declared machine-learning models to GitOps repositories."""

__version__ = "0.1.0"
__all__ = ["Compiled", "Registered", "Updated", "__version__", "compile", "register", "update"]

TYPE_CHECKING = False  # `typing` is slow to import
if TYPE_CHECKING:
    from mmgit.api import Compiled, Registered, Updated, compile, register, update  # noqa: A004
else:

    def __getattr__(name):  # noqa: ANN001, ANN202 - not for type checkers
        """What `mmgit.api` offers, imported when it is asked for: scorers and fast commands import this package too."""
        if name in __all__:
            import importlib  # noqa: PLC0415 - as above

            return getattr(importlib.import_module("mmgit.api"), name)
        raise AttributeError(f"module 'mmgit' has no attribute {name!r}")
