"""The front: HTTP, keys, admission, deadlines and scorers' lives. It never parses the body of a score."""
