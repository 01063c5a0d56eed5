"""Recipe -> layers -> pushed image -> digest, without a daemon, a container or root."""
