"""The front door: the wrapper at the existing entry point that reads the migration's stage and routes.

It runs inside the client's request, so it imports little, calls each side through its own handler, and never
lets the other side's trouble reach the client.
"""
