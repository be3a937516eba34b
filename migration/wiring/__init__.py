"""Puts a capability and its adapters together, once, for commands and functions alike.

Finds a migration's plan and stack once, and decides which adapter stands behind which port. May import every
room but `cli` and `functions`: what shows progress is passed in. Must never decide what a capability decides,
nor print.
"""
