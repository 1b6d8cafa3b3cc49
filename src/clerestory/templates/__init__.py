"""Package data: the records generator and the public reference data it draws from."""
