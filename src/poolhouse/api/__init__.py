"""The JSON API: the AWS JSON 1.1 protocol on ``POST /``.

``endpoint`` is the way of a request; ``callers`` finds out who calls, ``codec`` reads and writes bodies,
``explain`` words what is wrong with one, ``registry`` joins the rows of ``model.OPERATIONS`` to the functions
in ``operations``. What an operation does lives there or, where another surface needs it too, in ``flows``.
"""
