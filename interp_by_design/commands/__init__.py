"""The subcommands of `interp`, one module each."""
