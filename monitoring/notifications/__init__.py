"""Tell people of incidents: one file a channel, each a delivery of its own.

A channel takes the event and sends; it holds no transaction, and its failure is retried
without holding anything else up.
"""
