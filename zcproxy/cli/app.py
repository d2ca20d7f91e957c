"""The program: runs a command, and shows an error that a user can meet as one line."""

from __future__ import annotations

import sys
from io import TextIOWrapper

from zcproxy.cli.commands import program
from zcproxy.cli.terminal import console
from zcproxy.cli.wording import in_options, options_of
from zcproxy.errors import ZcproxyError
from zcproxy.user_code.border import own_failures
from zcproxy.user_code.permission import one_command
from zcproxy.workers.interrupt import answering


def main() -> None:
    """Run the command line: errors a user can meet are one line and an exit code, not a traceback."""
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a terminal without all of Unicode loses no result
    command = program()
    try:
        with answering(), one_command(), own_failures():
            command()
    except ZcproxyError as error:
        text = in_options(str(error), options_of(command))
        console.print(f"zcproxy: {text}", style="red", soft_wrap=True)
        raise SystemExit(error.exit_code) from None
