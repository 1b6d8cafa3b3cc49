"""The public server: hands out the files of the live release, and nothing else."""

from clerestory.serve.app import App
from clerestory.serve.listen import free_port, listen
from clerestory.serve.server import serve

__all__ = ["App", "free_port", "listen", "serve"]
