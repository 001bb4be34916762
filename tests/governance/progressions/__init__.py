"""Canaries that progress by themselves."""
