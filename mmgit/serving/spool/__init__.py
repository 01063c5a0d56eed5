"""What services record, on disk: segments that survive any end of their writer, and a bounded folder of them."""
