"""Self-healing playbooks: what is done when an event asks for help, step by step, as rows.

A playbook is a file (``definition``), kept on a ``shelf``. An event that it waits for starts a
run (``runs``), and the ``engine`` carries the run on, whoever dies meanwhile.
"""
