"""What of a migration is half done, how dangerous that is, what to run next, and the way to a legal state.

May import `cutover` and `preflight`. Must never write anything but one legal move, asked for by a person.
"""
