"""Rehearse what would be decided: series of snapshots in, decisions expected, no clock but their own.

Each scenario goes through the real ingest endpoint and the real periodic tasks, in a database that
holds nothing else.
"""
