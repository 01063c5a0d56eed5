"""Running services on this machine: as a process of their own environment, or with docker compose."""
