"""The command ``genzoo``: one thin click command a file, loaded when it is called."""
