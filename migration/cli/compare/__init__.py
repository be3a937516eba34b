"""The commands that compare both sides."""
