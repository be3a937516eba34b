"""The reproduced synchronous system. Frozen; never imports `pipeline` or `migration`."""
