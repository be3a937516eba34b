"""The Pulumi program in parts: settings, one component a file, policies."""
