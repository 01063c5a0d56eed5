"""Clients for a shell: a script that sends the sample, or a file, by curl."""

import shlex
from collections.abc import Mapping

from mmgit.blueprints.texts import Code
from mmgit.clients.literals import json_text
from mmgit.clients.naming import snake
from mmgit.clients.writing import SAMPLE_FILE, Client, from_template


def write(client: Client) -> Mapping[str, str]:
    """One script. The sample is a here-document whose delimiter is quoted, on one line that begins with no letter."""
    name = f"{snake(client.service)}.sh"
    has_sample = client.api.sample is not None
    values = {
        "about": client.comment,
        "name": Code(name),
        "url": Code(shlex.quote(client.url)),
        "needs_key": client.needs_key,
        "sample_file": Code(SAMPLE_FILE) if client.has_long_sample else None,
        "sample": json_text(client.api.sample) if has_sample and not client.has_long_sample else None,
    }
    return {name: from_template("curl.sh.jinja", values)}
