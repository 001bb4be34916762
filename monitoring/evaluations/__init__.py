"""Measure a version on a held-out data set: figures, bias, latency, reference profile.

The web process and the control worker import ``requests``, ``run``, ``record`` and ``evidence``:
they need neither torch nor numpy. ``architectures``, ``loading`` and ``measure`` import torch and
are imported by ``run`` alone, inside the job.
"""
