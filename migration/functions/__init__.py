"""The toolkit's Lambda handlers, thin."""
