"""The segment worker: a function that copies a segment of legacy's events, for a backfill's engine `aws`."""
