"""Why a file is not fed."""

from agents.errors import UserError


class FeedRefused(UserError):
    """Nothing of the file was sent; the text says why and what to do."""
