"""Tests of self-healing playbooks."""
