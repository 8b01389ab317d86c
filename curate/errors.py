"""Errors that are told to a person in one line."""


class UserError(Exception):
    """What is wrong and what to do about it, in one line; the commands print it and exit with its status."""

    status = 1


class Interrupted(UserError):
    """Ctrl-C, SIGTERM or a closed terminal came; says where the command stands and how to go on."""

    status = 130  # what a shell expects


class Busy(UserError):
    """Another process holds the lock of what is wanted."""


class Unreadable(ValueError):
    """Why a file cannot be read as audio, in one short line without its path."""
