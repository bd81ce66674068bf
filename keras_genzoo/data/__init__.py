"""Images in: four kinds of source (digits, tensorflow-datasets, folder, arrays), one pipeline.

Everything here is uint8, ``(height, width, channels)``; numeric ranges belong to the models.
Importing this package imports neither TensorFlow nor an image library.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "arrays": ["ArraySource"],
        "checking": [
            "check_folder",
            "check_prepared",
            "describe_folder",
            "empty_class_folders",
            "find_manual_files",
        ],
        "folder": ["FolderSource"],
        "opening": ["open_source"],
        "pipeline": ["load_dataset", "training_stream"],
        "prepared": ["PreparedSource", "prepare"],
        "registry": ["DATASETS", "DataSet"],
        "source": ["Source"],
        "splits": ["Splits"],
        "stacked": ["StackedSource"],
    },
)
