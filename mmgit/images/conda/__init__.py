"""Packages of conda's own: an environment file is solved once into a lock, whose packages become a layer."""
