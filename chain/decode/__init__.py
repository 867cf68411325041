"""Bytes and logs of transactions -> named values. Pure; what is not understood is a value, never an exception."""
