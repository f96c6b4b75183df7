"""The command line: assemble, catch, exit. One file per verb; nothing here prints."""
