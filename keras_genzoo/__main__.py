"""``python -m keras_genzoo``: the command ``genzoo``."""

from keras_genzoo.cli.main import main

if __name__ == "__main__":
    main()
