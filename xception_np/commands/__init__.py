"""What the subcommands of `xception-np` do; `cli` reads their options."""
