"""Errors that a person can mend."""


class UserError(Exception):
    """What is wrong and what to do about it, in one line; the commands print it and exit with 1."""
