"""What the subcommands of `xception-np` do; `cli` reads their options."""

import time

STARTED = time.perf_counter()  # when the program began: a time limit counts from here
