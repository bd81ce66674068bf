"""Mangled files through the commands that read them; see ``python -m tests.fuzz --help``."""
