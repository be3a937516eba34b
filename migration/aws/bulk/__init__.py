"""Sets too large for memory: exports, and DuckDB with its SQL."""
