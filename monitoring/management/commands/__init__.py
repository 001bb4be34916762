"""Commands of operations staff."""
