"""Every adapter: what the ports ask, as AWS, HTTP and files have it.

`tables` has one reader and one writer for each table, `stack` what is deployed, `bulk` sets too large for
memory, `files` what is kept here, `transport` how requests travel. May import every capability's ports and
words. Must never decide, and translates botocore's errors once.
"""
