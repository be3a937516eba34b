"""Puts a capability and its adapters together, once, for commands and functions alike."""
