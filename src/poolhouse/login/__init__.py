"""The managed login pages: signing in, signing up, forgotten passwords, as a browser shows them.

``surface`` says which path is which page, ``pages`` are the pages, ``visit`` is one request to one of them,
``session`` is what travels in cookies between them, ``branding`` turns a style document into a stylesheet.
``feedback`` is a page outside every domain, for mail about risky sign-ins.
Who may sign in, and what is asked next, is decided in ``flows``; codes and tokens are the OAuth surface's.
"""

from poolhouse.login.feedback import FeedbackPage
from poolhouse.login.surface import Login

__all__ = ["FeedbackPage", "Login"]
