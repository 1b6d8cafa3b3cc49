"""From original to public cells: rules (primary), suppress (secondary), publish (the one door)."""
