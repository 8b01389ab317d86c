"""Errors that a person can mend."""


class UserError(Exception):
    """What is wrong and what to do about it, in one line; the commands print it and exit with its status."""

    status = 1


class Stopped(UserError):
    """A person pressed Ctrl-C."""

    status = 130  # what a shell expects
