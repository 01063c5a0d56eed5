"""The lock file of a base: short enough for a diff to show which packages or layers moved."""

from mmgit.repository import roundtrip
from mmgit.spec import BaseSpec


def base_file(base: BaseSpec) -> bytes:
    """The bytes of `bases/<base>.lock.yaml`: platforms and packages sorted by name."""
    fields = base.plain(only_given=True)
    for platform, found in fields["platforms"].items():
        if isinstance(found, list):
            fields["platforms"][platform] = sorted(found, key=lambda package: package["name"])
    return roundtrip.new(fields)
