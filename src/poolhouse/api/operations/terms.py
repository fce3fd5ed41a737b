"""Terms documents (spec/api/10 §7)."""

from poolhouse.api.registry import operation
from poolhouse.core.paging import binding, cut
from poolhouse.core.terms import new_terms, updated_terms
from poolhouse.flows.calls import AdminCall
from poolhouse.flows.paging import open_place, seal_place
from poolhouse.model import (
    CreateTermsRequest,
    CreateTermsResponse,
    DeleteTermsRequest,
    DescribeTermsByClientRequest,
    DescribeTermsByClientResponse,
    DescribeTermsRequest,
    DescribeTermsResponse,
    ListTermsRequest,
    ListTermsResponse,
    ResourceNotFoundException,
    TermsDescriptionType,
    TermsExistsException,
    TermsType,
    UpdateTermsRequest,
    UpdateTermsResponse,
)
from poolhouse.storage import Tx
from poolhouse.storage.errors import AlreadyExists

PAGE = 60


@operation
async def create_terms(call: AdminCall, request: CreateTermsRequest) -> CreateTermsResponse:
    """Give an app client terms of use or a privacy policy, which its sign-up page links to once it has both.

    Differs from Cognito: a link that is no absolute http or https URL is refused; `cognito:default` may be left out.
    """
    terms = new_terms(request, terms_id=call.deps.random.uuid(), now=call.now)

    def commit(tx: Tx) -> None:
        call.client(tx, request.user_pool_id, request.client_id)
        tx.terms.insert(terms)

    try:
        await call.store.write(commit)
    except AlreadyExists:
        raise _exists(terms) from None
    return CreateTermsResponse(terms=terms)


@operation
async def describe_terms(call: AdminCall, request: DescribeTermsRequest) -> DescribeTermsResponse:
    """Return a terms document."""
    terms = await call.store.read(lambda tx: _get(call, tx, request.user_pool_id, request.terms_id))
    return DescribeTermsResponse(terms=terms)


@operation
async def describe_terms_by_client(
    call: AdminCall, request: DescribeTermsByClientRequest
) -> DescribeTermsByClientResponse:
    """Return the terms document of an app client that has a name."""

    def load(tx: Tx) -> TermsType | None:
        client = call.client(tx, request.user_pool_id, request.client_id)
        return tx.terms.of_client(client.id).get(request.terms_name)

    terms = await call.store.read(load)
    if terms is None:
        raise ResourceNotFoundException(f"Terms {request.terms_name} of client {request.client_id} do not exist.")
    return DescribeTermsByClientResponse(terms=terms)


@operation
async def update_terms(call: AdminCall, request: UpdateTermsRequest) -> UpdateTermsResponse:
    """Change a terms document; what the request leaves out stays, but links are replaced as a whole.

    Differs from Cognito: as CreateTerms.
    """

    def commit(tx: Tx) -> TermsType:
        terms = updated_terms(_get(call, tx, request.user_pool_id, request.terms_id), request, call.now)
        namesake = tx.terms.of_client(terms.client_id).get(terms.terms_name)
        if namesake is not None and namesake.terms_id != terms.terms_id:
            raise _exists(terms)
        tx.terms.save(terms)
        return terms

    return UpdateTermsResponse(terms=await call.store.write(commit))


@operation
async def delete_terms(call: AdminCall, request: DeleteTermsRequest) -> None:
    """Delete a terms document."""

    def commit(tx: Tx) -> None:
        _get(call, tx, request.user_pool_id, request.terms_id)
        tx.terms.delete(request.user_pool_id, request.terms_id)

    await call.store.write(commit)


@operation
async def list_terms(call: AdminCall, request: ListTermsRequest) -> ListTermsResponse:
    """Return the terms documents of all app clients of a pool, by id, without their links."""
    bound = binding("ListTerms", request.user_pool_id)
    place = open_place(call, bound, request.next_token)
    limit = request.max_results or PAGE

    def load(tx: Tx) -> list[TermsType]:
        pool = call.pool(tx, request.user_pool_id)
        return tx.terms.page(pool.id, after=place[0] if place else None, limit=limit + 1)

    page, after = cut(await call.store.read(load), limit, lambda terms: terms.terms_id)
    return ListTermsResponse(
        terms=[
            TermsDescriptionType(
                terms_id=terms.terms_id,
                terms_name=terms.terms_name,
                enforcement=terms.enforcement,
                creation_date=terms.creation_date,
                last_modified_date=terms.last_modified_date,
            )
            for terms in page
        ],
        next_token=seal_place(call, bound, after) if after else None,
    )


def _get(call: AdminCall, tx: Tx, pool_id: str, terms_id: str) -> TermsType:
    pool = call.pool(tx, pool_id)
    terms = tx.terms.find(pool.id, terms_id)
    if terms is None:
        raise ResourceNotFoundException(f"Terms {terms_id} do not exist.")
    return terms


def _exists(terms: TermsType) -> TermsExistsException:
    return TermsExistsException(f"Client {terms.client_id} already has terms with the name {terms.terms_name}.")
