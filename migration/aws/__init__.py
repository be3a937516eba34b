"""Every adapter: what the ports ask, as AWS, HTTP and files have it."""
