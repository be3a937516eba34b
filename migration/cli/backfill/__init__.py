"""The commands about history."""
