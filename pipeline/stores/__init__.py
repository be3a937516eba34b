"""DynamoDB access: one table (or one transaction) a file; botocore's errors are translated here, once."""
