"""What people type: one file a command group, imported only when it is asked for."""
