"""What building commands need of this machine: the repository, its layout, package archives, Docker's credentials."""

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from mmgit.cli.progress import warn
from mmgit.deliver import git
from mmgit.deliver.git import Repository
from mmgit.deliver.history import refuse_committed_state
from mmgit.errors import RegistryError
from mmgit.images import transfer
from mmgit.images.credentials import Access, docker_credentials
from mmgit.images.customise import RunSteps
from mmgit.images.evidence import keys
from mmgit.images.evidence.keys import Signer
from mmgit.images.layout import Layout
from mmgit.images.origins import DEBIAN, Mirror
from mmgit.images.tar import Entry
from mmgit.images.workshop import Workshop, registry_at
from mmgit.lock import Lock
from mmgit.progress import Watch, unwatched
from mmgit.repository.files import Root
from mmgit.repository.source import Source


def workshop_of(
    root: Root, watch: Watch = unwatched, everything: Callable[[], Source | None] = lambda: None
) -> Workshop:
    """The workshop of the repository at `root`. MMGIT_DEBIAN_MIRROR, _SECURITY and _KEYRING name other mirrors."""
    repository = repository_of(root)
    git_dir = repository.git_dir if repository else root.path / ".git"
    return Workshop(
        root=root,
        mirror=mirror(),
        lfs=git_dir / "lfs" / "objects",
        docker_config=docker_config(),
        warn=warn,
        watch=watch,
        everything=everything,
        variables=os.environ,
        signer=signer,
        steps_runner=_steps_runner,
    )


def _steps_runner(images: Layout) -> RunSteps:
    def run(*given: Any) -> Iterable[Entry]:  # noqa: ANN401 - as `RunSteps` has it
        from mmgit.local.steps import run_steps  # noqa: PLC0415 - few have steps

        return run_steps(images, *given)

    return run


def access() -> Access:
    """Who the user of this machine is to stores of models."""
    return Access(docker_credentials(docker_config()), os.environ)


def repository_of(root: Root) -> Repository | None:
    """Git's repository around `root`, if any. Raises `UnsafePath` if it brought what mmgit keeps for itself."""
    repository = git.find(root.path)
    if repository:
        refuse_committed_state(repository)
    return repository


def confirm(lock: Lock, manifest: str, prefix: str) -> None:
    """Get an image by digest from an environment's registry. Raises `RegistryError` if it is not there."""
    transfer.verify(lock, registry_at(prefix, manifest.partition("/")[0], docker_config()))


def is_confirmed(lock: Lock, manifest: str, prefix: str) -> bool:
    """Whether an environment's registry gives an image by digest."""
    try:
        confirm(lock, manifest, prefix)
    except RegistryError:
        return False
    return True


def signer() -> Signer | None:
    """The key of MMGIT_SIGNING_KEY, which COSIGN_PASSWORD opens; None where it is not set.

    Raises:
        UsageError: it is no key.
    """
    pem = os.environ.get(keys.VARIABLE)
    return keys.private_key(pem, os.environ.get(keys.PASSWORD)) if pem else None


def docker_config() -> Path:
    """The folder of docker's config.json, where logins to registries are."""
    config = os.environ.get("DOCKER_CONFIG")
    return Path(config) if config else Path.home() / ".docker"


def _host_proxy() -> str:
    from mmgit.images.apt import host_proxy  # noqa: PLC0415 - only who downloads packages needs it

    return host_proxy()


def mirror() -> Mirror:
    """Debian's archive as this machine reaches it."""
    return Mirror(
        debian=os.environ.get("MMGIT_DEBIAN_MIRROR", DEBIAN.debian),
        security=os.environ.get("MMGIT_DEBIAN_SECURITY", DEBIAN.security),
        keyring=os.environ.get("MMGIT_DEBIAN_KEYRING", ""),
        proxy=_host_proxy,
    )
