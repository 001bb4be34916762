"""Canaries that progress by themselves: step by step, as long as they do well.

The steps (``steps``) and what follows from how one went (``deciding``) are pure. ``looking`` gathers
what is known, ``moves`` writes, ``steering`` is what people do, ``sweeping`` what beat does.
"""
