"""Images in: sources of many kinds (`SOURCES` lists them), one pipeline.

Everything here is uint8, ``(height, width, channels)``; numeric ranges belong to the models.
Importing this package imports neither TensorFlow nor an image library.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "array_files": ["open_npy", "open_npz"],
        "arrays": ["ArraySource", "check_split"],
        "checking": [
            "Finding",
            "check_folder",
            "check_prepared",
            "check_sources",
            "describe_folder",
            "describe_sources",
            "empty_class_folders",
            "find_manual_files",
            "open_to_check",
        ],
        "folder": ["FolderSource"],
        "idx": ["read_idx"],
        "opening": ["open_source"],
        "parquet": ["ParquetSource"],
        "pipeline": ["load_dataset", "training_stream"],
        "prepared": ["PreparedSource", "prepare"],
        "registry": [
            "DATASETS",
            "SOURCES",
            "DataSet",
            "is_to_prepare",
            "kind_of_path",
            "kind_to_read",
            "paths_in_words",
        ],
        "request": ["SourceKind", "file_kind"],
        "source": ["Source"],
        "splits": ["Splits"],
        "stacked": ["StackedSource"],
    },
)
