"""From original to public cells: rules (primary suppression), suppress (secondary), publish (the one door)."""
