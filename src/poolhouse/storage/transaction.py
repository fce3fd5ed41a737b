"""A transaction: one attribute for each family of tables."""

from collections.abc import Callable
from typing import TypeVar

from poolhouse.storage.auth_events import AuthEvents
from poolhouse.storage.branding import Branding
from poolhouse.storage.catalogue import Cache, Catalogue
from poolhouse.storage.classic_styles import ClassicStyles
from poolhouse.storage.clients import Clients
from poolhouse.storage.codes import AttemptCounters, ConfirmationCodes, Nonces
from poolhouse.storage.counts import Generations
from poolhouse.storage.deliveries import Deliveries
from poolhouse.storage.devices import Devices
from poolhouse.storage.domains import Domains
from poolhouse.storage.engine import Connection
from poolhouse.storage.groups import Groups
from poolhouse.storage.identities import Identities
from poolhouse.storage.identity_providers import IdentityProviders
from poolhouse.storage.installation import Outbox, Settings, sweep
from poolhouse.storage.keys import AccessKeys, SigningKeys
from poolhouse.storage.logs import LogDeliveries, LogRecords
from poolhouse.storage.many_users import ManyUsers
from poolhouse.storage.passkeys import Passkeys
from poolhouse.storage.pools import Pools
from poolhouse.storage.rates import Rates
from poolhouse.storage.replicas import Replicas
from poolhouse.storage.resource_servers import ResourceServers
from poolhouse.storage.risk_configurations import RiskConfigurations
from poolhouse.storage.sessions import AuthorizationCodes, Sessions
from poolhouse.storage.sso_sessions import SsoSessions
from poolhouse.storage.terms import Terms
from poolhouse.storage.user_import_files import UserImportFiles
from poolhouse.storage.user_imports import UserImports
from poolhouse.storage.user_lists import UserLists
from poolhouse.storage.users import Users

T = TypeVar("T")


class Tx:
    """What a work function gets. Made once for each connection, used by one transaction at a time."""

    def __init__(self, connection: Connection, cache: Cache, *, writing: bool) -> None:
        self._connection = connection
        self._generations = Generations(connection, writing=writing)
        self.catalogue = Catalogue(connection, cache, self._generations, writing=writing)
        self.pools = Pools(connection)
        self.replicas = Replicas(connection)
        self.clients = Clients(connection)
        self.domains = Domains(connection)
        self.resource_servers = ResourceServers(connection)
        self.branding = Branding(connection)
        self.classic_styles = ClassicStyles(connection)
        self.terms = Terms(connection)
        self.identity_providers = IdentityProviders(connection)
        self.risk_configurations = RiskConfigurations(connection)
        self.log_deliveries = LogDeliveries(connection)
        self.log_records = LogRecords(connection)
        self.users = Users(connection)
        self.user_lists = UserLists(connection)
        self.auth_events = AuthEvents(connection)
        self.many_users = ManyUsers(connection)
        self.user_imports = UserImports(connection)
        self.user_import_files = UserImportFiles(connection)
        self.groups = Groups(connection)
        self.devices = Devices(connection)
        self.identities = Identities(connection)
        self.passkeys = Passkeys(connection)
        self.sessions = Sessions(connection, self._generations)
        self.sso_sessions = SsoSessions(connection)
        self.authorization_codes = AuthorizationCodes(connection, self._generations)
        self.confirmation_codes = ConfirmationCodes(connection)
        self.attempts = AttemptCounters(connection)
        self.nonces = Nonces(connection)
        self.outbox = Outbox(connection)
        self.deliveries = Deliveries(connection)
        self.access_keys = AccessKeys(connection)
        self.signing_keys = SigningKeys(connection)
        self.settings = Settings(connection)
        self.rates = Rates(connection)

    def sweep(self, now: int, limit: int) -> int:
        """Delete expired rows, at most ``limit`` of each kind; return how many."""
        return sweep(self._connection, now, limit)

    def run(self, work: Callable[["Tx"], T]) -> T:
        """Run a work function; the engine calls this between BEGIN and COMMIT.

        Raises what ``work`` raises, and the error of a statement that ``work`` kept silent about.
        """
        self._connection.refused = None
        self._generations.begin()
        result = work(self)
        if self._connection.refused is not None:
            raise self._connection.refused
        return result
