"""`python -m mmgit`."""

from mmgit.cli.main import main

main()
