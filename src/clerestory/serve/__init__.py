"""The public server: hands out the files of the live release, and nothing else."""

from clerestory.serve.answer import Answer, Request, Site
from clerestory.serve.listen import free_port, listen
from clerestory.serve.server import serve

__all__ = ["Answer", "Request", "Site", "free_port", "listen", "serve"]
