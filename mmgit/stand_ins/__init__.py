"""What the front takes in place of its compiled packages on machines that these have no wheels for: plain Python.

Each module has the name, and as much of the behaviour, of the package that it stands in for as the front uses. They lie
in images of such machines alone, and nothing of mmgit imports them.
"""
