"""Stand-ins that several test files share: detectors, tiny models, pictures, a web client."""
