"""One reader and one writer for each table."""
