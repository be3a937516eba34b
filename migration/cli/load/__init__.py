"""The commands that make activities and send them."""
