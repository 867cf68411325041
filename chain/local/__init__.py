"""A Solana chain for development and tests: a real SVM (LiteSVM) behind Solana's own JSON-RPC and PubSub.

For developers, demos and tests only: nothing shipped imports this package (an import contract says so).
"""
