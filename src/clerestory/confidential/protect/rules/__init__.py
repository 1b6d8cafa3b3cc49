"""Primary suppression: which cells the policy hides for their own sake, and why; a module for each family."""

from clerestory.confidential.protect.rules.compose import primary_suppressions
from clerestory.confidential.protect.rules.reason import Primary, Reason

__all__ = ["Primary", "Reason", "primary_suppressions"]
