"""The front door: the wrapper at the existing entry point that reads the migration's stage and routes.

Decides which side answers a request, and mirrors it forward. It starts cold in the path of requests, so it
imports little; botocore only, of all libraries, for what it sends to DynamoDB itself. May import `model`, and
of `aws` only what signs a request, keeps a connection and knows a conflict. Must never raise into a request,
wait without a deadline, or answer other than the side with authority did.
"""
