"""Looks at a live cluster, and changes nothing there: every request is a GET.

`connection` is the only module of mmgit that imports the `kubernetes` package.
"""
