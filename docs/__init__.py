"""What `make docs` makes: schemas, the command reference and screenshots."""
