"""The Co-Pilot: a fixed grammar over the same verbs, gates and permissions as every other face.

``words`` and ``grammar`` say what was asked, ``likeness`` and ``naming`` which version was meant,
``questions`` answer, ``plans`` propose a change and carry out a confirmed one. Nothing changes
without a confirmation, and nothing is guessed.
"""
