"""Setting right what differs: `reconcile` re-drives what a mirror missed, `repair` what was named.

Decides what is to be done about each difference, and does it once. May import `compare` and `backfill`.
Must never write for a difference that no named event explains, and never twice.
"""
