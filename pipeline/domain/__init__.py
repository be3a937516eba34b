"""Pure core: takes values, returns values. No boto3, clock, randomness or logging."""
