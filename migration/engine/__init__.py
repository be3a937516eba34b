"""The loops that act: they take ports, and never know which adapter they were given."""
