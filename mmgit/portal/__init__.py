"""The static site of a repository: what is declared and what git remembers in, path -> bytes out. Pure."""

from mmgit.portal.contents import Contents
from mmgit.portal.site import site_of

__all__ = ["Contents", "site_of"]
