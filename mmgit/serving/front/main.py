"""What an image starts: `python3 -I main.py`. Puts `packages/` and its own folder on the path, then runs the server.

`mmgit.serving.settings` documents the options, `server.serve` the exit status.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path


def main() -> int:
    """Run the server until it is told to stop."""
    here = Path(__file__).resolve().parent
    parser = argparse.ArgumentParser(prog="main.py", description="Serve one image.")
    parser.add_argument("--image-facts", type=Path, default=Path("/srv/mmgit.json"))
    parser.add_argument("--settings", type=Path, default=Path(os.environ.get("MMGIT_SETTINGS", "/etc/mmgit/settings")))
    parser.add_argument("--keys", type=Path, default=Path(os.environ.get("MMGIT_KEYS", "/etc/mmgit/keys")))
    parser.add_argument("--packages", type=Path, default=here / "packages")
    options = parser.parse_args()
    code = here if (here / "mmgit").is_dir() else here.parents[2]
    sys.path[:0] = [str(options.packages), str(code)]
    from mmgit.serving.front.server import serve  # noqa: PLC0415 - importable from here on only

    return serve(options.image_facts, options.settings, options.keys)


if __name__ == "__main__":
    sys.exit(main())
