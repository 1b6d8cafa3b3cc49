"""Reads a source's shape and proposes a role for every field, with reasons; no value leaves it."""

from clerestory.confidential.inspect.proposal import Proposal, proposal_toml
from clerestory.confidential.inspect.shape import Shape
from clerestory.confidential.inspect.source import inspect_source

__all__ = ["Proposal", "Shape", "inspect_source", "proposal_toml"]
