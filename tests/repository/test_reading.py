"""What the fast path accepts, the exact one accepts with an equal value."""

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from mmgit.edits.keys import RANDOM_BYTES, Dates, mint
from mmgit.repository import nodes, reading
from mmgit.repository.subset import Fault

DATES = Dates("2026-11-30")

# ruff: noqa: SLF001 - the fast path is what is tested

WRITTEN = """
yes no on y ~ null true 1 012 0o14 0x1f +1 1e3 .5 1. 1.5 1.5-2 x_1.5 "1.5" '1.5'
-0.25 1_000 1:30 2027-02-28 3.10 << = .inf - 'q' "q" a#b é …
&x *x | 12345678901234567890 999999999999999999999999999999
""".split()  # noqa: SIM905 - readable as a list of words
SCALARS = st.one_of(
    st.sampled_from([*WRITTEN, "a: b", "a #b", "[1, yes]", "{a: on}", "&x a", "!!str 1", "> x", "1e3 "]),
    st.text(alphabet="abnoye01_:.-+ '\"#,[]{}é\u2028\ufeff~=<", max_size=8),
)


COMMENTS = st.sampled_from(
    ["", "# plain\n", "#\n# any of `a: {b}`, &c *d !e %f | > ? \\\n", "# not\x0bone\n", "# \x85\n"]
)


def written(keys: list[str], values: list[str]) -> str:
    return "\n".join(f"{key}: {value}" for key, value in zip(keys, values, strict=True))


@given(st.lists(st.one_of(st.sampled_from(["a", "b", "yes", "1", '"1"']), SCALARS), max_size=3), st.data())
def test_what_the_fast_path_accepts_the_exact_one_accepts_equally(keys: list[str], data: st.DataObject) -> None:
    values = data.draw(st.lists(SCALARS, min_size=len(keys), max_size=len(keys)))
    text = (data.draw(COMMENTS) + written(keys, values)).encode(errors="surrogatepass")

    fast = reading._fast(text)

    if fast is not None:
        exact = nodes.compose(text).plain()
        assert exact == fast
        assert repr(exact) == repr(fast)


@given(st.lists(SCALARS, min_size=1, max_size=3))
def test_every_other_reader_takes_an_accepted_file_the_same_way(values: list[str]) -> None:
    text = written([f"k{n}" for n in range(len(values))], values)
    try:
        read = reading.parse(text.encode())
    except Fault:
        return

    assert yaml.safe_load(text) == read
    assert YAML(typ="safe", pure=True).load(text) == read


def test_a_comment_at_the_beginning_may_say_anything() -> None:
    text = b"# metrics (`auc: {better: higher}`), & more!\nkind: Model\n"

    assert reading._fast(text) == nodes.compose(text).plain()


def test_quoted_numbers_are_read_fast_beside_words_that_hold_them() -> None:
    text = b'libc: "2.36"\nlibraries: [{name: libc6, version: 2.36-9+deb12u9, path: pool/libc6_2.36.deb}]\n'

    assert reading._fast(text) == nodes.compose(text).plain()


@pytest.mark.parametrize("bare", [b"libc: 2.36", b"libc: [2.36]", b"libc: {2.36: x}", b'libc: {"x":2.36}'])
def test_a_number_that_is_quoted_only_elsewhere_is_left_to_the_exact_reader(bare: bytes) -> None:
    assert reading._fast(b'minor: "2.36"\n' + bare) is None


@pytest.mark.parametrize("text", ["1000000000000000000", "-1000000000000000000", "12345678901234567890"])
def test_a_number_that_not_every_reader_holds_is_refused_by_both_paths(text: str) -> None:
    with pytest.raises(Fault) as fault:
        reading.parse(f"a: {text}\n".encode())

    assert fault.value.code == "M112"


def test_plain_service_files_are_read_fast() -> None:
    text = b'mmgit: "==0.1.0"\nowners: ["@acme"]\nimage: sha256:0012e4\nexpires: "2027-02-28"\nmetrics: {auc: 0.91}\n'

    assert reading._fast(text) == nodes.compose(text).plain()


@pytest.mark.parametrize(
    ("text", "code", "line", "column"),
    [
        ("a: [1\n", "M101", 2, 1),
        ("a: \xff", "M102", 1, 1),
        ("a: x\nb: x\u202ey", "M103", 2, 5),
        ("a: 1\n---\nb: 2\n", "M104", 2, 1),
        ("- a\n", "M105", 1, 1),
        ("", "M105", 1, 1),
        ("a: &x 1\nb: *x\n", "M106", 1, 4),
        ("a: !!python/object:os.system 1\n", "M107", 1, 4),
        ("a: " + "[" * 200 + "]" * 200, "M108", 1, 132),
        ("a: " + "[" * 100_000, "M108", 1, 1),
        ('a: "\\ud800"\n', "M103", 1, 4),
        ("a: 1.0e+400\n", "M112", 1, 4),
        ("<<: {a: 1}\n", "M109", 1, 1),
        ("1: a\n", "M110", 1, 1),
        ("a: 1\nb: 2\na: 3\n", "M111", 3, 1),
        ("a: yes\n", "M112", 1, 4),
        ("a: 012\n", "M112", 1, 4),
        ("a: 2027-02-28\n", "M112", 1, 4),
    ],
)
def test_what_readers_disagree_about_is_refused_at_its_place(text: str, code: str, line: int, column: int) -> None:
    data = text.encode("latin-1") if code == "M102" else text.encode()

    with pytest.raises(Fault) as fault:
        reading.parse(data)

    assert (fault.value.code, fault.value.line, fault.value.column) == (code, line, column)


@pytest.mark.parametrize("text", ["a: 1\nb: [{token}]\n", "a: 1\n# {token}\n", "a: 1\nb: [\n'{token}"])
def test_an_api_key_is_refused_at_its_place_and_not_shown(text: str) -> None:
    token, key = mint(bytes(RANDOM_BYTES), "primary", DATES)
    data = text.format(token=token).encode()

    with pytest.raises(Fault, match=key.id) as fault:
        reading.parse(data)

    place = data[: data.index(b"mmgit_")].split(b"\n")
    assert (fault.value.code, fault.value.line, fault.value.column) == ("M113", len(place), len(place[-1]) + 1)
    assert token not in f"{fault.value.message} {fault.value.hint}"


def test_a_huge_file_is_refused_unread() -> None:
    with pytest.raises(Fault, match="larger than 1 MiB"):
        reading.parse(b"a: " + b"x" * reading.MAX_BYTES)


def test_a_value_is_found_by_its_keys() -> None:
    tree = nodes.compose(b"a:\n  - {b: 1}\n  - c\n")

    assert [(n.line, n.column) for n in (nodes.find(tree, ("a", 0, "b")), nodes.find(tree, ("a", 1)))] == [
        (2, 6),
        (3, 5),
    ]


def test_the_deepest_value_on_the_way_stands_for_a_missing_one() -> None:
    tree = nodes.compose(b"a:\n  b: 1\n")

    found = nodes.find(tree, ("a", "b", "c", "d"))

    assert (found.line, found.column) == (2, 3)
