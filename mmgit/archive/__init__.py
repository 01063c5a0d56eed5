"""The uploader: what services record goes from their spools to a store, as Parquet. A process of its own, never theirs."""
