"""Benches of the Python package: each also measures its limit or its peer in the same run, and prints the ratio."""
