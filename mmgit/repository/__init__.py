"""The declared files of one repository: where they lie, how they are read, and what they say."""
