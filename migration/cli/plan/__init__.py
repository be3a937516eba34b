"""The commands about the plan file."""
