"""Keys and a day in, what is wrong with their age out: the gate `key_age`, and the warnings of `mmgit service keys`."""

from collections.abc import Sequence
from datetime import date

from mmgit.plural import counted
from mmgit.review.verdicts import State
from mmgit.spec.fields import seconds_of
from mmgit.spec.service import Key

_DAY_SECONDS = 86_400
_SOON_DAYS = 14


def judge(key_age: str, keys: Sequence[Key], today: date, *, command: str) -> tuple[State, str]:
    """Whether every key that is in force was made in time; `command` is the one for the keys of their service."""
    in_force = [key for key in keys if not _is_over(key, today)]
    if not in_force:
        return "failed", f"no key is in force: {command} --regen primary"
    for key in in_force:
        if said := too_old(key, key_age, today):
            return "failed", f"{said}: {command} --regen {key.name}"
    oldest = max(_age_days(key, today) or 0 for key in in_force)
    return "passed", f"the oldest key is {counted(oldest, 'day')} old, at most {key_age}"


def too_old(key: Key, key_age: str, today: date) -> str:
    """Why a key is not young enough; empty if it is."""
    age_days = _age_days(key, today)
    if age_days is None:
        return f"the {key.name} key has no date"
    if age_days < 0:
        return f"the {key.name} key is of {key.created}, which is yet to come"
    is_old = age_days > seconds_of(key_age) / _DAY_SECONDS
    return f"the {key.name} key is {counted(age_days, 'day')} old, at most {key_age}" if is_old else ""


def concerns(key: Key, key_age: str | None, today: date) -> str:
    """What whoever owns a key should know of it today; empty for nothing."""
    if _is_over(key, today):
        return f"the {key.name} key ended on {key.expires}"
    if key_age and (said := too_old(key, key_age, today)):
        return said
    days = (date.fromisoformat(key.expires) - today).days if key.expires else _SOON_DAYS
    return f"the {key.name} key ends in {counted(days, 'day')}" if days < _SOON_DAYS else ""


def _is_over(key: Key, today: date) -> bool:
    return key.expires is not None and key.expires < today.isoformat()


def _age_days(key: Key, today: date) -> int | None:
    return (today - date.fromisoformat(key.created)).days if key.created else None
