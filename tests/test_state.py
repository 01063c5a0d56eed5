"""What a compile remembers of files is never more than what it can know of them."""

import subprocess
import sys
from pathlib import Path
from struct import pack

from mmgit import state
from mmgit.looking import listing_of


def test_a_file_of_the_moment_in_which_it_was_read_is_not_believed() -> None:
    listings = {"folder": listing(100)}

    settled = state.believed(listings, listings, (), known={}, began_ns=2**40, now_ns=2**40)
    racy = state.believed(listings, listings, (), known={}, began_ns=100, now_ns=2**40)

    assert settled == listings
    assert racy == {"folder": listing_of(["a"], [bytes(32)])}


def test_what_was_believed_and_is_still_so_is_not_doubted_again() -> None:
    listings = {"folder": listing(100)}

    again = state.believed(listings, listings, (), known=listings, began_ns=100, now_ns=2**40)
    other = state.believed(listings, listings, (), known={"folder": listing(99)}, began_ns=100, now_ns=2**40)

    assert again == listings
    assert other == {"folder": listing_of(["a"], [bytes(32)])}


def test_what_somebody_else_wrote_during_a_compile_is_seen_by_the_next() -> None:
    old, new = {"f": listing(1)}, {"f": listing(9)}

    kept = state.believed(old, new, (), known=old, began_ns=2**40, now_ns=2**40)
    ours = state.believed(old, new, {"f/a"}, known=old, began_ns=2**40, now_ns=2**40)

    assert (kept, ours) == (old, new)


def listing(time_ns: int) -> bytes:
    return listing_of(["a"], [pack("4q", time_ns, time_ns, 5, 1)])


def test_the_answer_that_nothing_has_changed_imports_nothing_slow() -> None:
    slow = "{'click', 'dataclasses', 'inspect', 'json', 'pathlib', 're', 'typing', 'pydantic', 'jinja2', 'subprocess'}"
    top = str(Path(state.__file__).parents[1])
    code = f"import sys; sys.path.insert(0, {top!r}); import mmgit.cli.main; print(sorted({slow} & set(sys.modules)))"

    answer = subprocess.run([sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, check=True)

    assert answer.stdout == "[]\n"
