"""Values and decisions: no boto3, no clock, no randomness, no logging."""
