"""What a compile remembers of files is never more than what it can know of them."""

import subprocess
import sys
from pathlib import Path
from struct import pack

from mmgit import state


def test_a_file_of_the_moment_in_which_it_was_read_is_not_believed() -> None:
    facts = pack("4q", 100, 100, 5, 1)
    listings = {"folder": (["file"], facts)}

    settled = state.believed(listings, listings, (), began_ns=2**40, now_ns=2**40)
    racy = state.believed(listings, listings, (), began_ns=100, now_ns=2**40)

    assert settled == listings
    assert racy == {"folder": (["file"], bytes(32))}


def test_what_somebody_else_wrote_during_a_compile_is_seen_by_the_next() -> None:
    old, new = pack("4q", 1, 1, 5, 1), pack("4q", 9, 9, 6, 2)

    kept = state.believed({"f": (["a"], old)}, {"f": (["a"], new)}, (), began_ns=2**40, now_ns=2**40)
    ours = state.believed({"f": (["a"], old)}, {"f": (["a"], new)}, {"f/a"}, began_ns=2**40, now_ns=2**40)

    assert (kept, ours) == ({"f": (["a"], old)}, {"f": (["a"], new)})


def test_the_answer_that_nothing_has_changed_imports_nothing_slow() -> None:
    slow = "{'click', 'dataclasses', 'inspect', 'json', 'pathlib', 're', 'typing', 'pydantic', 'jinja2', 'subprocess'}"
    top = str(Path(state.__file__).parents[1])
    code = f"import sys; sys.path.insert(0, {top!r}); import mmgit.cli.main; print(sorted({slow} & set(sys.modules)))"

    answer = subprocess.run([sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, check=True)

    assert answer.stdout == "[]\n"
