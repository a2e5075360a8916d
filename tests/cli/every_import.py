"""What the commands import when they need it, for the process that they are forked from."""

import contextlib
import importlib
import io
import pkgutil

import command  # noqa: F401
import matplotlib.pyplot  # noqa: F401
import sklearn.datasets  # noqa: F401

from xception_np import cli, commands, ops

for package in (commands, ops):
    for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        if not module.name.endswith((".gpu", ".gpu_tiled", ".tensorboard")):
            importlib.import_module(module.name)
with contextlib.redirect_stdout(io.StringIO()):  # typer imports some more when it is first used
    cli.app(["runs", "--help"], standalone_mode=False)
