"""Actions of a definition, with their templates rendered for one event, as instructions: one module for each action.

What an action needs to know of the chain comes through `Wallet`; nothing here asks by itself.
"""

from executions.actions.base import Built, MintFacts, Wallet
from executions.actions.registry import PLAIN, build

__all__ = ["PLAIN", "Built", "MintFacts", "Wallet", "build"]
