"""Quality flags: warnings about images and counts that should not be trusted."""
