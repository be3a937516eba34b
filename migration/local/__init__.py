"""What stands in for AWS on a laptop: the local AWS, and the deployer of the Pulumi program to it."""
