"""What stands in for httptools calls the same methods with the same bytes, however a request is cut into pieces."""

import importlib.util
import itertools
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import httptools
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import mmgit
from tests.serving.front.test_http_corpus import REFUSED, TAKEN, head


def loaded(name: str) -> ModuleType:
    """The module under another name than that of the package that it stands in for."""
    path = Path(mmgit.__file__).parent / "stand_ins" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(f"stand_in_{name}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # what looks up names of its classes asks there
    spec.loader.exec_module(module)
    return module


OURS = loaded("httptools")
CPU_SECONDS = 5
"""By far enough for what takes milliseconds; with the square of its length, the line would take a minute."""


class Heard:
    """Everything that a parser said, with what comes in parts put together."""

    def __init__(self, package: Any) -> None:
        self.said: list[tuple[str, Any]] = []
        self.package = package
        self.parser = package.HttpRequestParser(self)

    def on_message_begin(self) -> None:
        self.said.append(("begin", None))

    def on_url(self, part: bytes) -> None:
        self._add("url", part)

    def on_header(self, name: bytes, value: bytes) -> None:
        self.said.append(("header", (name, value.strip(b" \t"))))

    def on_headers_complete(self) -> None:
        parser = self.parser
        facts = (parser.get_method(), parser.get_http_version(), parser.should_keep_alive(), parser.should_upgrade())
        self.said.append(("head", facts))

    def on_body(self, part: bytes) -> None:
        self._add("body", part)

    def on_message_complete(self) -> None:
        self.said.append(("end", None))

    def _add(self, what: str, part: bytes) -> None:
        before = self.said.pop()[1] if self.said and self.said[-1][0] == what else b""
        self.said.append((what, before + part))

    def feed(self, data: bytes) -> "Heard":
        """Take bytes until the parser refuses them, which ends with one word."""
        try:
            self.parser.feed_data(data)
        except self.package.HttpParserUpgrade as stop:
            self.said.append(("upgrade", data[stop.args[0] :]))
        except self.package.HttpParserError:
            self.said.append(("refused", None))
        return self


def in_parts(package: Any, data: bytes, cuts: list[int]) -> list[tuple[str, Any]]:
    heard = Heard(package)
    places = sorted({min(cut, len(data)) for cut in (0, *cuts, len(data))})
    for begin, end in itertools.pairwise(places):
        if heard.feed(data[begin:end]).said[-1:] and heard.said[-1][0] in {"refused", "upgrade"}:
            break
    return heard.said


NEXT = head(b"content-length: 2", start=b"POST /next?a=b HTTP/1.1") + b"xy"
WHOLE = {
    **TAKEN,
    "a body": head(b"content-length: 5", start=b"PUT /a%20b HTTP/1.1") + b"\r\nabc",
    "chunks": head(b"transfer-encoding: chunked") + b"3\r\nabc\r\nA;x=y\r\n0123456789\r\n0\r\nTrailer: 1\r\n\r\n",
    "an old client": head(b"connection: keep-alive", start=b"GET / HTTP/1.0"),
    "the last request": head(b"connection: close"),
    "no version": b"GET /\r\n\r\n",
    "a tunnel": head(start=b"CONNECT test:443 HTTP/1.1"),
}


@pytest.mark.parametrize("name", WHOLE)
@settings(max_examples=25, deadline=None)
@given(cuts=st.lists(st.integers(0, 200), max_size=5))
def test_what_is_allowed_is_heard_as_from_httptools_in_any_pieces(name: str, cuts: list[int]) -> None:
    data = WHOLE[name] + NEXT

    assert in_parts(OURS, data, cuts) == in_parts(httptools, data, cuts)


@pytest.mark.parametrize("name", REFUSED)
@settings(max_examples=10, deadline=None)
@given(cuts=st.lists(st.integers(0, 200), max_size=5))
def test_what_httptools_refuses_is_refused_in_any_pieces(name: str, cuts: list[int]) -> None:
    data = REFUSED[name] + NEXT
    if ("refused", None) in in_parts(httptools, data, []):
        assert in_parts(OURS, data, cuts)[-1] == ("refused", None)


@settings(max_examples=300, deadline=None)
@given(name=st.sampled_from(sorted(WHOLE)), at=st.integers(0, 120), damage=st.binary(min_size=1, max_size=3))
def test_no_damage_makes_it_take_what_httptools_refuses(name: str, at: int, damage: bytes) -> None:
    data = WHOLE[name][:at] + damage + WHOLE[name][at:] + NEXT

    theirs, ours = in_parts(httptools, data, []), in_parts(OURS, data, [])

    assert ours == theirs or ("refused", None) in ours
    if ("refused", None) in theirs:
        assert [each for each in ours if each[0] == "end"] <= [each for each in theirs if each[0] == "end"]


def test_an_error_of_who_is_called_is_the_context_of_the_parsers() -> None:
    class Failing(Heard):
        def on_headers_complete(self) -> None:
            raise ZeroDivisionError

    for package in (httptools, OURS):
        heard = Failing(package)
        with pytest.raises(package.HttpParserCallbackError) as raised:
            heard.parser.feed_data(NEXT)
        assert isinstance(raised.value.__context__, ZeroDivisionError)


def test_blanks_before_what_no_header_holds_are_looked_at_once() -> None:
    hostile = "b'GET / HTTP/1.1\\r\\nx:' + b' ' * 120_000 + b'\\x01\\r\\n\\r\\n'"
    code = (
        "import resource; from unittest.mock import Mock; from mmgit.stand_ins import httptools;"
        f"resource.setrlimit(resource.RLIMIT_CPU, ({CPU_SECONDS}, {CPU_SECONDS}));"
        f"httptools.HttpRequestParser(Mock()).feed_data({hostile})"
    )

    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)

    assert ended.returncode == 1
    assert ended.stderr.splitlines()[-1].endswith("HttpParserError: Invalid header")
