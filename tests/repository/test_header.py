"""mmgit recognises what it wrote."""

import hashlib
import json

import pytest

from mmgit.repository.header import header_state, with_header, with_json_header

BODY = b"kind: Deployment\n"
JSON = b'{\n  "a": "b"\n}\n'


def test_the_header_names_the_hash_of_the_rest() -> None:
    first, _, rest = with_header(BODY).partition(b"\n")

    assert first == b"# mmgit 1 sha256:" + hashlib.sha256(BODY).hexdigest().encode()
    assert rest == BODY


@pytest.mark.parametrize("body", [BODY, b"", b"\n", with_header(BODY), bytes(range(256))])
def test_what_mmgit_wrote_is_ours(body: bytes) -> None:
    assert header_state(with_header(body)) == "ours"


def test_json_carries_the_hash_in_its_first_member() -> None:
    data = with_json_header(JSON)

    named = hashlib.sha256(JSON.removeprefix(b"{\n")).hexdigest()
    assert json.loads(data) == {"mmgit": f"1 sha256:{named}", "a": "b"}
    assert header_state(data) == "ours"


@pytest.mark.parametrize(
    "edited",
    [
        with_json_header(JSON).replace(b'"b"', b'"c"'),
        with_json_header(JSON).replace(b'",\n', b'", \n'),
        with_json_header(JSON).replace(b'"1 ', b'"one '),
        with_header(BODY).replace(b"\n", b'",\n'),
        with_header(BODY) + b"\n",
        with_header(BODY)[:-1],
        with_header(BODY).replace(b"Deployment", b"DaemonSet"),
        with_header(BODY).replace(b"\n", b"\r\n"),
        with_header(BODY).replace(b"sha256:", b"sha256: "),
        with_header(BODY).partition(b"\n")[0],
        b"# mmgit \n",
    ],
)
def test_a_file_whose_hash_does_not_match_was_edited(edited: bytes) -> None:
    assert header_state(edited) == "edited"


@pytest.mark.parametrize(
    "foreign", [b"", BODY, b"\n" + with_header(BODY), b"\xef\xbb\xbf" + with_header(BODY), b"# mmgit"]
)
def test_a_file_without_the_line_is_foreign(foreign: bytes) -> None:
    assert header_state(foreign) == "foreign"


def test_a_header_of_another_format_is_recognised_by_its_hash() -> None:
    assert header_state(with_header(BODY).replace(b"mmgit 1", b"mmgit 12")) == "ours"
