"""The command `cutover`: a folder for each capability, and here what all commands share.

What a command prints for people is a view, made of the parts in `views.py`. May import every room. Must never
decide: a command asks, calls one capability, and tells.
"""
