"""Puts a capability and its adapters together, once, for commands and functions alike.

Decides which adapter stands behind which port, and finds a migration's plan and stack once. Imports every
room but `cli`: what shows progress is passed in. Never asks a person, and prints nothing.
"""
