"""Checking a project: `Verifier` reads everything there is of it and tells what is not as it should be."""

from mic.ledger.verify.finding import Finding
from mic.ledger.verify.verifier import Verifier

__all__ = ["Finding", "Verifier"]
