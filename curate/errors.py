"""Errors that a person can mend."""


class UserError(Exception):
    """What is wrong and what to do about it, in one line; the commands print it and exit with its status."""

    status = 1


class Interrupted(UserError):
    """Ctrl-C, SIGTERM or a closed terminal came; says where the command stands and how to go on."""

    status = 130  # what a shell expects
