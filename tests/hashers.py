"""Passwords of tests need no strength: making one costs a quarter of a second with Django's usual number of rounds."""

from django.contrib.auth.hashers import PBKDF2PasswordHasher


class QuickPasswordHasher(PBKDF2PasswordHasher):
    """The same algorithm under the same name, so that processes which do not know this class can check its hashes."""

    iterations = 1
