"""Walks through a document as a reader does: writes its files, types its commands, compares what they say.

A block of Python or YAML whose first line is `# PATH` is a file; `# at the end of PATH` adds to one. In a block of
`console` the lines after `$ ` are typed, in one shell; the others are what it says. Numbers, digests, keys and the like
differ from run to run, and `…` stands for anything.

`python scripts/walk.py docs/tutorial.md` walks from the wheel on and says how long each step took; with `--update`, it
writes down what was said.
"""

import argparse
import itertools
import os
import re
import selectors
import shlex
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from uv import find_uv_bin

ROOT = Path(__file__).parents[1]
HOME = "/home/ada"
"""Where documents begin."""
ADD = "at the end of "
DONE = "walked:"
STAYS = "(Ctrl-C stops it)"
"""What a server says when it is up: the walk goes on beside it."""


_OWN = ("VIRTUAL_ENV", "PYTHONPATH", "PYTHONDONTWRITEBYTECODE", "MMGIT_KEY")
"""Variables of whoever starts a walk, which a reader does not have."""


@dataclass(frozen=True)
class Step:
    """A file to write, or a line to type and what is said then."""

    line: int
    path: str = ""
    text: str = ""
    command: str = ""
    said: tuple[str, ...] = ()


def steps(text: str) -> Iterator[Step]:
    """The steps of a document, in order."""
    for block in re.finditer(r"^```(\w+)[^\n]*\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
        language, body, line = block[1], block[2], text.count("\n", 0, block.start()) + 2
        named = re.match(r"# ([\w./ -]+\.\w+|\.\w+)\n", body)
        if language in ("python", "yaml", "ini") and named:
            yield Step(line, path=named[1], text=body)
        elif language == "console":
            yield from _commands(body, line)


def _commands(body: str, line: int) -> Iterator[Step]:
    command, said, at = "", list[str](), line
    for number, each in enumerate([*body.splitlines(), "$ "], line):
        if each.startswith("$ "):
            if command:
                yield Step(at, command=command, said=tuple(said))
            command, said, at = each[2:], [], number
        else:
            said.append(each)


_CHANGES = [
    (r"sha256:[0-9a-f]{6,64}|\b(?=[a-f]*[0-9])[0-9a-f]{7,64}\b", "HEX"),
    (r"mmgit_[A-Za-z0-9]+_[^\s\"']*", "KEY"),
    (r"\bid: [A-Za-z0-9]{4,16}\b", "id: KEY"),
    (r"https?://(?:localhost|127\.0\.0\.1):\d+", "ADDRESS"),
    (r"\d+(?:[.,:]\d+)*(?:e-?\d+)?", "N"),
    (r"\s+", " "),
]


def normal(line: str) -> str:
    """What of a line stays the same from run to run."""
    for pattern, name in _CHANGES:
        line = re.sub(pattern, name, line)
    return line.strip()


def agree(wanted: str, said: str) -> bool:
    """Whether a line is what the document says."""
    parts = [re.escape(normal(part)) for part in wanted.split("…")]
    return re.fullmatch(r"\s*.*?\s*".join(parts), normal(said)) is not None


@dataclass
class Walk:
    """A shell in a folder. A context manager, which ends everything that was started."""

    folder: Path
    environment: Mapping[str, str]
    places: Mapping[str, str] = field(default_factory=dict)
    """What the document calls something -> what it is called here."""
    took: list[tuple[Step, float, list[str]]] = field(default_factory=list)
    """Each step that was typed: the seconds that it took, and what was said."""

    def __enter__(self) -> Self:
        self._shell = subprocess.Popen(
            ["bash", "--noprofile", "--norc"],
            cwd=self.folder,
            env={name: value for name, value in os.environ.items() if name not in _OWN} | dict(self.environment),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            bufsize=0,
            start_new_session=True,
        )
        return self

    def __exit__(self, *_: object) -> None:
        for number in (signal.SIGTERM, signal.SIGKILL):
            end = time.monotonic() + 30
            while self._signal(number) and time.monotonic() < end:
                time.sleep(0.2)
        self._shell.wait()

    def _signal(self, number: int) -> bool:
        """Signal the shell and all that it started; whether anything of that is still there."""
        self._shell.poll()
        try:
            os.killpg(self._shell.pid, number)
        except ProcessLookupError:
            return False
        return True

    def take(self, step: Step, *, seconds: float = 300) -> bool:
        """Take a step. Whether what is said is what the document says."""
        if step.path:
            self._write(step)
            return True
        began = time.monotonic()
        stays = any(STAYS in line for line in step.said)
        said = self._served(step, seconds) if stays else self._run(self._here(step.command), seconds)
        self.took.append((step, time.monotonic() - began, said))
        print(f"{self.took[-1][1]:6.1f} s  $ {step.command}", *said, sep="\n" + 11 * " ", flush=True)
        wanted = [self._here(line) for line in step.said]
        return len(said) == len(wanted) and all(map(agree, wanted, said))

    def told(self) -> str:
        """The last step, which went otherwise, for people."""
        step, _, said = self.took[-1]
        return "\n".join([f"line {step.line}: $ {step.command}", "-- wanted", *step.said, "-- said", *said])

    def rewritten(self, text: str) -> str:
        """The document with what was said here, in its own words for places."""
        lines = text.split("\n")
        for step, _, said in reversed(self.took):
            lines[step.line : step.line + len(step.said)] = [self._there(line) for line in said]
        return "\n".join(lines)

    def _write(self, step: Step) -> None:
        name = step.path.removeprefix(ADD)
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if name == step.path:
            path.write_text(self._here(step.text))
        else:
            path.write_text(path.read_text() + self._here(step.text.partition("\n")[2]))

    def _here(self, text: str) -> str:
        for there, here in self.places.items():
            text = text.replace(there, here)
        return text

    def _there(self, text: str) -> str:
        for there, here in self.places.items():
            text = text.replace(here, there)
        return text

    def _run(self, command: str, seconds: float) -> list[str]:
        self._type(f"{command}\necho {DONE}")
        return list(itertools.takewhile(lambda line: line != DONE, self._lines(seconds)))

    def _served(self, step: Step, seconds: float) -> list[str]:
        """What a server says until it is up; the rest goes where no reader looks, as in a terminal of its own."""
        log = self.folder.parent / f"{self.folder.name}.log"
        self._type(f"({self._here(step.command)}; echo {DONE}) >{shlex.quote(str(log))} 2>&1 &")
        end, text = time.monotonic() + seconds, ""
        while DONE not in text and time.monotonic() < end:
            text = log.read_text() if log.exists() else ""
            if STAYS in text:
                return text[: text.index(STAYS) + len(STAYS)].split("\n")
            time.sleep(0.1)
        raise AssertionError(f"line {step.line}: {step.command} did not start: {text}")

    def _type(self, command: str) -> None:
        assert self._shell.stdin is not None
        self._shell.stdin.write(f"{command}\n".encode())

    def _lines(self, seconds: float) -> Iterator[str]:
        assert self._shell.stdout is not None
        end, held = time.monotonic() + seconds, b""
        with selectors.DefaultSelector() as selector:
            selector.register(self._shell.stdout, selectors.EVENT_READ)
            while time.monotonic() < end:
                if selector.select(end - time.monotonic()):
                    data = os.read(self._shell.stdout.fileno(), 2**16)
                    assert data, "the shell has ended"
                    *lines, held = (held + data).split(b"\n")
                    yield from (line.decode() for line in lines)
        raise AssertionError(f"nothing more was said for {seconds} s")


def go(document: Path, home: Path, *, update: bool = False) -> list[tuple[Step, float]]:
    """Walk through a document in an empty folder of `home`, with the wheel in it. The seconds of each step.

    Raises `AssertionError` where it goes otherwise, unless `update` writes that down.
    """
    folder, tools = home / "iris", home / ".local/bin"
    for each in (folder, tools):
        each.mkdir(parents=True)
    (home / ".gitconfig").write_text("[user]\nname = Ada\nemail = ada@example.com\n")
    if (plugins := Path.home() / ".docker").is_dir():
        (home / ".docker").symlink_to(plugins)
    (tools / "uv").symlink_to(find_uv_bin())
    with tempfile.TemporaryDirectory() as made:
        subprocess.run([tools / "uv", "build", "--quiet", "--wheel", "--out-dir", made, ROOT], check=True)
        shutil.copy(next(Path(made).glob("*.whl")), folder)
    own = {"HOME": str(home), "PATH": f"{tools}:{os.environ['PATH']}", "UV_CACHE_DIR": cache()}
    with Walk(folder, own, {HOME: str(home)}) as walk:
        for step in steps(document.read_text()):
            assert walk.take(step) or update, walk.told()
    if update:
        document.write_text(walk.rewritten(document.read_text()))
    return [(step, seconds) for step, seconds, _ in walk.took]


def cache() -> str:
    """Where uv keeps what was downloaded before."""
    return os.environ.get("UV_CACHE_DIR", str(Path.home() / ".cache/uv"))


def main() -> None:
    """Walk, and print what took how long."""
    parser = argparse.ArgumentParser(description="Walks through a document as a reader does.")
    parser.add_argument("document", type=Path)
    parser.add_argument("--update", action="store_true", help="write down what is said")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="mmgit-walk-") as home:
        took = go(options.document.resolve(), Path(home) / "ada", update=options.update)
    print(f"{sum(seconds for _, seconds in took):6.1f} s  in all")


if __name__ == "__main__":
    main()
