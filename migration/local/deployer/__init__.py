"""Runs the Pulumi program without the Pulumi CLI: `deployment` on the local AWS, `recording` on none."""
