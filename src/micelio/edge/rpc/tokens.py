"""AccountService: the tokens of an account."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from mic.core.errors import InvalidInput
from mic.core.ids import parse_ulid
from mic.rpc.v1 import mic_pb2 as pb
from mic.rpc.v1 import mic_pb2_grpc
from micelio.accounts.actor import Actor
from micelio.edge.rpc import convert
from micelio.edge.rpc.exports import Exports
from micelio.edge.rpc.guard import call, page_of
from micelio.tokens import actions, queries
from micelio.tokens.policy import require_keeper
from micelio.tokens.queries import TokenView


class Account(Exports, mic_pb2_grpc.AccountServiceServicer):
    """Make, list, renew and revoke one's own tokens; take data away."""

    @call
    def CreateToken(self, actor: Actor, request: pb.CreateTokenRequest) -> pb.CreateTokenResponse:
        made = actions.create_token(
            actor,
            request.name,
            request.scopes,
            request.projects,
            request.days,
            mixes=request.mixes,
            anywhere=request.anywhere,
            token_id=_given(request.id) if request.id else None,
        )
        return pb.CreateTokenResponse(value=made.value, token=_token(made.token))

    @call
    def CreateSessionToken(self, actor: Actor, request: pb.CreateSessionTokenRequest) -> pb.CreateTokenResponse:
        require_keeper(actor)  # before the project: a token learns nothing here
        project = convert.find_project(actor, request.project)
        made = actions.create_session_token(actor, project, request.session_id, request.name)
        return pb.CreateTokenResponse(value=made.value, token=_token(made.token))

    @call
    def RenewSessionToken(self, actor: Actor, request: pb.RenewSessionTokenRequest) -> pb.TokenResponse:
        require_keeper(actor)
        return pb.TokenResponse(token=_token(actions.renew_session_token(actor, _id(request.id))))

    @call
    def ListTokens(self, actor: Actor, request: pb.ListTokensRequest) -> pb.ListTokensResponse:
        found, more = page_of(queries.list_tokens(actor), request, lambda view: str(view.id))
        return pb.ListTokensResponse(tokens=map(_token, found), next_page_token=more)

    @call
    def RevokeToken(self, actor: Actor, request: pb.RevokeTokenRequest) -> pb.RevokeTokenResponse:
        require_keeper(actor)
        actions.revoke_token(actor, _id(request.id))
        return pb.RevokeTokenResponse()


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise InvalidInput(
            f"{text[:40]!r} is not the id of a token.", hint="List yours with `mic auth token list`."
        ) from error


def _given(raw: bytes) -> UUID:
    if len(raw) != 16:
        raise InvalidInput(f"An id has 16 bytes, this one {len(raw)}.")
    return UUID(bytes=raw)


def _token(view: TokenView) -> pb.Token:
    return pb.Token(
        id=str(view.id),
        name=view.name,
        scopes=view.scopes,
        all_projects=view.projects is None,
        projects=view.projects or (),
        session_id=parse_ulid(view.session) if view.session else b"",
        mixes=view.mixes,
        anywhere=view.anywhere,
        created_at_ms=_ms(view.created_at),
        expires_at_ms=_ms(view.expires_at),
        last_used_at_ms=_ms(view.last_used_at) if view.last_used_at else 0,
    )


def _ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
