"""The uploader: what services record goes from their spools to a store, as Parquet, by a process of its own."""
