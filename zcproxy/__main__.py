"""The program `zcproxy`: answers Ctrl-C from the start, even while the command line is imported."""

from zcproxy.workers.interrupt import answering


def main() -> None:
    """Run the command line."""
    with answering():
        from zcproxy.cli.app import main as command

        command()


if __name__ == "__main__":
    main()
