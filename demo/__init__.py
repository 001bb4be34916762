"""The whole story on real data: trained, judged, reviewed, served, watched, pulled back.

Run it with ``make demo`` or ``python -m demo --help``. It holds no results: it trains, asks the
registry by way of its public API, prints what it answers and says where that is not what the
story expects. docs/demo.md tells what is done and why.
"""
