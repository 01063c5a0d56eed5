"""`generate_schema` under the reference's name: the same call, but what it writes is plain JSON Schema."""

from mmgit.shim.schemas import write_schema as generate_schema

__all__ = ["generate_schema"]
