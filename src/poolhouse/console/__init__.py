"""The web console: server-rendered pages that call the same operations as everyone else.

What a page may do is what the API may do: pages know the dispatcher, not the storage.
Read ``principal.py`` for who is signed in, then any file of ``pages``.
"""

from poolhouse.console.site import Console as Console
