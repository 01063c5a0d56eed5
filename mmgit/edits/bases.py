"""The lock file of a base: short enough for a diff to show which packages moved."""

from mmgit.repository import roundtrip
from mmgit.spec import BaseSpec


def base_file(base: BaseSpec) -> bytes:
    """The bytes of `bases/<base>.lock.yaml`: platforms and packages sorted by name."""
    fields = base.plain()
    for platform in fields["platforms"]:
        fields["platforms"][platform] = sorted(fields["platforms"][platform], key=lambda package: package["name"])
    return roundtrip.new(fields)
