"""The one exception that the package raises for what a caller or a file got wrong."""


class InputError(ValueError):
    """An argument, a file or a setting is not what it should be.

    The message is one sentence that names the argument, what it was and what it should be. The command line
    prints it without a traceback and exits with status 2.
    """
