from .check import DataCheck, check_dataset
from .clean import clean_dataset
from .dataset import AnnotatedImage, Dataset
from .download import fetch
from .near_duplicates import deduplicate, find_near_duplicates, without_duplicates_of
from .read import disjoint_split_names, read_dataset, split_names
from .write import write_dataset

__all__ = [
    "AnnotatedImage",
    "DataCheck",
    "Dataset",
    "check_dataset",
    "clean_dataset",
    "deduplicate",
    "disjoint_split_names",
    "fetch",
    "find_near_duplicates",
    "read_dataset",
    "split_names",
    "without_duplicates_of",
    "write_dataset",
]
