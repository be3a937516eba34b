"""The command `cutover`: a folder for each capability, and here what all commands share.

May import every room. Must never decide: a command asks, calls one capability, and tells.
"""
