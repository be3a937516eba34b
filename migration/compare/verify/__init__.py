"""The verification: the facts folded again, and every aggregate against that."""
