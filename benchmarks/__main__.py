"""`python -m benchmarks`: the command; with --serve NAME, the process of one contender, which imports no more than it needs."""

import sys

from xception_np.errors import InputError


def main(arguments: list[str]) -> None:
    """Run what the arguments ask for; a mistake is one sentence, and exit status 2."""
    try:
        from benchmarks.contenders import SERVE, serve  # which ask for the number of threads, and may not like it

        if arguments[:1] == [SERVE]:
            serve(*arguments[1:])
        else:
            import typer

            from benchmarks.command import measure

            typer.run(measure)
    except InputError as error:
        print(error, file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main(sys.argv[1:])
