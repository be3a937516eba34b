"""Activities from a seed, and clients that send them, each at the time that is fixed for it.

May import `model`. Must never wait for an answer before the next send is due, and never lose a line of the
ledger.
"""
