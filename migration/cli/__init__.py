"""The command `cutover`."""
