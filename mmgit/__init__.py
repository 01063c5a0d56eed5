"""mmgit: a compiler from declared machine-learning models to GitOps repositories."""

__version__ = "0.1.0"
