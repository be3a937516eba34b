"""A whole cutover on this machine, told while it happens."""
