"""The commands for the stack on a laptop."""
