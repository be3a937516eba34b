"""Puts a capability and its adapters together, once, for commands and functions alike.

May import every room but `cli` and `functions`. Must never decide what a capability decides, nor print.
"""
