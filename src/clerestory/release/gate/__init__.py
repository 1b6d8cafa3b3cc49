"""Who agreed to what: statements, signatures, who counts, and the line that makes a release live."""
