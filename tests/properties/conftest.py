"""Properties are judged by what they find, not by the clock of a busy machine."""

from hypothesis import settings

settings.register_profile("house", deadline=None, print_blob=True)
settings.load_profile("house")
