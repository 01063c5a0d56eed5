"""Whether what calls a service now can go on when a candidate runs in its place: two schema.json in, the answer out."""

from mmgit.contract.comparing import Contract, compare
from mmgit.contract.wording import Difference

__all__ = ["Contract", "Difference", "compare"]
