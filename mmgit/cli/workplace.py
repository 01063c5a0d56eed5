"""What building commands need of this machine: the repository, its layout, package archives, Docker's credentials."""

import os
import sys
from pathlib import Path

from mmgit.deliver import git
from mmgit.images.origins import DEBIAN, Mirror
from mmgit.images.workshop import Workshop
from mmgit.repository.files import Root


def workshop_of(root: Root) -> Workshop:
    """The workshop of the repository at `root`. MMGIT_DEBIAN_MIRROR and MMGIT_DEBIAN_SECURITY name other mirrors."""
    repository = git.find(root.path)
    git_dir = repository.git_dir if repository else root.path / ".git"
    config = os.environ.get("DOCKER_CONFIG")
    return Workshop(
        root=root,
        mirror=mirror(),
        lfs=git_dir / "lfs" / "objects",
        docker_config=Path(config) if config else Path.home() / ".docker",
        warn=lambda text: print(f"warning: {text}", file=sys.stderr),
    )


def mirror() -> Mirror:
    """Debian's archive as this machine reaches it."""
    from mmgit.images.apt import host_proxy  # noqa: PLC0415 - asks apt

    return Mirror(
        debian=os.environ.get("MMGIT_DEBIAN_MIRROR", DEBIAN.debian),
        security=os.environ.get("MMGIT_DEBIAN_SECURITY", DEBIAN.security),
        proxy=host_proxy(),
    )
