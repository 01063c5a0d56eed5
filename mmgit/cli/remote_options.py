"""The two ways to make an edit on the remote instead of in the work tree."""

from collections.abc import Callable

import click

from mmgit.errors import UsageError

_WAYS = ("is_proposed", "is_pushed")


def remotely(command: Callable[..., None]) -> Callable[..., None]:
    """`--pull-request` and `--push`, as `is_proposed` and `is_pushed`."""
    proposed = click.option(
        *("--pull-request", "is_proposed"),
        is_flag=True,
        callback=_only_one,
        help="Propose it on the forge, with the plan and the gates.",
    )
    pushed = click.option(
        *("--push", "is_pushed"),
        is_flag=True,
        callback=_only_one,
        help="Commit it to the remote's default branch at once.",
    )
    return proposed(pushed(command))


def _only_one(context: click.Context, _: click.Parameter, is_given: bool) -> bool:  # noqa: FBT001 - click's signature
    if is_given and any(context.params.get(way) for way in _WAYS):
        raise UsageError("--pull-request asks for a review and --push does not", "choose one of them")
    return is_given
