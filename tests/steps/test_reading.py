"""What is taken of a Dockerfile, what it comes to, and that everything else is refused where it stands."""

import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmgit.steps import NO_STEPS, Run
from mmgit.steps.reading import FaultyError, read


def faults(text: str | bytes) -> list[str]:
    with pytest.raises(FaultyError) as raised:
        read(text if isinstance(text, bytes) else text.encode())
    return [str(fault) for fault in raised.value.faults]


def test_the_five_instructions_become_values() -> None:
    found = read(
        b'# why\nARG VERSION=1.2 MIRROR="https://deb.example"\nENV HOME_OF=/opt/x\n\n'
        b"run echo $VERSION > $HOME_OF\nENV VERSION=$VERSION\nRUN true\n"
        b'LABEL org.example.vendor="Acme Ltd" tier=a\nEXPOSE 9000 9001/udp\n'
    )

    assert found.runs == (
        Run(
            5,
            ("/bin/sh", "-c", "echo $VERSION > $HOME_OF"),
            {"VERSION": "1.2", "MIRROR": "https://deb.example", "HOME_OF": "/opt/x"},
        ),
        Run(
            7,
            ("/bin/sh", "-c", "true"),
            {"VERSION": "1.2", "MIRROR": "https://deb.example", "HOME_OF": "/opt/x"},
        ),
    )
    assert found.variables == {"VERSION": "1.2", "HOME_OF": "/opt/x"}
    assert found.labels == {"org.example.vendor": "Acme Ltd", "tier": "a"}
    assert found.ports == ("9000/tcp", "9001/udp")


@pytest.mark.parametrize("data", [b"", b"\n# nothing\n", b"\r\n"])
def test_a_file_may_say_nothing(data: bytes) -> None:
    assert read(data) == NO_STEPS


def test_lines_go_on_past_comments_and_the_shell_gets_one_line() -> None:
    found = read(b"RUN apt-get update && \\\n    # of the archive\n    apt-get install -y libgl1 \\  \n && true\r\n")

    assert found.runs[0].arguments[2] == "apt-get update &&     apt-get install -y libgl1  && true"


def test_a_program_and_its_arguments_need_no_shell() -> None:
    assert read(b'RUN ["python3", "-c", "print(1)"]').runs[0].arguments == ("python3", "-c", "print(1)")
    assert read(b"RUN [ -d /x ] || mkdir /x").runs[0].arguments[2] == "[ -d /x ] || mkdir /x"


@pytest.mark.parametrize(
    ("line", "value"),
    [
        (r'ENV A="a b"', "a b"),
        (r"ENV A=a\ b", "a b"),
        (r"""ENV A='$X "y"'""", '$X "y"'),
        (r'ENV A="say \"no\" for \$5 \n"', r'say "no" for $5 \n'),
        (r"ENV A=\$HOME", "$HOME"),
        (r"ENV A=1 B=2", "1"),
        (r'ENV A="x"y"z"', "xyz"),
        (r"ENV A=", ""),
        (r"ENV A=#no-comment", "#no-comment"),
        ("ENV A=/opt/tools/bin:$PATH", "/opt/tools/bin:"),
    ],
)
def test_quotes_and_backslashes_are_dockers(line: str, value: str) -> None:
    assert read(line.encode()).variables["A"] == value


def test_the_value_of_a_variable_is_not_read_again() -> None:
    found = read(b'ENV A=\'$B "\' B=b\nENV C=${A}x\nLABEL l="$A"\nRUN x\n')

    assert found.variables["C"] == '$B "x'
    assert found.labels == {"l": '$B "'}
    assert found.runs[0].variables["C"] == '$B "x'


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("FROM debian", "line 1, column 1: `FROM` is none of RUN, ENV, ARG, LABEL, EXPOSE"),
        ("RUN x\n  COPY a b", "line 2, column 3: `COPY` is none of RUN, ENV, ARG, LABEL, EXPOSE"),
        ("ONBUILD RUN x", "line 1, column 1: `ONBUILD` is none of RUN, ENV, ARG, LABEL, EXPOSE"),
        ("USER root", "line 1, column 1: `USER` is none of RUN, ENV, ARG, LABEL, EXPOSE"),
        ("ENTRYPOINT sh", "line 1, column 1: `ENTRYPOINT` is none of RUN, ENV, ARG, LABEL, EXPOSE"),
        ("%&secret", "line 1, column 1: this is none of RUN, ENV, ARG, LABEL, EXPOSE"),
        ("# escape=`\nRUN x", "line 1, column 1: `# escape=` would change how the file is read"),
        ("#Syntax = docker/dockerfile:1", "line 1, column 1: `# syntax=` would change how the file is read"),
        ("RUN --mount=type=secret,id=x cat /x", "line 1, column 5: RUN takes no options"),
        ("RUN --network=host x", "line 1, column 5: RUN takes no options"),
        ("RUN \\\n  --security=insecure x", "line 2, column 3: RUN takes no options"),
        ("RUN <<EOF\nrm x\nEOF", "line 1, column 5: RUN takes no here-documents: printf writes a text"),
        ("RUN cat <<-'END' > x", "line 1, column 9: RUN takes no here-documents: printf writes a text"),
        ("RUN", "line 1, column 1: RUN says nothing"),
        ("RUN x \\\n\nRUN y", "line 2, column 1: an empty line in an instruction that goes on"),
        ("RUN x \\", "line 1, column 7: the file ends in an instruction that goes on"),
        ("ENV NAME value", "line 1, column 5: ENV takes NAME=VALUE"),
        ("ARG VERSION", "line 1, column 5: ARG takes NAME=VALUE"),
        ("ENV A=1 2B=3", "line 1, column 9: ENV takes NAME=VALUE"),
        ("ENV A=1 \\\n  MMGIT_X=1", "line 2, column 3: variables that begin with MMGIT_ or OTEL_ are the server's own"),
        ("ENV A=1\nARG A=2", "line 2, column 5: `A` is set by ENV before, which counts"),
        ("ENV A=$B", "line 1, column 7: `B` is set by no ENV or ARG before"),
        ("ENV A=${B:-x}", r"line 1, column 7: `$` stands for a variable, $NAME or ${NAME}; write \$ for a dollar"),
        ("ENV A=$(id)", r"line 1, column 7: `$` stands for a variable, $NAME or ${NAME}; write \$ for a dollar"),
        ('ENV A="b', 'line 1, column 7: a quote " is not closed'),
        ("LABEL a='b", "line 1, column 9: a quote ' is not closed"),
        ("LABEL dev.mmgit.volume=x", "line 1, column 7: labels that begin with dev.mmgit. are mmgit's own"),
        ("LABEL a b", "line 1, column 7: LABEL takes NAME=VALUE"),
        ("EXPOSE 0", "line 1, column 8: EXPOSE takes ports like 9000 or 9000/udp"),
        ("EXPOSE 65536", "line 1, column 8: EXPOSE takes ports like 9000 or 9000/udp"),
        ("EXPOSE 9000-9010", "line 1, column 8: EXPOSE takes ports like 9000 or 9000/udp"),
        ("ENV A=\x1b[2J", "line 1, column 7: a character that cannot be seen, or is none of UTF-8"),
        ("ENV A=x\u202ey", "line 1, column 8: a character that cannot be seen, or is none of UTF-8"),
        ("ENV A=x\rUSER root", "line 1, column 8: a character that cannot be seen, or is none of UTF-8"),
        ("ENV A=x\u2028USER root", "line 1, column 8: a character that cannot be seen, or is none of UTF-8"),
        ("RUN [1]", "line 1, column 5: a program is a list of texts without NUL"),
        (r'RUN ["a\u0000b"]', "line 1, column 5: a program is a list of texts without NUL"),
        (r'RUN ["\ud800"]', "line 1, column 5: a program is a list of texts without NUL"),
        ("RUN x\n" * 201, "line 201, column 1: these are more than 200 instructions"),
        (b"ENV A=\xff", "line 1, column 7: a character that cannot be seen, or is none of UTF-8"),
        (b"#" * 65_537, "line 1, column 1: the file has more than 65536 bytes"),
    ],
)
def test_all_else_is_refused_with_its_place(text: str | bytes, fault: str) -> None:
    assert faults(text)[0] == fault


def test_variables_that_grow_are_bounded() -> None:
    doubled = "".join(f"ENV A{number + 1}=$A{number}$A{number}\n" for number in range(60))
    many = f"ENV A={'x' * 30_000}\nLABEL " + " ".join(f"l{number}=$A" for number in range(2000))

    assert faults(f"ENV A0={'x' * 64}\n{doubled}")[0] == (
        "line 10, column 5: with its variables this has more than 32768 characters"
    )
    assert faults(f'ENV A0={"x" * 30_000} B=1\nENV C="$A0$A0$A0"') == [
        "line 2, column 5: with its variables this has more than 32768 characters"
    ]
    assert "all values together have more than 262144 characters" in faults(many)[0]


def test_brackets_without_end_are_a_command_that_the_shell_may_refuse() -> None:
    command = "[" * 60_000

    assert read(f"RUN {command}".encode()).runs[0].arguments == ("/bin/sh", "-c", command)


def test_all_that_is_wrong_is_said_at_once_and_no_value_of_it() -> None:
    assert faults("FROM x\nENV A=1 hunter2\nRUN y\nEXPOSE http") == [
        "line 1, column 1: `FROM` is none of RUN, ENV, ARG, LABEL, EXPOSE",
        "line 2, column 9: ENV takes NAME=VALUE",
        "line 4, column 8: EXPOSE takes ports like 9000 or 9000/udp",
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("ARG HF_TOKEN=hf_abc", ["line 1, column 5: ARG HF_TOKEN"]),
        ("ENV DB_PASSWORD=x", ["line 1, column 5: ENV DB_PASSWORD"]),
        ("ARG OPENAI_API_KEY=x", ["line 1, column 5: ARG OPENAI_API_KEY"]),
        ("ENV PGPASSWORD=x MYSQL_PWD=x", ["line 1, column 5: ENV PGPASSWORD", "line 1, column 18: ENV MYSQL_PWD"]),
        ("ENV AWS_SECRET_ACCESS_KEY=x", ["line 1, column 5: ENV AWS_SECRET_ACCESS_KEY"]),
        ("ENV AWS_ACCESS_KEY_ID=x PWD=/ DB_PASSWORD_FILE=/run/x TOKEN_URL=https://x PYTHONPATH=/x MAX_TOKENS=9", []),
        (
            "RUN pip install --index-url https://me:pw@pypi.example/simple x",
            ["line 1, column 34: an address with a login"],
        ),
        ("ENV TOKENIZERS_PARALLELISM=false", []),
        ("ARG TOKEN=", []),
        ("RUN curl https://$USER:$PASSWORD@example.com", []),
    ],
)
def test_what_looks_like_a_secret_is_named_without_its_value(text: str, said: list[str]) -> None:
    assert list(map(str, read(text.encode()).secrets)) == said


def test_the_example_of_the_documents_is_taken() -> None:
    document = (Path(__file__).parents[2] / "docs/steps.md").read_text()
    (example,) = re.findall(r"^```dockerfile\n(.*?)^```$", document, re.MULTILINE | re.DOTALL)

    found = read(example.encode())

    assert found.runs[0].variables == {"CORPORA": "punkt stopwords", **found.variables}
    assert found.secrets == ()


@given(st.text(alphabet=st.characters(codec="utf-8", categories=["L", "N", "P", "S", "Zs"]), max_size=40))
def test_any_value_in_quotes_stays_what_it_is_and_makes_nothing_else(value: str) -> None:
    if not value.isprintable():
        return
    quoted = json.dumps(value, ensure_ascii=False).replace("$", r"\$")

    found = read(f"ENV A={quoted}\nRUN x\nLABEL l={quoted}\n".encode())

    assert found.variables == {"A": value}
    assert found.labels == {"l": value}
    assert [run.arguments for run in found.runs] == [("/bin/sh", "-c", "x")]


@given(st.binary(max_size=80))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    try:
        read(b"ENV " + data)
    except FaultyError as error:
        assert error.faults  # noqa: PT017 - either is right
