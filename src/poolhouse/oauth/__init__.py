"""OAuth 2.0 and OpenID Connect: the endpoints of a pool domain that browsers and applications call, and the documents
at a pool's issuer. The pages live in ``login``; what an authorization request means, in ``flows.authorization``.
Read ``endpoints`` next.
"""

from poolhouse.oauth.endpoints import OAuth as OAuth
