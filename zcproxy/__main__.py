"""`python -m zcproxy` is the command `zcproxy`."""

from zcproxy.cli import main

main()
