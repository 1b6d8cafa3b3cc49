"""What an outsider can work out from public cells: relations, feasibility intervals, witnesses.

The modules are imported one by one, so that whoever checks a proof loads no solver.
"""
