class CommandFailed(Exception):
    """Why a command could not do its work and what would help, for the one who typed it."""
