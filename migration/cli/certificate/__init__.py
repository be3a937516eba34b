"""The commands about the certificate."""
