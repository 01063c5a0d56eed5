"""What is said of an image beside it: what it holds, how it was made, who vouches for it. No image changes by it.

Each is an artifact of OCI 1.1, which names the image as its subject and lies where the image lies.
"""
