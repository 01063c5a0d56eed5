"""Distributions of scipy.stats: told their attributes, they run one of these, which SciPy makes of a text of its own.

Source: `rv_generic._attach_argparser_methods` and `parse_arg_template` of SciPy.
"""

import re

from mmgit.formats.values import LOST, Made

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


def is_distribution(made: Made) -> bool:
    """Whether what an object was told has SciPy's own text, as far as that is known."""
    text = made.attributes.get(_TEXT)
    return isinstance(made.state, dict) and LOST not in made.state and isinstance(text, str) and _OWN(text) is not None
