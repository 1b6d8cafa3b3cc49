"""The proof of a release: made from its public files alone, checked by multiplication."""
