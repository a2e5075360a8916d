"""`python -m benchmarks`: the command; with --serve NAME, the process of one contender, which imports no more than it needs."""

import sys

from xception_np.errors import in_a_sentence


def main() -> None:
    """Run what the command line asks for; a mistake is one sentence, and exit status 2."""
    with in_a_sentence():
        from benchmarks.contenders import SERVE, serve  # which ask for the number of threads, and may not like it

        if sys.argv[1:2] == [SERVE]:
            serve(*sys.argv[2:])
        else:
            import typer

            from benchmarks.command import measure

            typer.run(measure)


if __name__ == "__main__":
    main()
