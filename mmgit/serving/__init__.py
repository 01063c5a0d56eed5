"""What runs inside images: the front that speaks HTTP and the scorers that hold the user's code. Imports nothing else of mmgit."""
