"""What the commands import when they need it, for the process that they are forked from."""

import contextlib
import importlib
import io
import pkgutil

from xception_np import cli, commands, ops

for name in ("command", "matplotlib.pyplot", "sklearn.datasets"):
    importlib.import_module(name)
for package in (commands, ops):
    for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        importlib.import_module(module.name)
with contextlib.redirect_stdout(io.StringIO()):  # typer imports some more when it is first used
    cli.app(["runs", "--help"], standalone_mode=False)
