"""`python -m service.cli`: the same as the installed `clinsearch` command."""

from service.cli import main

main()
