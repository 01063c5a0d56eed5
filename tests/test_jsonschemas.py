import subprocess
import sys

_ASKED = """
import sys
from mmgit.jsonschemas import jsonschema_rs
assert jsonschema_rs.is_valid({"type": "integer"}, 1)
assert not [name for name in sys.modules if name.startswith("email.") or name == "socket"], sorted(sys.modules)
import email.utils
assert email.utils.formataddr(("Ann", "ann@example.org")) == "Ann <ann@example.org>"
"""
_GIVEN_LATER = """
import sys
from mmgit.jsonschemas import _Instead
instead = _Instead("email.utils")
assert instead.formataddr(("", "ann@example.org")) == "ann@example.org"
assert not hasattr(instead, "__path__")
"""
_THERE = """
import email.utils
from mmgit.jsonschemas import jsonschema_rs
assert sys.modules["email.utils"] is email.utils
"""


def _python(program: str) -> None:
    subprocess.run([sys.executable, "-c", program], check=True)


def test_schemas_are_checked_without_importing_what_http_needs() -> None:
    _python(_ASKED)


def test_what_it_took_the_place_of_is_given_to_whoever_asks() -> None:
    _python(_GIVEN_LATER)


def test_a_module_that_is_there_already_stays() -> None:
    _python("import sys\n" + _THERE)
