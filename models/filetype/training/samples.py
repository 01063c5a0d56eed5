"""Small files of many types, made with the standard library alone: name -> content."""

import gzip
import io
import json
import sqlite3
import struct
import tarfile
import wave
import zipfile
import zlib

PYTHON = b'''import argparse
from pathlib import Path


def count_lines(path: Path) -> int:
    """Count the lines of a file."""
    return len(path.read_text().splitlines())


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("path", type=Path)
    print(count_lines(parser.parse_args().path))
'''
HTML = b"""<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>Penguins</title></head>
<body><h1>Penguins</h1><p>There are <b>three</b> kinds of them here.</p></body></html>
"""
SHELL = b"""#!/bin/sh
set -eu
for file in "$@"; do
    if [ -f "$file" ]; then echo "$file: $(wc -l < "$file")"; fi
done
"""
C = b"""#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv) {
    for (int i = 1; i < argc; i++) printf("%s\\n", argv[i]);
    return EXIT_SUCCESS;
}
"""
SQL = b"""CREATE TABLE birds (id INTEGER PRIMARY KEY, name TEXT NOT NULL, mass REAL);
INSERT INTO birds (name, mass) VALUES ('Adelie', 3.7), ('Gentoo', 5.1);
SELECT name, AVG(mass) FROM birds WHERE mass > 3 GROUP BY name ORDER BY name;
"""
YAML = b"""apiVersion: v1
kind: ConfigMap
metadata:
  name: settings
  labels: {app: birds}
data:
  colour: "blue"
  size: "12"
"""
PDF = b"""%PDF-1.4
1 0 obj << /Type /Catalog /Pages 2 0 R >> endobj
2 0 obj << /Type /Pages /Kids [3 0 R] /Count 1 >> endobj
3 0 obj << /Type /Page /Parent 2 0 R /MediaBox [0 0 200 200] >> endobj
trailer << /Root 1 0 R /Size 4 >>
startxref
0
%%EOF
"""


def samples() -> dict[str, bytes]:
    """The same bytes at every call, but for what an archive or database writes of its library's version."""
    table = [{"name": f"bird {number}", "mass": 3000 + number, "sex": None} for number in range(40)]
    return {
        "nothing": b"",
        "few-letters": b"hello",
        "few-bytes": b"\xff\xfe\x00",
        "blank-lines": b" \n" * 3000,
        "prose": b"The quick brown fox jumps over the lazy dog, and the dog does not mind at all. " * 9,
        "padded.py": b"\n\n" + PYTHON + b"\n" * 5000,
        "count.py": PYTHON,
        "page.html": HTML,
        "lines.sh": SHELL,
        "main.c": C,
        "birds.sql": SQL,
        "settings.yaml": YAML,
        "birds.json": json.dumps(table, indent=1).encode(),
        "page.pdf": PDF,
        "picture.png": _png(),
        "sound.wav": _wav(),
        "birds.db": _sqlite(),
        "pages.zip": _zip(),
        "pages.tar": _tar(),
        "page.html.gz": gzip.compress(HTML * 50, mtime=0),
    }


def _png() -> bytes:
    rows = b"".join(b"\0" + bytes((row * column) % 251 for column in range(48)) for row in range(16))
    header = struct.pack(">IIBBBBB", 16, 16, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    framed = (
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(framed)


def _wav() -> bytes:
    stream = io.BytesIO()
    with wave.open(stream, "wb") as sound:
        sound.setparams((1, 2, 8000, 0, "NONE", "not compressed"))
        sound.writeframes(b"".join(struct.pack("<h", (step * 997) % 20000 - 10000) for step in range(4000)))
    return stream.getvalue()


def _sqlite() -> bytes:
    with sqlite3.connect(":memory:") as database:
        database.executescript(SQL.decode())
        return database.serialize()


def _zip() -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(3):
            archive.writestr(zipfile.ZipInfo(f"pages/{number}.html"), HTML)
    return stream.getvalue()


def _tar() -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for number in range(3):
            entry = tarfile.TarInfo(f"pages/{number}.html")
            entry.size = len(HTML)
            archive.addfile(entry, io.BytesIO(HTML))
    return stream.getvalue()
