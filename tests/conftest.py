"""What holds for all tests: no property test fails because the machine is busy."""

import hypothesis

hypothesis.settings.register_profile("suite", deadline=None)
hypothesis.settings.load_profile("suite")
