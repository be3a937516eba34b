"""Ports as AWS and HTTP have them, and in memory for tests."""
