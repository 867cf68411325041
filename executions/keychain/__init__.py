"""Signatures of keys that other services keep (Vault, KMS, custodians), through `solana-keychain`, an optional package.

asking     ask the signer's backend for its signature, and check it
library    the only module that knows the package; imported when the first such signer signs
transport  where its requests may go
"""

from executions.keychain.asking import sign

__all__ = ["sign"]
