"""The ledger check: what clients were told, against what both sides hold."""
