"""The migration toolkit."""
