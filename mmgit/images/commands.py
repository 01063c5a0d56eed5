"""The commands that an installed Python package declares. Source: PyPA, "Entry points specification"."""

import configparser
from collections.abc import Mapping
from pathlib import Path

from mmgit.errors import BuildError


def commands_in(entry_points: Path) -> Mapping[str, str]:
    """Name -> `module:function` of an `entry_points.txt`. Raises `BuildError` if it is broken."""
    found: dict[str, str] = {}
    parser = configparser.ConfigParser(delimiters=("=",), interpolation=None, strict=False)
    parser.optionxform = str  # type: ignore[assignment, method-assign]
    try:
        parser.read_string(entry_points.read_text())
    except configparser.Error as error:
        raise BuildError(f"{entry_points.parent.name} has broken entry points") from error
    for section in ("console_scripts", "gui_scripts"):
        found.update(parser[section] if parser.has_section(section) else {})
    return found
