"""HTTP for monitoring: measurements in, verdicts and rollbacks out."""
