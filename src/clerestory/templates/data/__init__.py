"""Reference data that ships with the package; PROVENANCE.md says where each file comes from."""
