"""Distributions of scipy.stats: told their attributes, they run one of these, which SciPy makes of a text of its own.

Source: `rv_generic._attach_argparser_methods` and `parse_arg_template` of SciPy.
"""

import re
from typing import Any

from mmgit.formats.values import LOST, Made, Name

_TEXT = "_parse_arg_template"
_OWN = re.compile(
    r"""
def _parse_args\(self, (?P<shapes>(?:[A-Za-z_]\w*, )*) (?P<taken>loc=0(?:, scale=1)?)\):
    return \((?P=shapes)\), (?P<given>loc, (?:scale|1))

def _parse_args_rvs\(self, (?P=shapes) (?P=taken), size=None\):
    return self\._argcheck_rvs\((?P=shapes) (?P=given), size=size\)

def _parse_args_stats\(self, (?P=shapes) (?P=taken), moments='mv'\):
    return \((?P=shapes)\), (?P=given), moments
""",
    re.ASCII,
).fullmatch


def is_told_code(made: Made, *, may_be_one: bool) -> bool:
    """Whether an object that is a distribution was told a text that is not SciPy's own, or may have been.

    What a function gives `may_be_one`, too, if there is one that it may have been given.
    """
    if not (made.is_distribution or (may_be_one and not made.is_new)):
        return False
    state = made.state
    if isinstance(state, dict) and LOST not in state:
        text = made.attributes.get(_TEXT)
        return made.is_distribution if text is None else not (isinstance(text, str) and _OWN(text))
    return made.is_distribution or not _is_no_mapping(state)


def _is_no_mapping(state: Any) -> bool:  # noqa: ANN401 - a stand-in for any value
    """Whether the attributes of an object cannot be updated with a state: it holds what is no pair."""
    return state is None or (isinstance(state, tuple) and any(isinstance(each, (int, Name)) for each in state))
