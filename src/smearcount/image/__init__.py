"""Image files to upright RGB pixels, and drawing on them."""
