"""Solana access: types, RPC, transactions, decoding. Plain Python; knows no Django, no database, no settings."""
