"""What was done and what proves it, in one value with a hash of its own.

May import `compare`, `cutover`, and the prices of `backfill`. Must never leave out what is missing.
"""
