"""The operations, a module per family; each function is named after the operation that it serves.

Importing this package imports every module in it, which fills ``registry.HANDLERS``.
"""

import importlib
import pkgutil

for _module in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{_module.name}")
