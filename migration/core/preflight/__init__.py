"""Preflight: what must be true of a deployed stack before a migration moves, judged one check at a time."""
