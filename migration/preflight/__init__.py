"""Whether a deployed stack is fit for a migration to move, check by check, each with its remedy.

May import `cutover` for its words. Must never change anything.
"""
