"""The desired traffic of a family in the words of gateways and serving platforms."""
