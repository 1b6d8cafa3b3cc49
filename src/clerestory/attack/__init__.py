"""What an outsider can work out from public cells: relations, feasibility intervals, witnesses."""
