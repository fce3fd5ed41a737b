"""Each error that an operation declares is reached by a test, or there is a reason why it is not (spec/api/12)."""

import ast
import functools
import pathlib
import re

import pytest

from poolhouse.api.registry import HANDLERS
from poolhouse.model import OPERATIONS
from tests.matrix.recipes import RECIPES, factors, pools, users  # noqa: F401 - fill the table
from tests.matrix.rules import RULES
from tests.operations.talk import refusal

TESTS = pathlib.Path(__file__).parent.parent
SOURCE = TESTS.parent / "src" / "poolhouse"

MAIL = "delivery/test_whole_way.py::test_a_mail_server_that_is_away_is_told_to_everybody"
PASSKEYS = "operations/test_passkeys.py::"
NO_APP = "nobody without an app is asked for its code; one that went meanwhile is told as MFAMethodNotFoundException"
BARRED = "flows/test_sign_in.py::test_a_user_barred_under_way"
NO_DOMAIN = "told as InvalidParameterException: No such domain or user pool exists (02 §6)"
# Errors that nothing raises.
NEVER = {
    "ForbiddenException": "no firewall for web applications stands before this server",
    "InternalServerException": "accidents are told as InternalErrorException: test_accidents_tell_nothing",
    "InvalidEmailRoleAccessPolicyException": "there are no roles: mail leaves by the installation's own server",
    "InvalidSmsRoleAccessPolicyException": "there are no roles: text messages leave by the installation's gateway",
    "InvalidSmsRoleTrustRelationshipException": "there are no roles: roles are not tried out",
    "TooManyFailedAttemptsException": "too many attempts are told as LimitExceededException",
    "UnsupportedIdentityProviderException": "a type of provider that does not exist breaks a constraint",
    "AccessDeniedException": "whoever has an access key may call everything; the protocol tells of all others",
}
IMPORTING = "operations/test_user_imports.py::test_one_job_at_a_time_which_bars_changes_of_its_pool"
# Errors that are reached by other tests than those generated here, by all operations ("*") or by one.
REACHED = {
    ("*", "InvalidParameterException"): "matrix/test_constraints.py::test_constraints_at_their_bounds",
    ("*", "InternalErrorException"): "security/test_leaks.py::test_accidents_tell_nothing",
    ("*", "TooManyRequestsException"): "operations/test_provisioned_limits.py::test_signed_calls_count_in_their_region",
    ("*", "ConcurrentModificationException"): (
        "storage/test_concurrency.py::test_revision_guard_lets_one_of_many_through"
    ),
    ("*", "UserImportInProgressException"): IMPORTING,
    ("*", "OperationNotEnabledException"): (
        "operations/test_replicas.py::test_an_inactive_replica_serves_configuration_alone"
    ),
    ("CreateUserImportJob", "LimitExceededException"): (
        "operations/test_user_imports.py::test_a_pool_has_a_thousand_jobs_at_most"
    ),
    ("CompleteWebAuthnRegistration", "LimitExceededException"): PASSKEYS + "test_twenty_passkeys_and_no_more",
    ("CompleteWebAuthnRegistration", "WebAuthnClientMismatchException"): (
        PASSKEYS + "test_a_challenge_is_bound_to_user_and_client"
    ),
    ("StartWebAuthnRegistration", "WebAuthnConfigurationMissingException"): (
        PASSKEYS + "test_where_the_relying_party_comes_from"
    ),
    ("AdminSetUserMFAPreference", "PasswordResetRequiredException"): "operations/test_factors.py::test_states_of_users",
    ("CreateUserPoolReplica", "LimitExceededException"): (
        "operations/test_replicas.py::test_what_cannot_become_a_replica"
    ),
    ("AdminLinkProviderForUser", "LimitExceededException"): (
        "operations/test_provider_links.py::test_five_identities_are_a_users_most"
    ),
    ("AdminLinkProviderForUser", "AliasExistsException"): (
        "operations/test_provider_links.py::test_an_identity_has_one_user"
    ),
    ("AdminCreateUser", "CodeDeliveryFailureException"): MAIL,
    ("ForgotPassword", "CodeDeliveryFailureException"): MAIL,
    ("GetUserAttributeVerificationCode", "CodeDeliveryFailureException"): MAIL,
    ("UpdateUserAttributes", "CodeDeliveryFailureException"): MAIL,
    ("SignUp", "CodeDeliveryFailureException"): "delivery/test_whole_way.py::test_a_mail_server_that_is_away_is_told",
    ("ConfirmSignUp", "AliasExistsException"): "operations/test_sign_up.py::test_an_alias_moves_only_by_force",
    ("VerifyUserAttribute", "AliasExistsException"): (
        "operations/test_me.py::test_an_alias_of_another_user_is_not_verified"
    ),
    ("VerifyUserAttribute", "ExpiredCodeException"): "operations/test_me.py::test_verification_codes_run_out",
    ("RespondToAuthChallenge", "PasswordResetRequiredException"): BARRED,
    ("AdminRespondToAuthChallenge", "PasswordResetRequiredException"): BARRED,
    ("ChangePassword", "LimitExceededException"): "operations/test_me.py::test_password_changes_are_limited",
    ("ConfirmForgotPassword", "LimitExceededException"): (
        "operations/test_recover.py::test_sending_and_guessing_share_a_limit"
    ),
    ("ForgotPassword", "LimitExceededException"): (
        "operations/test_recover.py::test_sending_and_guessing_share_a_limit"
    ),
    ("ConfirmSignUp", "LimitExceededException"): "operations/test_sign_up.py::test_guesses_are_limited",
    ("ResendConfirmationCode", "LimitExceededException"): "operations/test_sign_up.py::test_resending_is_limited",
    ("GetUserAttributeVerificationCode", "LimitExceededException"): (
        "operations/test_me.py::test_codes_and_guesses_are_limited"
    ),
    ("VerifyUserAttribute", "LimitExceededException"): "operations/test_me.py::test_codes_and_guesses_are_limited",
    ("CreateManagedLoginBranding", "LimitExceededException"): (
        "operations/test_branding.py::test_a_pool_has_twenty_styles_at_most"
    ),
    ("ResendConfirmationCode", "CodeDeliveryFailureException"): MAIL,
    ("UpdateUserPool", "TierChangeNotAllowedException"): (
        "operations/test_pools.py::test_moving_to_lite_needs_clients_and_domains_that_fit"
    ),
    ("CreateUserPool", "LimitExceededException"): (
        "operations/test_pools.py::test_a_region_has_ten_thousand_pools_at_most"
    ),
}
SIGNED = "who may call is told by the errors of signatures"
UNLIMITED = "administrators are not limited"
NO_CODE = "the operation takes no code"
ASKED = "every challenge that a sign-in may lead to can be asked"
# Errors that operations declare and do not meet here.
UNREACHED = {
    ("ConfirmDevice", "InvalidLambdaResponseException"): "no function is asked about a device",
    ("*", "NotAuthorizedException"): SIGNED,
    ("*", "UserNotConfirmedException"): "only confirmed users get as far as a token or challenge, and remain confirmed",
    ("*", "ResourceNotFoundException"): "a token whose pool or client is gone is an invalid token; an unknown domain "
    "is described as nothing",
    ("DeleteUserPoolDomain", "ResourceNotFoundException"): NO_DOMAIN,
    ("UpdateUserPoolDomain", "ResourceNotFoundException"): NO_DOMAIN,
    ("RespondToAuthChallenge", "UserNotFoundException"): "a session of somebody deleted is an invalid session",
    ("AdminRespondToAuthChallenge", "UserNotFoundException"): "a session of somebody deleted is an invalid session",
    ("UpdateUserAttributes", "CodeMismatchException"): NO_CODE,
    ("UpdateUserAttributes", "ExpiredCodeException"): NO_CODE,
    ("SetRiskConfiguration", "CodeDeliveryFailureException"): "no mail is sent when it is set",
    ("VerifySoftwareToken", "CodeMismatchException"): "a wrong code is told as EnableSoftwareTokenMFAException (04 §9)",
    ("VerifySoftwareToken", "InvalidUserPoolConfigurationException"): "told as SoftwareTokenMFANotFoundException",
    ("StartWebAuthnRegistration", "LimitExceededException"): "told when the registration is complete",
    ("DeleteWebAuthnCredential", "LimitExceededException"): "nothing becomes more",
    ("ListWebAuthnCredentials", "LimitExceededException"): "nothing becomes more",
    (
        "ConfirmDevice",
        "InvalidPasswordException",
    ): "a verifier that is none breaks no policy: InvalidParameterException",
    ("ConfirmDevice", "UsernameExistsException"): "no user is made",
    ("AdminDisableProviderForUser", "AliasExistsException"): "nothing is taken",
    ("RespondToAuthChallenge", "SoftwareTokenMFANotFoundException"): NO_APP,
    ("AdminRespondToAuthChallenge", "SoftwareTokenMFANotFoundException"): NO_APP,
    ("AdminInitiateAuth", "MFAMethodNotFoundException"): "a sign-in that begins asks for what there is",
    ("AdminCreateUser", "PreconditionNotMetException"): "what would have to be met first is not documented",
    ("InitiateAuth", "InvalidUserPoolConfigurationException"): ASKED,
    ("AdminInitiateAuth", "InvalidUserPoolConfigurationException"): ASKED,
    ("RespondToAuthChallenge", "InvalidUserPoolConfigurationException"): ASKED,
    ("AdminRespondToAuthChallenge", "InvalidUserPoolConfigurationException"): ASKED,
    ("CreateUserPool", "TierChangeNotAllowedException"): "a new pool has no plan to move from",
    ("DescribeUserPool", "UserPoolTaggingException"): "tags are checked when they are set",
    ("AdminConfirmSignUp", "LimitExceededException"): UNLIMITED,
    ("AdminResetUserPassword", "LimitExceededException"): UNLIMITED,
    ("SignUp", "LimitExceededException"): (
        "told where POOLHOUSE_MESSAGE_LIMITS says so: flows/test_message_limits.py::test_limits_of_an_operator"
    ),
    ("CreateTerms", "LimitExceededException"): "a client has two documents at most: TermsExistsException",
    ("CreateUserPoolDomain", "LimitExceededException"): "custom domains are not limited in number",
    ("DeleteUserPoolClientSecret", "LimitExceededException"): "nothing becomes more",
    ("ListUserPoolClientSecrets", "LimitExceededException"): "nothing becomes more",
}


def declared(operations):
    """All pairs of an operation and an error that it declares."""
    return {(name, error.__name__) for name in operations for error in OPERATIONS[name].errors}


def rules_for(operation, error):
    return [make for raised, applies, make in RULES if raised == error and applies(operation)]


def is_generated(operation, error):
    return (operation, error) not in UNREACHED and bool((operation, error) in RECIPES or rules_for(operation, error))


GENERATED = sorted(pair for pair in declared(HANDLERS) if is_generated(*pair))


@pytest.mark.any_database
@pytest.mark.parametrize(("operation", "error"), GENERATED)
def test_an_error_is_reached(operation, error, world, call):
    """spec/api/11, 12: what the recipe asks for is refused with the declared error."""
    made = [RECIPES[operation, error](world)] if (operation, error) in RECIPES else []
    made += [make(operation, world) for make in rules_for(operation, error)]
    assert [refusal(call, operation, **request)[0] for request in made] == [error] * len(made)


def ways(operation, error):
    """Where a pair is accounted for; what is said of one operation goes before what is said of all."""
    if is_generated(operation, error):
        return ["generated"]
    own = [name for name, table in TABLES.items() if (operation, error) in table]
    return own or [name for name, table in TABLES.items() if ("*", error) in table]


TABLES = {"reached": REACHED, "unreached": UNREACHED, "never": {("*", error): why for error, why in NEVER.items()}}


def test_every_declared_error_is_accounted_for():
    """Whoever serves an operation says of each of its errors which test reaches it, or why none does."""
    missing = {pair: found for pair in declared(HANDLERS) if len(found := ways(*pair)) != 1}
    assert missing == {}


def test_nothing_else_is_accounted_for():
    """No entry is about an error that is not declared, or that is reached by a recipe as well."""
    everything = declared(OPERATIONS)
    errors = {error for _, error in everything}
    for table in TABLES.values():
        for operation, error in table:
            assert error in errors, error
            if operation != "*":
                assert (operation, error) in everything, (operation, error)
    assert [pair for pair in RECIPES if pair not in everything] == []
    assert [pair for pair in REACHED if pair in RECIPES] == []


def test_what_is_said_of_all_is_true_of_some():
    """An entry for all operations is needed by one at least."""
    needed = {error for operation, error in declared(OPERATIONS) if not is_generated(operation, error)}
    for_all = {error for table in TABLES.values() for operation, error in table if operation == "*"}
    assert for_all - needed == set()


@functools.cache
def names_in(file):
    return {node.name for node in ast.parse((TESTS / file).read_text()).body if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize("test", sorted(set(REACHED.values())))
def test_named_tests_are_there(test):
    """What the table names is a test."""
    file, _, name = test.partition("::")
    assert name in names_in(file)


def test_what_is_never_raised():
    """An error that something raises has a recipe, a test or a reason for each operation that declares it."""
    sources = [path.read_text() for path in SOURCE.rglob("*.py") if "model" not in path.parts]
    raised = {error for error in NEVER if any(re.search(rf"\b{error}\(", source) for source in sources)}
    assert raised == set()
