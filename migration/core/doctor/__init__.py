"""Doctor: what of a migration is half done, judged from its records and from what is deployed."""
