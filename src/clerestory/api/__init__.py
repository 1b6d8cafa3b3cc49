"""The steps put together, one module each; the command line is a thin layer over them.

Nothing is imported here, so that a command loads only what it needs: a takedown must not wait for a database.
What other programs call is offered by `clerestory` itself.
"""
