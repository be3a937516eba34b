"""The stack on a laptop: an AWS from PyPI (`emulator`), and the Pulumi program without its CLI (`deployer`).

May import `aws`. Must never reach an endpoint that is not on loopback.
"""
