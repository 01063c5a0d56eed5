"""What runs inside images: the front speaks HTTP, scorers hold the user's code. Imports nothing else of mmgit."""
