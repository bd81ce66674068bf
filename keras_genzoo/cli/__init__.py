"""The command ``genzoo``: each subcommand is a click command in its own file, loaded lazily."""
