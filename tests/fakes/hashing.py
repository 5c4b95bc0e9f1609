"""Passwords of people, hashed as Django does it, in a millionth of its rounds: it is slow on purpose, and tests make
hundreds. A server that a test starts has Django's own, and reads these too: the rounds stand in the hash."""

from __future__ import annotations

from django.contrib.auth.hashers import PBKDF2PasswordHasher


class QuickHasher(PBKDF2PasswordHasher):
    iterations = 1
