"""The page: a local server where photographs are dropped, counted, checked and corrected."""
