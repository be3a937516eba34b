"""What of a migration is half done, and what to run next."""
