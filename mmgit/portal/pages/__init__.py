"""The pages, one module a kind: `Contents` in, `Page`s out."""
