"""The reverse mirror: what the pipeline accepted, applied to legacy's tables, so that legacy stays ready."""
