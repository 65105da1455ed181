from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class GetCurrentUserRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class User(_message.Message):
    __slots__ = ("id", "handle", "name", "email", "is_admin")
    ID_FIELD_NUMBER: _ClassVar[int]
    HANDLE_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    EMAIL_FIELD_NUMBER: _ClassVar[int]
    IS_ADMIN_FIELD_NUMBER: _ClassVar[int]
    id: str
    handle: str
    name: str
    email: str
    is_admin: bool
    def __init__(self, id: _Optional[str] = ..., handle: _Optional[str] = ..., name: _Optional[str] = ..., email: _Optional[str] = ..., is_admin: _Optional[bool] = ...) -> None: ...

class UserResponse(_message.Message):
    __slots__ = ("user", "forge_version")
    USER_FIELD_NUMBER: _ClassVar[int]
    FORGE_VERSION_FIELD_NUMBER: _ClassVar[int]
    user: User
    forge_version: str
    def __init__(self, user: _Optional[_Union[User, _Mapping]] = ..., forge_version: _Optional[str] = ...) -> None: ...

class StartExportRequest(_message.Message):
    __slots__ = ("kind", "project")
    KIND_FIELD_NUMBER: _ClassVar[int]
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    kind: str
    project: ProjectRef
    def __init__(self, kind: _Optional[str] = ..., project: _Optional[_Union[ProjectRef, _Mapping]] = ...) -> None: ...

class ExportRequest(_message.Message):
    __slots__ = ("id",)
    ID_FIELD_NUMBER: _ClassVar[int]
    id: str
    def __init__(self, id: _Optional[str] = ...) -> None: ...

class ListExportsRequest(_message.Message):
    __slots__ = ("page_size", "page_token")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListExportsResponse(_message.Message):
    __slots__ = ("exports", "next_page_token")
    EXPORTS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    exports: _containers.RepeatedCompositeFieldContainer[Export]
    next_page_token: str
    def __init__(self, exports: _Optional[_Iterable[_Union[Export, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class DownloadExportRequest(_message.Message):
    __slots__ = ("id", "offset")
    ID_FIELD_NUMBER: _ClassVar[int]
    OFFSET_FIELD_NUMBER: _ClassVar[int]
    id: str
    offset: int
    def __init__(self, id: _Optional[str] = ..., offset: _Optional[int] = ...) -> None: ...

class ExportChunk(_message.Message):
    __slots__ = ("data",)
    DATA_FIELD_NUMBER: _ClassVar[int]
    data: bytes
    def __init__(self, data: _Optional[bytes] = ...) -> None: ...

class ExportResponse(_message.Message):
    __slots__ = ("export",)
    EXPORT_FIELD_NUMBER: _ClassVar[int]
    export: Export
    def __init__(self, export: _Optional[_Union[Export, _Mapping]] = ...) -> None: ...

class Export(_message.Message):
    __slots__ = ("id", "kind", "project", "state", "done", "total", "size", "sha256", "name", "error_code", "error", "hint", "created_at_ms", "finished_at_ms", "expires_at_ms")
    ID_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    DONE_FIELD_NUMBER: _ClassVar[int]
    TOTAL_FIELD_NUMBER: _ClassVar[int]
    SIZE_FIELD_NUMBER: _ClassVar[int]
    SHA256_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    ERROR_CODE_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    HINT_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_MS_FIELD_NUMBER: _ClassVar[int]
    FINISHED_AT_MS_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_AT_MS_FIELD_NUMBER: _ClassVar[int]
    id: str
    kind: str
    project: str
    state: str
    done: int
    total: int
    size: int
    sha256: str
    name: str
    error_code: str
    error: str
    hint: str
    created_at_ms: int
    finished_at_ms: int
    expires_at_ms: int
    def __init__(self, id: _Optional[str] = ..., kind: _Optional[str] = ..., project: _Optional[str] = ..., state: _Optional[str] = ..., done: _Optional[int] = ..., total: _Optional[int] = ..., size: _Optional[int] = ..., sha256: _Optional[str] = ..., name: _Optional[str] = ..., error_code: _Optional[str] = ..., error: _Optional[str] = ..., hint: _Optional[str] = ..., created_at_ms: _Optional[int] = ..., finished_at_ms: _Optional[int] = ..., expires_at_ms: _Optional[int] = ...) -> None: ...

class Token(_message.Message):
    __slots__ = ("id", "name", "scopes", "all_projects", "projects", "session_id", "mixes", "created_at_ms", "expires_at_ms", "last_used_at_ms", "anywhere")
    ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    SCOPES_FIELD_NUMBER: _ClassVar[int]
    ALL_PROJECTS_FIELD_NUMBER: _ClassVar[int]
    PROJECTS_FIELD_NUMBER: _ClassVar[int]
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    MIXES_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_MS_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_AT_MS_FIELD_NUMBER: _ClassVar[int]
    LAST_USED_AT_MS_FIELD_NUMBER: _ClassVar[int]
    ANYWHERE_FIELD_NUMBER: _ClassVar[int]
    id: str
    name: str
    scopes: _containers.RepeatedScalarFieldContainer[str]
    all_projects: bool
    projects: _containers.RepeatedScalarFieldContainer[str]
    session_id: bytes
    mixes: bool
    created_at_ms: int
    expires_at_ms: int
    last_used_at_ms: int
    anywhere: bool
    def __init__(self, id: _Optional[str] = ..., name: _Optional[str] = ..., scopes: _Optional[_Iterable[str]] = ..., all_projects: _Optional[bool] = ..., projects: _Optional[_Iterable[str]] = ..., session_id: _Optional[bytes] = ..., mixes: _Optional[bool] = ..., created_at_ms: _Optional[int] = ..., expires_at_ms: _Optional[int] = ..., last_used_at_ms: _Optional[int] = ..., anywhere: _Optional[bool] = ...) -> None: ...

class CreateTokenRequest(_message.Message):
    __slots__ = ("name", "scopes", "projects", "days", "mixes", "anywhere", "id")
    NAME_FIELD_NUMBER: _ClassVar[int]
    SCOPES_FIELD_NUMBER: _ClassVar[int]
    PROJECTS_FIELD_NUMBER: _ClassVar[int]
    DAYS_FIELD_NUMBER: _ClassVar[int]
    MIXES_FIELD_NUMBER: _ClassVar[int]
    ANYWHERE_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    name: str
    scopes: _containers.RepeatedScalarFieldContainer[str]
    projects: _containers.RepeatedScalarFieldContainer[str]
    days: int
    mixes: bool
    anywhere: bool
    id: bytes
    def __init__(self, name: _Optional[str] = ..., scopes: _Optional[_Iterable[str]] = ..., projects: _Optional[_Iterable[str]] = ..., days: _Optional[int] = ..., mixes: _Optional[bool] = ..., anywhere: _Optional[bool] = ..., id: _Optional[bytes] = ...) -> None: ...

class CreateTokenResponse(_message.Message):
    __slots__ = ("value", "token")
    VALUE_FIELD_NUMBER: _ClassVar[int]
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    value: str
    token: Token
    def __init__(self, value: _Optional[str] = ..., token: _Optional[_Union[Token, _Mapping]] = ...) -> None: ...

class CreateSessionTokenRequest(_message.Message):
    __slots__ = ("project", "session_id", "name")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    project: ProjectRef
    session_id: bytes
    name: str
    def __init__(self, project: _Optional[_Union[ProjectRef, _Mapping]] = ..., session_id: _Optional[bytes] = ..., name: _Optional[str] = ...) -> None: ...

class RenewSessionTokenRequest(_message.Message):
    __slots__ = ("id",)
    ID_FIELD_NUMBER: _ClassVar[int]
    id: str
    def __init__(self, id: _Optional[str] = ...) -> None: ...

class TokenResponse(_message.Message):
    __slots__ = ("token",)
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    token: Token
    def __init__(self, token: _Optional[_Union[Token, _Mapping]] = ...) -> None: ...

class ListTokensRequest(_message.Message):
    __slots__ = ("page_size", "page_token")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListTokensResponse(_message.Message):
    __slots__ = ("tokens", "next_page_token")
    TOKENS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    tokens: _containers.RepeatedCompositeFieldContainer[Token]
    next_page_token: str
    def __init__(self, tokens: _Optional[_Iterable[_Union[Token, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class RevokeTokenRequest(_message.Message):
    __slots__ = ("id",)
    ID_FIELD_NUMBER: _ClassVar[int]
    id: str
    def __init__(self, id: _Optional[str] = ...) -> None: ...

class RevokeTokenResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class GetSecondFactorRequest(_message.Message):
    __slots__ = ("organization",)
    ORGANIZATION_FIELD_NUMBER: _ClassVar[int]
    organization: str
    def __init__(self, organization: _Optional[str] = ...) -> None: ...

class SetSecondFactorRequest(_message.Message):
    __slots__ = ("organization", "asks")
    ORGANIZATION_FIELD_NUMBER: _ClassVar[int]
    ASKS_FIELD_NUMBER: _ClassVar[int]
    organization: str
    asks: bool
    def __init__(self, organization: _Optional[str] = ..., asks: _Optional[bool] = ...) -> None: ...

class SecondFactorResponse(_message.Message):
    __slots__ = ("asks", "lacking", "lacking_in_all")
    ASKS_FIELD_NUMBER: _ClassVar[int]
    LACKING_FIELD_NUMBER: _ClassVar[int]
    LACKING_IN_ALL_FIELD_NUMBER: _ClassVar[int]
    asks: bool
    lacking: _containers.RepeatedScalarFieldContainer[str]
    lacking_in_all: int
    def __init__(self, asks: _Optional[bool] = ..., lacking: _Optional[_Iterable[str]] = ..., lacking_in_all: _Optional[int] = ...) -> None: ...

class Network(_message.Message):
    __slots__ = ("network", "note")
    NETWORK_FIELD_NUMBER: _ClassVar[int]
    NOTE_FIELD_NUMBER: _ClassVar[int]
    network: str
    note: str
    def __init__(self, network: _Optional[str] = ..., note: _Optional[str] = ...) -> None: ...

class GetNetworksRequest(_message.Message):
    __slots__ = ("organization",)
    ORGANIZATION_FIELD_NUMBER: _ClassVar[int]
    organization: str
    def __init__(self, organization: _Optional[str] = ...) -> None: ...

class SetNetworksRequest(_message.Message):
    __slots__ = ("organization", "networks", "tokens_pass", "leave")
    ORGANIZATION_FIELD_NUMBER: _ClassVar[int]
    NETWORKS_FIELD_NUMBER: _ClassVar[int]
    TOKENS_PASS_FIELD_NUMBER: _ClassVar[int]
    LEAVE_FIELD_NUMBER: _ClassVar[int]
    organization: str
    networks: _containers.RepeatedCompositeFieldContainer[Network]
    tokens_pass: bool
    leave: bool
    def __init__(self, organization: _Optional[str] = ..., networks: _Optional[_Iterable[_Union[Network, _Mapping]]] = ..., tokens_pass: _Optional[bool] = ..., leave: _Optional[bool] = ...) -> None: ...

class ChangeNetworksRequest(_message.Message):
    __slots__ = ("organization", "add", "remove", "tokens_pass", "leave")
    ORGANIZATION_FIELD_NUMBER: _ClassVar[int]
    ADD_FIELD_NUMBER: _ClassVar[int]
    REMOVE_FIELD_NUMBER: _ClassVar[int]
    TOKENS_PASS_FIELD_NUMBER: _ClassVar[int]
    LEAVE_FIELD_NUMBER: _ClassVar[int]
    organization: str
    add: _containers.RepeatedCompositeFieldContainer[Network]
    remove: _containers.RepeatedScalarFieldContainer[str]
    tokens_pass: bool
    leave: bool
    def __init__(self, organization: _Optional[str] = ..., add: _Optional[_Iterable[_Union[Network, _Mapping]]] = ..., remove: _Optional[_Iterable[str]] = ..., tokens_pass: _Optional[bool] = ..., leave: _Optional[bool] = ...) -> None: ...

class NetworksResponse(_message.Message):
    __slots__ = ("networks", "tokens_pass", "address")
    NETWORKS_FIELD_NUMBER: _ClassVar[int]
    TOKENS_PASS_FIELD_NUMBER: _ClassVar[int]
    ADDRESS_FIELD_NUMBER: _ClassVar[int]
    networks: _containers.RepeatedCompositeFieldContainer[Network]
    tokens_pass: bool
    address: str
    def __init__(self, networks: _Optional[_Iterable[_Union[Network, _Mapping]]] = ..., tokens_pass: _Optional[bool] = ..., address: _Optional[str] = ...) -> None: ...

class Organization(_message.Message):
    __slots__ = ("id", "handle", "name", "description", "role", "created_at_ms")
    ID_FIELD_NUMBER: _ClassVar[int]
    HANDLE_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    ROLE_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_MS_FIELD_NUMBER: _ClassVar[int]
    id: str
    handle: str
    name: str
    description: str
    role: str
    created_at_ms: int
    def __init__(self, id: _Optional[str] = ..., handle: _Optional[str] = ..., name: _Optional[str] = ..., description: _Optional[str] = ..., role: _Optional[str] = ..., created_at_ms: _Optional[int] = ...) -> None: ...

class CreateOrganizationRequest(_message.Message):
    __slots__ = ("handle", "name", "description")
    HANDLE_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    handle: str
    name: str
    description: str
    def __init__(self, handle: _Optional[str] = ..., name: _Optional[str] = ..., description: _Optional[str] = ...) -> None: ...

class GetOrganizationRequest(_message.Message):
    __slots__ = ("handle",)
    HANDLE_FIELD_NUMBER: _ClassVar[int]
    handle: str
    def __init__(self, handle: _Optional[str] = ...) -> None: ...

class OrganizationResponse(_message.Message):
    __slots__ = ("organization",)
    ORGANIZATION_FIELD_NUMBER: _ClassVar[int]
    organization: Organization
    def __init__(self, organization: _Optional[_Union[Organization, _Mapping]] = ...) -> None: ...

class ListOrganizationsRequest(_message.Message):
    __slots__ = ("page_size", "page_token")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListOrganizationsResponse(_message.Message):
    __slots__ = ("organizations", "next_page_token")
    ORGANIZATIONS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    organizations: _containers.RepeatedCompositeFieldContainer[Organization]
    next_page_token: str
    def __init__(self, organizations: _Optional[_Iterable[_Union[Organization, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class Member(_message.Message):
    __slots__ = ("handle", "name", "role")
    HANDLE_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    ROLE_FIELD_NUMBER: _ClassVar[int]
    handle: str
    name: str
    role: str
    def __init__(self, handle: _Optional[str] = ..., name: _Optional[str] = ..., role: _Optional[str] = ...) -> None: ...

class UpdateOrganizationRequest(_message.Message):
    __slots__ = ("organization", "name", "description")
    ORGANIZATION_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    organization: str
    name: str
    description: str
    def __init__(self, organization: _Optional[str] = ..., name: _Optional[str] = ..., description: _Optional[str] = ...) -> None: ...

class RenameOrganizationRequest(_message.Message):
    __slots__ = ("organization", "handle")
    ORGANIZATION_FIELD_NUMBER: _ClassVar[int]
    HANDLE_FIELD_NUMBER: _ClassVar[int]
    organization: str
    handle: str
    def __init__(self, organization: _Optional[str] = ..., handle: _Optional[str] = ...) -> None: ...

class TransferOrganizationRequest(_message.Message):
    __slots__ = ("organization", "handle")
    ORGANIZATION_FIELD_NUMBER: _ClassVar[int]
    HANDLE_FIELD_NUMBER: _ClassVar[int]
    organization: str
    handle: str
    def __init__(self, organization: _Optional[str] = ..., handle: _Optional[str] = ...) -> None: ...

class DeleteOrganizationRequest(_message.Message):
    __slots__ = ("organization", "confirm")
    ORGANIZATION_FIELD_NUMBER: _ClassVar[int]
    CONFIRM_FIELD_NUMBER: _ClassVar[int]
    organization: str
    confirm: str
    def __init__(self, organization: _Optional[str] = ..., confirm: _Optional[str] = ...) -> None: ...

class DeleteOrganizationResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class Invitation(_message.Message):
    __slots__ = ("id", "organization", "organization_name", "handle", "email", "role", "invited_by", "created_at_ms", "expires_at_ms")
    ID_FIELD_NUMBER: _ClassVar[int]
    ORGANIZATION_FIELD_NUMBER: _ClassVar[int]
    ORGANIZATION_NAME_FIELD_NUMBER: _ClassVar[int]
    HANDLE_FIELD_NUMBER: _ClassVar[int]
    EMAIL_FIELD_NUMBER: _ClassVar[int]
    ROLE_FIELD_NUMBER: _ClassVar[int]
    INVITED_BY_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_MS_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_AT_MS_FIELD_NUMBER: _ClassVar[int]
    id: str
    organization: str
    organization_name: str
    handle: str
    email: str
    role: str
    invited_by: str
    created_at_ms: int
    expires_at_ms: int
    def __init__(self, id: _Optional[str] = ..., organization: _Optional[str] = ..., organization_name: _Optional[str] = ..., handle: _Optional[str] = ..., email: _Optional[str] = ..., role: _Optional[str] = ..., invited_by: _Optional[str] = ..., created_at_ms: _Optional[int] = ..., expires_at_ms: _Optional[int] = ...) -> None: ...

class InviteMemberRequest(_message.Message):
    __slots__ = ("organization", "handle", "role")
    ORGANIZATION_FIELD_NUMBER: _ClassVar[int]
    HANDLE_FIELD_NUMBER: _ClassVar[int]
    ROLE_FIELD_NUMBER: _ClassVar[int]
    organization: str
    handle: str
    role: str
    def __init__(self, organization: _Optional[str] = ..., handle: _Optional[str] = ..., role: _Optional[str] = ...) -> None: ...

class InviteResponse(_message.Message):
    __slots__ = ("invitation", "link")
    INVITATION_FIELD_NUMBER: _ClassVar[int]
    LINK_FIELD_NUMBER: _ClassVar[int]
    invitation: Invitation
    link: str
    def __init__(self, invitation: _Optional[_Union[Invitation, _Mapping]] = ..., link: _Optional[str] = ...) -> None: ...

class ListInvitationsRequest(_message.Message):
    __slots__ = ("organization", "page_size", "page_token")
    ORGANIZATION_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    organization: str
    page_size: int
    page_token: str
    def __init__(self, organization: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListInvitationsResponse(_message.Message):
    __slots__ = ("invitations", "next_page_token")
    INVITATIONS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    invitations: _containers.RepeatedCompositeFieldContainer[Invitation]
    next_page_token: str
    def __init__(self, invitations: _Optional[_Iterable[_Union[Invitation, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class RevokeInvitationRequest(_message.Message):
    __slots__ = ("organization", "id")
    ORGANIZATION_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    organization: str
    id: str
    def __init__(self, organization: _Optional[str] = ..., id: _Optional[str] = ...) -> None: ...

class RevokeInvitationResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListOwnInvitationsRequest(_message.Message):
    __slots__ = ("page_size", "page_token")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class GetInvitationRequest(_message.Message):
    __slots__ = ("token",)
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    token: str
    def __init__(self, token: _Optional[str] = ...) -> None: ...

class InvitationResponse(_message.Message):
    __slots__ = ("invitation",)
    INVITATION_FIELD_NUMBER: _ClassVar[int]
    invitation: Invitation
    def __init__(self, invitation: _Optional[_Union[Invitation, _Mapping]] = ...) -> None: ...

class AnswerInvitationRequest(_message.Message):
    __slots__ = ("organization", "token")
    ORGANIZATION_FIELD_NUMBER: _ClassVar[int]
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    organization: str
    token: str
    def __init__(self, organization: _Optional[str] = ..., token: _Optional[str] = ...) -> None: ...

class DeclineInvitationResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class SetMemberRoleRequest(_message.Message):
    __slots__ = ("organization", "handle", "role")
    ORGANIZATION_FIELD_NUMBER: _ClassVar[int]
    HANDLE_FIELD_NUMBER: _ClassVar[int]
    ROLE_FIELD_NUMBER: _ClassVar[int]
    organization: str
    handle: str
    role: str
    def __init__(self, organization: _Optional[str] = ..., handle: _Optional[str] = ..., role: _Optional[str] = ...) -> None: ...

class RemoveMemberRequest(_message.Message):
    __slots__ = ("organization", "handle")
    ORGANIZATION_FIELD_NUMBER: _ClassVar[int]
    HANDLE_FIELD_NUMBER: _ClassVar[int]
    organization: str
    handle: str
    def __init__(self, organization: _Optional[str] = ..., handle: _Optional[str] = ...) -> None: ...

class RemoveMemberResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListMembersRequest(_message.Message):
    __slots__ = ("organization", "page_size", "page_token")
    ORGANIZATION_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    organization: str
    page_size: int
    page_token: str
    def __init__(self, organization: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListMembersResponse(_message.Message):
    __slots__ = ("members", "next_page_token")
    MEMBERS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    members: _containers.RepeatedCompositeFieldContainer[Member]
    next_page_token: str
    def __init__(self, members: _Optional[_Iterable[_Union[Member, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class ImportArchiveRequest(_message.Message):
    __slots__ = ("project", "visibility", "data")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    VISIBILITY_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    project: ProjectRef
    visibility: str
    data: bytes
    def __init__(self, project: _Optional[_Union[ProjectRef, _Mapping]] = ..., visibility: _Optional[str] = ..., data: _Optional[bytes] = ...) -> None: ...

class ImportArchiveResponse(_message.Message):
    __slots__ = ("stage", "done", "total", "project", "position")
    STAGE_FIELD_NUMBER: _ClassVar[int]
    DONE_FIELD_NUMBER: _ClassVar[int]
    TOTAL_FIELD_NUMBER: _ClassVar[int]
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    POSITION_FIELD_NUMBER: _ClassVar[int]
    stage: str
    done: int
    total: int
    project: Project
    position: int
    def __init__(self, stage: _Optional[str] = ..., done: _Optional[int] = ..., total: _Optional[int] = ..., project: _Optional[_Union[Project, _Mapping]] = ..., position: _Optional[int] = ...) -> None: ...

class ForgeArchiveRequest(_message.Message):
    __slots__ = ("project",)
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    project: ProjectRef
    def __init__(self, project: _Optional[_Union[ProjectRef, _Mapping]] = ...) -> None: ...

class StartForgeArchiveRequest(_message.Message):
    __slots__ = ("project", "url", "provider", "token")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    URL_FIELD_NUMBER: _ClassVar[int]
    PROVIDER_FIELD_NUMBER: _ClassVar[int]
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    project: ProjectRef
    url: str
    provider: str
    token: str
    def __init__(self, project: _Optional[_Union[ProjectRef, _Mapping]] = ..., url: _Optional[str] = ..., provider: _Optional[str] = ..., token: _Optional[str] = ...) -> None: ...

class ForgeArchiveResponse(_message.Message):
    __slots__ = ("archive", "run")
    ARCHIVE_FIELD_NUMBER: _ClassVar[int]
    RUN_FIELD_NUMBER: _ClassVar[int]
    archive: ForgeArchive
    run: ForgeArchiveRun
    def __init__(self, archive: _Optional[_Union[ForgeArchive, _Mapping]] = ..., run: _Optional[_Union[ForgeArchiveRun, _Mapping]] = ...) -> None: ...

class ForgeArchive(_message.Message):
    __slots__ = ("provider", "source", "fetched_at_ms", "counts", "warnings", "size")
    class CountsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: int
        def __init__(self, key: _Optional[str] = ..., value: _Optional[int] = ...) -> None: ...
    PROVIDER_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    FETCHED_AT_MS_FIELD_NUMBER: _ClassVar[int]
    COUNTS_FIELD_NUMBER: _ClassVar[int]
    WARNINGS_FIELD_NUMBER: _ClassVar[int]
    SIZE_FIELD_NUMBER: _ClassVar[int]
    provider: str
    source: str
    fetched_at_ms: int
    counts: _containers.ScalarMap[str, int]
    warnings: _containers.RepeatedScalarFieldContainer[str]
    size: int
    def __init__(self, provider: _Optional[str] = ..., source: _Optional[str] = ..., fetched_at_ms: _Optional[int] = ..., counts: _Optional[_Mapping[str, int]] = ..., warnings: _Optional[_Iterable[str]] = ..., size: _Optional[int] = ...) -> None: ...

class ForgeArchiveRun(_message.Message):
    __slots__ = ("id", "provider", "source", "with_token", "state", "stage", "pages", "done", "warnings", "rests_until_ms", "error_code", "error", "hint", "created_at_ms", "updated_at_ms", "finished_at_ms")
    class DoneEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: int
        def __init__(self, key: _Optional[str] = ..., value: _Optional[int] = ...) -> None: ...
    ID_FIELD_NUMBER: _ClassVar[int]
    PROVIDER_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    WITH_TOKEN_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    STAGE_FIELD_NUMBER: _ClassVar[int]
    PAGES_FIELD_NUMBER: _ClassVar[int]
    DONE_FIELD_NUMBER: _ClassVar[int]
    WARNINGS_FIELD_NUMBER: _ClassVar[int]
    RESTS_UNTIL_MS_FIELD_NUMBER: _ClassVar[int]
    ERROR_CODE_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    HINT_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_MS_FIELD_NUMBER: _ClassVar[int]
    UPDATED_AT_MS_FIELD_NUMBER: _ClassVar[int]
    FINISHED_AT_MS_FIELD_NUMBER: _ClassVar[int]
    id: str
    provider: str
    source: str
    with_token: bool
    state: str
    stage: str
    pages: int
    done: _containers.ScalarMap[str, int]
    warnings: int
    rests_until_ms: int
    error_code: str
    error: str
    hint: str
    created_at_ms: int
    updated_at_ms: int
    finished_at_ms: int
    def __init__(self, id: _Optional[str] = ..., provider: _Optional[str] = ..., source: _Optional[str] = ..., with_token: _Optional[bool] = ..., state: _Optional[str] = ..., stage: _Optional[str] = ..., pages: _Optional[int] = ..., done: _Optional[_Mapping[str, int]] = ..., warnings: _Optional[int] = ..., rests_until_ms: _Optional[int] = ..., error_code: _Optional[str] = ..., error: _Optional[str] = ..., hint: _Optional[str] = ..., created_at_ms: _Optional[int] = ..., updated_at_ms: _Optional[int] = ..., finished_at_ms: _Optional[int] = ...) -> None: ...

class ForgeArchiveChunk(_message.Message):
    __slots__ = ("data",)
    DATA_FIELD_NUMBER: _ClassVar[int]
    data: bytes
    def __init__(self, data: _Optional[bytes] = ...) -> None: ...

class Project(_message.Message):
    __slots__ = ("id", "organization", "handle", "name", "description", "visibility", "head_position", "head_tree", "created_at_ms", "role", "fork_position", "forked_from", "forks", "archived_at_ms", "stars", "starred", "branch", "topics")
    ID_FIELD_NUMBER: _ClassVar[int]
    ORGANIZATION_FIELD_NUMBER: _ClassVar[int]
    HANDLE_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    VISIBILITY_FIELD_NUMBER: _ClassVar[int]
    HEAD_POSITION_FIELD_NUMBER: _ClassVar[int]
    HEAD_TREE_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_MS_FIELD_NUMBER: _ClassVar[int]
    ROLE_FIELD_NUMBER: _ClassVar[int]
    FORK_POSITION_FIELD_NUMBER: _ClassVar[int]
    FORKED_FROM_FIELD_NUMBER: _ClassVar[int]
    FORKS_FIELD_NUMBER: _ClassVar[int]
    ARCHIVED_AT_MS_FIELD_NUMBER: _ClassVar[int]
    STARS_FIELD_NUMBER: _ClassVar[int]
    STARRED_FIELD_NUMBER: _ClassVar[int]
    BRANCH_FIELD_NUMBER: _ClassVar[int]
    TOPICS_FIELD_NUMBER: _ClassVar[int]
    id: str
    organization: str
    handle: str
    name: str
    description: str
    visibility: str
    head_position: int
    head_tree: bytes
    created_at_ms: int
    role: str
    fork_position: int
    forked_from: str
    forks: int
    archived_at_ms: int
    stars: int
    starred: bool
    branch: str
    topics: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, id: _Optional[str] = ..., organization: _Optional[str] = ..., handle: _Optional[str] = ..., name: _Optional[str] = ..., description: _Optional[str] = ..., visibility: _Optional[str] = ..., head_position: _Optional[int] = ..., head_tree: _Optional[bytes] = ..., created_at_ms: _Optional[int] = ..., role: _Optional[str] = ..., fork_position: _Optional[int] = ..., forked_from: _Optional[str] = ..., forks: _Optional[int] = ..., archived_at_ms: _Optional[int] = ..., stars: _Optional[int] = ..., starred: _Optional[bool] = ..., branch: _Optional[str] = ..., topics: _Optional[_Iterable[str]] = ...) -> None: ...

class Topics(_message.Message):
    __slots__ = ("names",)
    NAMES_FIELD_NUMBER: _ClassVar[int]
    names: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, names: _Optional[_Iterable[str]] = ...) -> None: ...

class LanguageShare(_message.Message):
    __slots__ = ("language", "thousandths")
    LANGUAGE_FIELD_NUMBER: _ClassVar[int]
    THOUSANDTHS_FIELD_NUMBER: _ClassVar[int]
    language: str
    thousandths: int
    def __init__(self, language: _Optional[str] = ..., thousandths: _Optional[int] = ...) -> None: ...

class ExploreProjectsRequest(_message.Message):
    __slots__ = ("order", "topic", "language", "page_size", "page_token")
    ORDER_FIELD_NUMBER: _ClassVar[int]
    TOPIC_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    order: str
    topic: str
    language: str
    page_size: int
    page_token: str
    def __init__(self, order: _Optional[str] = ..., topic: _Optional[str] = ..., language: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ExploredProject(_message.Message):
    __slots__ = ("project", "stars", "new_stars", "landings", "people", "agents", "moved_at_ms", "languages")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    STARS_FIELD_NUMBER: _ClassVar[int]
    NEW_STARS_FIELD_NUMBER: _ClassVar[int]
    LANDINGS_FIELD_NUMBER: _ClassVar[int]
    PEOPLE_FIELD_NUMBER: _ClassVar[int]
    AGENTS_FIELD_NUMBER: _ClassVar[int]
    MOVED_AT_MS_FIELD_NUMBER: _ClassVar[int]
    LANGUAGES_FIELD_NUMBER: _ClassVar[int]
    project: Project
    stars: int
    new_stars: int
    landings: int
    people: int
    agents: int
    moved_at_ms: int
    languages: _containers.RepeatedCompositeFieldContainer[LanguageShare]
    def __init__(self, project: _Optional[_Union[Project, _Mapping]] = ..., stars: _Optional[int] = ..., new_stars: _Optional[int] = ..., landings: _Optional[int] = ..., people: _Optional[int] = ..., agents: _Optional[int] = ..., moved_at_ms: _Optional[int] = ..., languages: _Optional[_Iterable[_Union[LanguageShare, _Mapping]]] = ...) -> None: ...

class ExploreProjectsResponse(_message.Message):
    __slots__ = ("projects", "next_page_token")
    PROJECTS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    projects: _containers.RepeatedCompositeFieldContainer[ExploredProject]
    next_page_token: str
    def __init__(self, projects: _Optional[_Iterable[_Union[ExploredProject, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class ProjectRef(_message.Message):
    __slots__ = ("organization", "handle", "branch")
    ORGANIZATION_FIELD_NUMBER: _ClassVar[int]
    HANDLE_FIELD_NUMBER: _ClassVar[int]
    BRANCH_FIELD_NUMBER: _ClassVar[int]
    organization: str
    handle: str
    branch: str
    def __init__(self, organization: _Optional[str] = ..., handle: _Optional[str] = ..., branch: _Optional[str] = ...) -> None: ...

class Branch(_message.Message):
    __slots__ = ("name", "origin", "position", "head_position", "begun_by", "begun_at_ms", "last")
    NAME_FIELD_NUMBER: _ClassVar[int]
    ORIGIN_FIELD_NUMBER: _ClassVar[int]
    POSITION_FIELD_NUMBER: _ClassVar[int]
    HEAD_POSITION_FIELD_NUMBER: _ClassVar[int]
    BEGUN_BY_FIELD_NUMBER: _ClassVar[int]
    BEGUN_AT_MS_FIELD_NUMBER: _ClassVar[int]
    LAST_FIELD_NUMBER: _ClassVar[int]
    name: str
    origin: str
    position: int
    head_position: int
    begun_by: str
    begun_at_ms: int
    last: Session
    def __init__(self, name: _Optional[str] = ..., origin: _Optional[str] = ..., position: _Optional[int] = ..., head_position: _Optional[int] = ..., begun_by: _Optional[str] = ..., begun_at_ms: _Optional[int] = ..., last: _Optional[_Union[Session, _Mapping]] = ...) -> None: ...

class CreateBranchRequest(_message.Message):
    __slots__ = ("project", "name", "position")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    POSITION_FIELD_NUMBER: _ClassVar[int]
    project: ProjectRef
    name: str
    position: int
    def __init__(self, project: _Optional[_Union[ProjectRef, _Mapping]] = ..., name: _Optional[str] = ..., position: _Optional[int] = ...) -> None: ...

class BranchResponse(_message.Message):
    __slots__ = ("branch",)
    BRANCH_FIELD_NUMBER: _ClassVar[int]
    branch: Branch
    def __init__(self, branch: _Optional[_Union[Branch, _Mapping]] = ...) -> None: ...

class ListBranchesRequest(_message.Message):
    __slots__ = ("project", "page_size", "page_token")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    project: ProjectRef
    page_size: int
    page_token: str
    def __init__(self, project: _Optional[_Union[ProjectRef, _Mapping]] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListBranchesResponse(_message.Message):
    __slots__ = ("branches", "next_page_token")
    BRANCHES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    branches: _containers.RepeatedCompositeFieldContainer[Branch]
    next_page_token: str
    def __init__(self, branches: _Optional[_Iterable[_Union[Branch, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class DeleteBranchRequest(_message.Message):
    __slots__ = ("project", "name")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    project: ProjectRef
    name: str
    def __init__(self, project: _Optional[_Union[ProjectRef, _Mapping]] = ..., name: _Optional[str] = ...) -> None: ...

class DeleteBranchResponse(_message.Message):
    __slots__ = ("kept_until_ms",)
    KEPT_UNTIL_MS_FIELD_NUMBER: _ClassVar[int]
    kept_until_ms: int
    def __init__(self, kept_until_ms: _Optional[int] = ...) -> None: ...

class CreateProjectRequest(_message.Message):
    __slots__ = ("organization", "handle", "name", "description", "visibility", "fork_from")
    ORGANIZATION_FIELD_NUMBER: _ClassVar[int]
    HANDLE_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    VISIBILITY_FIELD_NUMBER: _ClassVar[int]
    FORK_FROM_FIELD_NUMBER: _ClassVar[int]
    organization: str
    handle: str
    name: str
    description: str
    visibility: str
    fork_from: str
    def __init__(self, organization: _Optional[str] = ..., handle: _Optional[str] = ..., name: _Optional[str] = ..., description: _Optional[str] = ..., visibility: _Optional[str] = ..., fork_from: _Optional[str] = ...) -> None: ...

class UpdateProjectRequest(_message.Message):
    __slots__ = ("project", "name", "description", "visibility", "topics")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    VISIBILITY_FIELD_NUMBER: _ClassVar[int]
    TOPICS_FIELD_NUMBER: _ClassVar[int]
    project: ProjectRef
    name: str
    description: str
    visibility: str
    topics: Topics
    def __init__(self, project: _Optional[_Union[ProjectRef, _Mapping]] = ..., name: _Optional[str] = ..., description: _Optional[str] = ..., visibility: _Optional[str] = ..., topics: _Optional[_Union[Topics, _Mapping]] = ...) -> None: ...

class DeleteProjectRequest(_message.Message):
    __slots__ = ("project",)
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    project: ProjectRef
    def __init__(self, project: _Optional[_Union[ProjectRef, _Mapping]] = ...) -> None: ...

class DeleteProjectResponse(_message.Message):
    __slots__ = ("forks", "restorable_until_ms")
    FORKS_FIELD_NUMBER: _ClassVar[int]
    RESTORABLE_UNTIL_MS_FIELD_NUMBER: _ClassVar[int]
    forks: int
    restorable_until_ms: int
    def __init__(self, forks: _Optional[int] = ..., restorable_until_ms: _Optional[int] = ...) -> None: ...

class RenameProjectRequest(_message.Message):
    __slots__ = ("project", "handle")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    HANDLE_FIELD_NUMBER: _ClassVar[int]
    project: ProjectRef
    handle: str
    def __init__(self, project: _Optional[_Union[ProjectRef, _Mapping]] = ..., handle: _Optional[str] = ...) -> None: ...

class TransferProjectRequest(_message.Message):
    __slots__ = ("project", "organization", "handle")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    ORGANIZATION_FIELD_NUMBER: _ClassVar[int]
    HANDLE_FIELD_NUMBER: _ClassVar[int]
    project: ProjectRef
    organization: str
    handle: str
    def __init__(self, project: _Optional[_Union[ProjectRef, _Mapping]] = ..., organization: _Optional[str] = ..., handle: _Optional[str] = ...) -> None: ...

class ArchiveProjectRequest(_message.Message):
    __slots__ = ("project", "undo")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    UNDO_FIELD_NUMBER: _ClassVar[int]
    project: ProjectRef
    undo: bool
    def __init__(self, project: _Optional[_Union[ProjectRef, _Mapping]] = ..., undo: _Optional[bool] = ...) -> None: ...

class RestoreProjectRequest(_message.Message):
    __slots__ = ("project",)
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    project: ProjectRef
    def __init__(self, project: _Optional[_Union[ProjectRef, _Mapping]] = ...) -> None: ...

class ListDeletedProjectsRequest(_message.Message):
    __slots__ = ("organization", "page_size", "page_token")
    ORGANIZATION_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    organization: str
    page_size: int
    page_token: str
    def __init__(self, organization: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class DeletedProject(_message.Message):
    __slots__ = ("organization", "handle", "name", "visibility", "deleted_at_ms", "deleted_by", "restorable_until_ms")
    ORGANIZATION_FIELD_NUMBER: _ClassVar[int]
    HANDLE_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    VISIBILITY_FIELD_NUMBER: _ClassVar[int]
    DELETED_AT_MS_FIELD_NUMBER: _ClassVar[int]
    DELETED_BY_FIELD_NUMBER: _ClassVar[int]
    RESTORABLE_UNTIL_MS_FIELD_NUMBER: _ClassVar[int]
    organization: str
    handle: str
    name: str
    visibility: str
    deleted_at_ms: int
    deleted_by: str
    restorable_until_ms: int
    def __init__(self, organization: _Optional[str] = ..., handle: _Optional[str] = ..., name: _Optional[str] = ..., visibility: _Optional[str] = ..., deleted_at_ms: _Optional[int] = ..., deleted_by: _Optional[str] = ..., restorable_until_ms: _Optional[int] = ...) -> None: ...

class ListDeletedProjectsResponse(_message.Message):
    __slots__ = ("projects", "next_page_token")
    PROJECTS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    projects: _containers.RepeatedCompositeFieldContainer[DeletedProject]
    next_page_token: str
    def __init__(self, projects: _Optional[_Iterable[_Union[DeletedProject, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class LineRule(_message.Message):
    __slots__ = ("lines", "who")
    LINES_FIELD_NUMBER: _ClassVar[int]
    WHO_FIELD_NUMBER: _ClassVar[int]
    lines: str
    who: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, lines: _Optional[str] = ..., who: _Optional[_Iterable[str]] = ...) -> None: ...

class Protection(_message.Message):
    __slots__ = ("lines", "paths")
    LINES_FIELD_NUMBER: _ClassVar[int]
    PATHS_FIELD_NUMBER: _ClassVar[int]
    lines: _containers.RepeatedCompositeFieldContainer[LineRule]
    paths: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, lines: _Optional[_Iterable[_Union[LineRule, _Mapping]]] = ..., paths: _Optional[_Iterable[str]] = ...) -> None: ...

class ProtectProjectRequest(_message.Message):
    __slots__ = ("project", "protection")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    PROTECTION_FIELD_NUMBER: _ClassVar[int]
    project: ProjectRef
    protection: Protection
    def __init__(self, project: _Optional[_Union[ProjectRef, _Mapping]] = ..., protection: _Optional[_Union[Protection, _Mapping]] = ...) -> None: ...

class GetProtectionRequest(_message.Message):
    __slots__ = ("project",)
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    project: ProjectRef
    def __init__(self, project: _Optional[_Union[ProjectRef, _Mapping]] = ...) -> None: ...

class ProtectionResponse(_message.Message):
    __slots__ = ("protection",)
    PROTECTION_FIELD_NUMBER: _ClassVar[int]
    protection: Protection
    def __init__(self, protection: _Optional[_Union[Protection, _Mapping]] = ...) -> None: ...

class ExplainOwnersRequest(_message.Message):
    __slots__ = ("project", "position", "head", "path")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    POSITION_FIELD_NUMBER: _ClassVar[int]
    HEAD_FIELD_NUMBER: _ClassVar[int]
    PATH_FIELD_NUMBER: _ClassVar[int]
    project: ProjectRef
    position: int
    head: bool
    path: bytes
    def __init__(self, project: _Optional[_Union[ProjectRef, _Mapping]] = ..., position: _Optional[int] = ..., head: _Optional[bool] = ..., path: _Optional[bytes] = ...) -> None: ...

class OwnersProblem(_message.Message):
    __slots__ = ("line", "message")
    LINE_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    line: int
    message: str
    def __init__(self, line: _Optional[int] = ..., message: _Optional[str] = ...) -> None: ...

class ExplainOwnersResponse(_message.Message):
    __slots__ = ("path", "position", "protected_by", "line", "pattern", "owners", "listed", "problems", "reason")
    PATH_FIELD_NUMBER: _ClassVar[int]
    POSITION_FIELD_NUMBER: _ClassVar[int]
    PROTECTED_BY_FIELD_NUMBER: _ClassVar[int]
    LINE_FIELD_NUMBER: _ClassVar[int]
    PATTERN_FIELD_NUMBER: _ClassVar[int]
    OWNERS_FIELD_NUMBER: _ClassVar[int]
    LISTED_FIELD_NUMBER: _ClassVar[int]
    PROBLEMS_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    path: bytes
    position: int
    protected_by: str
    line: int
    pattern: bytes
    owners: _containers.RepeatedScalarFieldContainer[str]
    listed: bool
    problems: _containers.RepeatedCompositeFieldContainer[OwnersProblem]
    reason: str
    def __init__(self, path: _Optional[bytes] = ..., position: _Optional[int] = ..., protected_by: _Optional[str] = ..., line: _Optional[int] = ..., pattern: _Optional[bytes] = ..., owners: _Optional[_Iterable[str]] = ..., listed: _Optional[bool] = ..., problems: _Optional[_Iterable[_Union[OwnersProblem, _Mapping]]] = ..., reason: _Optional[str] = ...) -> None: ...

class StarProjectRequest(_message.Message):
    __slots__ = ("project",)
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    project: ProjectRef
    def __init__(self, project: _Optional[_Union[ProjectRef, _Mapping]] = ...) -> None: ...

class StarResponse(_message.Message):
    __slots__ = ("stars", "starred")
    STARS_FIELD_NUMBER: _ClassVar[int]
    STARRED_FIELD_NUMBER: _ClassVar[int]
    stars: int
    starred: bool
    def __init__(self, stars: _Optional[int] = ..., starred: _Optional[bool] = ...) -> None: ...

class ListStarsRequest(_message.Message):
    __slots__ = ("page_size", "page_token")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class GetProjectRequest(_message.Message):
    __slots__ = ("project",)
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    project: ProjectRef
    def __init__(self, project: _Optional[_Union[ProjectRef, _Mapping]] = ...) -> None: ...

class ProjectResponse(_message.Message):
    __slots__ = ("project",)
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    project: Project
    def __init__(self, project: _Optional[_Union[Project, _Mapping]] = ...) -> None: ...

class ListProjectsRequest(_message.Message):
    __slots__ = ("organization", "page_size", "page_token")
    ORGANIZATION_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    organization: str
    page_size: int
    page_token: str
    def __init__(self, organization: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListProjectsResponse(_message.Message):
    __slots__ = ("projects", "next_page_token")
    PROJECTS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    projects: _containers.RepeatedCompositeFieldContainer[Project]
    next_page_token: str
    def __init__(self, projects: _Optional[_Iterable[_Union[Project, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class ListProjectMembersRequest(_message.Message):
    __slots__ = ("project", "page_size", "page_token")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    project: ProjectRef
    page_size: int
    page_token: str
    def __init__(self, project: _Optional[_Union[ProjectRef, _Mapping]] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class SetProjectMemberRequest(_message.Message):
    __slots__ = ("project", "handle", "role")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    HANDLE_FIELD_NUMBER: _ClassVar[int]
    ROLE_FIELD_NUMBER: _ClassVar[int]
    project: ProjectRef
    handle: str
    role: str
    def __init__(self, project: _Optional[_Union[ProjectRef, _Mapping]] = ..., handle: _Optional[str] = ..., role: _Optional[str] = ...) -> None: ...

class MemberResponse(_message.Message):
    __slots__ = ("member",)
    MEMBER_FIELD_NUMBER: _ClassVar[int]
    member: Member
    def __init__(self, member: _Optional[_Union[Member, _Mapping]] = ...) -> None: ...

class RemoveProjectMemberRequest(_message.Message):
    __slots__ = ("project", "handle")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    HANDLE_FIELD_NUMBER: _ClassVar[int]
    project: ProjectRef
    handle: str
    def __init__(self, project: _Optional[_Union[ProjectRef, _Mapping]] = ..., handle: _Optional[str] = ...) -> None: ...

class GetProjectTreeRequest(_message.Message):
    __slots__ = ("project", "position", "head", "prefix", "directory", "page_size", "page_token")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    POSITION_FIELD_NUMBER: _ClassVar[int]
    HEAD_FIELD_NUMBER: _ClassVar[int]
    PREFIX_FIELD_NUMBER: _ClassVar[int]
    DIRECTORY_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    project: ProjectRef
    position: int
    head: bool
    prefix: bytes
    directory: bool
    page_size: int
    page_token: str
    def __init__(self, project: _Optional[_Union[ProjectRef, _Mapping]] = ..., position: _Optional[int] = ..., head: _Optional[bool] = ..., prefix: _Optional[bytes] = ..., directory: _Optional[bool] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class TreeResponse(_message.Message):
    __slots__ = ("position", "tree", "paths", "modes", "kinds", "sizes", "hashes", "total_files", "total_bytes", "next_page_token")
    POSITION_FIELD_NUMBER: _ClassVar[int]
    TREE_FIELD_NUMBER: _ClassVar[int]
    PATHS_FIELD_NUMBER: _ClassVar[int]
    MODES_FIELD_NUMBER: _ClassVar[int]
    KINDS_FIELD_NUMBER: _ClassVar[int]
    SIZES_FIELD_NUMBER: _ClassVar[int]
    HASHES_FIELD_NUMBER: _ClassVar[int]
    TOTAL_FILES_FIELD_NUMBER: _ClassVar[int]
    TOTAL_BYTES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    position: int
    tree: bytes
    paths: _containers.RepeatedScalarFieldContainer[bytes]
    modes: _containers.RepeatedScalarFieldContainer[int]
    kinds: bytes
    sizes: _containers.RepeatedScalarFieldContainer[int]
    hashes: bytes
    total_files: int
    total_bytes: int
    next_page_token: str
    def __init__(self, position: _Optional[int] = ..., tree: _Optional[bytes] = ..., paths: _Optional[_Iterable[bytes]] = ..., modes: _Optional[_Iterable[int]] = ..., kinds: _Optional[bytes] = ..., sizes: _Optional[_Iterable[int]] = ..., hashes: _Optional[bytes] = ..., total_files: _Optional[int] = ..., total_bytes: _Optional[int] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class BlobFrame(_message.Message):
    __slots__ = ("hash", "size", "offset", "data", "encoding", "length", "chunk_list")
    class Encoding(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        RAW: _ClassVar[BlobFrame.Encoding]
        ZSTD: _ClassVar[BlobFrame.Encoding]
    RAW: BlobFrame.Encoding
    ZSTD: BlobFrame.Encoding
    HASH_FIELD_NUMBER: _ClassVar[int]
    SIZE_FIELD_NUMBER: _ClassVar[int]
    OFFSET_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    ENCODING_FIELD_NUMBER: _ClassVar[int]
    LENGTH_FIELD_NUMBER: _ClassVar[int]
    CHUNK_LIST_FIELD_NUMBER: _ClassVar[int]
    hash: bytes
    size: int
    offset: int
    data: bytes
    encoding: BlobFrame.Encoding
    length: int
    chunk_list: bool
    def __init__(self, hash: _Optional[bytes] = ..., size: _Optional[int] = ..., offset: _Optional[int] = ..., data: _Optional[bytes] = ..., encoding: _Optional[_Union[BlobFrame.Encoding, str]] = ..., length: _Optional[int] = ..., chunk_list: _Optional[bool] = ...) -> None: ...

class StreamBlobsRequest(_message.Message):
    __slots__ = ("project", "hashes", "tombstones", "session_id", "columns")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    HASHES_FIELD_NUMBER: _ClassVar[int]
    TOMBSTONES_FIELD_NUMBER: _ClassVar[int]
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    COLUMNS_FIELD_NUMBER: _ClassVar[int]
    project: ProjectRef
    hashes: bytes
    tombstones: bool
    session_id: bytes
    columns: bool
    def __init__(self, project: _Optional[_Union[ProjectRef, _Mapping]] = ..., hashes: _Optional[bytes] = ..., tombstones: _Optional[bool] = ..., session_id: _Optional[bytes] = ..., columns: _Optional[bool] = ...) -> None: ...

class BlobChunk(_message.Message):
    __slots__ = ("frames", "tombstones", "columns")
    FRAMES_FIELD_NUMBER: _ClassVar[int]
    TOMBSTONES_FIELD_NUMBER: _ClassVar[int]
    COLUMNS_FIELD_NUMBER: _ClassVar[int]
    frames: _containers.RepeatedCompositeFieldContainer[BlobFrame]
    tombstones: _containers.RepeatedCompositeFieldContainer[Tombstone]
    columns: BlobColumns
    def __init__(self, frames: _Optional[_Iterable[_Union[BlobFrame, _Mapping]]] = ..., tombstones: _Optional[_Iterable[_Union[Tombstone, _Mapping]]] = ..., columns: _Optional[_Union[BlobColumns, _Mapping]] = ...) -> None: ...

class BlobColumns(_message.Message):
    __slots__ = ("hashes", "sizes", "lengths", "data")
    HASHES_FIELD_NUMBER: _ClassVar[int]
    SIZES_FIELD_NUMBER: _ClassVar[int]
    LENGTHS_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    hashes: bytes
    sizes: _containers.RepeatedScalarFieldContainer[int]
    lengths: _containers.RepeatedScalarFieldContainer[int]
    data: bytes
    def __init__(self, hashes: _Optional[bytes] = ..., sizes: _Optional[_Iterable[int]] = ..., lengths: _Optional[_Iterable[int]] = ..., data: _Optional[bytes] = ...) -> None: ...

class Tombstone(_message.Message):
    __slots__ = ("hash", "size", "at_ms", "by", "text")
    HASH_FIELD_NUMBER: _ClassVar[int]
    SIZE_FIELD_NUMBER: _ClassVar[int]
    CLASS_FIELD_NUMBER: _ClassVar[int]
    AT_MS_FIELD_NUMBER: _ClassVar[int]
    BY_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    hash: bytes
    size: int
    at_ms: int
    by: str
    text: str
    def __init__(self, hash: _Optional[bytes] = ..., size: _Optional[int] = ..., at_ms: _Optional[int] = ..., by: _Optional[str] = ..., text: _Optional[str] = ..., **kwargs) -> None: ...

class FindMissingBlobsRequest(_message.Message):
    __slots__ = ("project", "hashes", "pages", "session_id")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    HASHES_FIELD_NUMBER: _ClassVar[int]
    PAGES_FIELD_NUMBER: _ClassVar[int]
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    project: ProjectRef
    hashes: bytes
    pages: bytes
    session_id: bytes
    def __init__(self, project: _Optional[_Union[ProjectRef, _Mapping]] = ..., hashes: _Optional[bytes] = ..., pages: _Optional[bytes] = ..., session_id: _Optional[bytes] = ...) -> None: ...

class FindMissingBlobsResponse(_message.Message):
    __slots__ = ("hashes", "pages")
    HASHES_FIELD_NUMBER: _ClassVar[int]
    PAGES_FIELD_NUMBER: _ClassVar[int]
    hashes: bytes
    pages: bytes
    def __init__(self, hashes: _Optional[bytes] = ..., pages: _Optional[bytes] = ...) -> None: ...

class UploadBlobsRequest(_message.Message):
    __slots__ = ("project", "frames")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    FRAMES_FIELD_NUMBER: _ClassVar[int]
    project: ProjectRef
    frames: _containers.RepeatedCompositeFieldContainer[BlobFrame]
    def __init__(self, project: _Optional[_Union[ProjectRef, _Mapping]] = ..., frames: _Optional[_Iterable[_Union[BlobFrame, _Mapping]]] = ...) -> None: ...

class UploadBlobsResponse(_message.Message):
    __slots__ = ("packs", "blobs", "bytes")
    PACKS_FIELD_NUMBER: _ClassVar[int]
    BLOBS_FIELD_NUMBER: _ClassVar[int]
    BYTES_FIELD_NUMBER: _ClassVar[int]
    packs: _containers.RepeatedScalarFieldContainer[bytes]
    blobs: int
    bytes: int
    def __init__(self, packs: _Optional[_Iterable[bytes]] = ..., blobs: _Optional[int] = ..., bytes: _Optional[int] = ...) -> None: ...

class ImportHistoryRequest(_message.Message):
    __slots__ = ("start", "frames", "commits", "finish")
    START_FIELD_NUMBER: _ClassVar[int]
    FRAMES_FIELD_NUMBER: _ClassVar[int]
    COMMITS_FIELD_NUMBER: _ClassVar[int]
    FINISH_FIELD_NUMBER: _ClassVar[int]
    start: ImportStart
    frames: _containers.RepeatedCompositeFieldContainer[BlobFrame]
    commits: _containers.RepeatedCompositeFieldContainer[ImportCommit]
    finish: bool
    def __init__(self, start: _Optional[_Union[ImportStart, _Mapping]] = ..., frames: _Optional[_Iterable[_Union[BlobFrame, _Mapping]]] = ..., commits: _Optional[_Iterable[_Union[ImportCommit, _Mapping]]] = ..., finish: _Optional[bool] = ...) -> None: ...

class ImportStart(_message.Message):
    __slots__ = ("project", "source", "commits", "tip", "branch", "accept_secrets")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    COMMITS_FIELD_NUMBER: _ClassVar[int]
    TIP_FIELD_NUMBER: _ClassVar[int]
    BRANCH_FIELD_NUMBER: _ClassVar[int]
    ACCEPT_SECRETS_FIELD_NUMBER: _ClassVar[int]
    project: ProjectRef
    source: str
    commits: int
    tip: bytes
    branch: str
    accept_secrets: str
    def __init__(self, project: _Optional[_Union[ProjectRef, _Mapping]] = ..., source: _Optional[str] = ..., commits: _Optional[int] = ..., tip: _Optional[bytes] = ..., branch: _Optional[str] = ..., accept_secrets: _Optional[str] = ...) -> None: ...

class ImportCommit(_message.Message):
    __slots__ = ("oid", "raw", "author_name", "author_email", "authored_at_ms", "message", "changes")
    OID_FIELD_NUMBER: _ClassVar[int]
    RAW_FIELD_NUMBER: _ClassVar[int]
    AUTHOR_NAME_FIELD_NUMBER: _ClassVar[int]
    AUTHOR_EMAIL_FIELD_NUMBER: _ClassVar[int]
    AUTHORED_AT_MS_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    CHANGES_FIELD_NUMBER: _ClassVar[int]
    oid: bytes
    raw: bytes
    author_name: str
    author_email: str
    authored_at_ms: int
    message: str
    changes: _containers.RepeatedCompositeFieldContainer[Change]
    def __init__(self, oid: _Optional[bytes] = ..., raw: _Optional[bytes] = ..., author_name: _Optional[str] = ..., author_email: _Optional[str] = ..., authored_at_ms: _Optional[int] = ..., message: _Optional[str] = ..., changes: _Optional[_Iterable[_Union[Change, _Mapping]]] = ...) -> None: ...

class ImportHistoryResponse(_message.Message):
    __slots__ = ("landed", "done", "position", "tree")
    LANDED_FIELD_NUMBER: _ClassVar[int]
    DONE_FIELD_NUMBER: _ClassVar[int]
    POSITION_FIELD_NUMBER: _ClassVar[int]
    TREE_FIELD_NUMBER: _ClassVar[int]
    landed: int
    done: bool
    position: int
    tree: bytes
    def __init__(self, landed: _Optional[int] = ..., done: _Optional[bool] = ..., position: _Optional[int] = ..., tree: _Optional[bytes] = ...) -> None: ...

class StartImportRequest(_message.Message):
    __slots__ = ("project", "url", "sent", "accept_secrets")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    URL_FIELD_NUMBER: _ClassVar[int]
    SENT_FIELD_NUMBER: _ClassVar[int]
    ACCEPT_SECRETS_FIELD_NUMBER: _ClassVar[int]
    project: ProjectRef
    url: str
    sent: SentRepository
    accept_secrets: str
    def __init__(self, project: _Optional[_Union[ProjectRef, _Mapping]] = ..., url: _Optional[str] = ..., sent: _Optional[_Union[SentRepository, _Mapping]] = ..., accept_secrets: _Optional[str] = ...) -> None: ...

class SentRepository(_message.Message):
    __slots__ = ("source", "names", "oids", "head", "detached", "pack", "size")
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    NAMES_FIELD_NUMBER: _ClassVar[int]
    OIDS_FIELD_NUMBER: _ClassVar[int]
    HEAD_FIELD_NUMBER: _ClassVar[int]
    DETACHED_FIELD_NUMBER: _ClassVar[int]
    PACK_FIELD_NUMBER: _ClassVar[int]
    SIZE_FIELD_NUMBER: _ClassVar[int]
    source: str
    names: _containers.RepeatedScalarFieldContainer[bytes]
    oids: bytes
    head: bytes
    detached: bytes
    pack: str
    size: int
    def __init__(self, source: _Optional[str] = ..., names: _Optional[_Iterable[bytes]] = ..., oids: _Optional[bytes] = ..., head: _Optional[bytes] = ..., detached: _Optional[bytes] = ..., pack: _Optional[str] = ..., size: _Optional[int] = ...) -> None: ...

class SendImportRequest(_message.Message):
    __slots__ = ("project", "id", "offset", "data")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    OFFSET_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    project: ProjectRef
    id: str
    offset: int
    data: bytes
    def __init__(self, project: _Optional[_Union[ProjectRef, _Mapping]] = ..., id: _Optional[str] = ..., offset: _Optional[int] = ..., data: _Optional[bytes] = ...) -> None: ...

class GetImportRequest(_message.Message):
    __slots__ = ("project", "id")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    project: ProjectRef
    id: str
    def __init__(self, project: _Optional[_Union[ProjectRef, _Mapping]] = ..., id: _Optional[str] = ...) -> None: ...

class ImportResponse(_message.Message):
    __slots__ = ("run",)
    RUN_FIELD_NUMBER: _ClassVar[int]
    run: GitImport
    def __init__(self, run: _Optional[_Union[GitImport, _Mapping]] = ...) -> None: ...

class GitImport(_message.Message):
    __slots__ = ("id", "source", "from_forge", "state", "stage", "size", "received", "refs", "objects_done", "objects_total", "landings_done", "landings_total", "marked", "aside", "position", "error_code", "error", "hint", "document", "created_at_ms", "updated_at_ms", "finished_at_ms")
    class MarkedEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: int
        def __init__(self, key: _Optional[str] = ..., value: _Optional[int] = ...) -> None: ...
    class AsideEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    ID_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    FROM_FORGE_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    STAGE_FIELD_NUMBER: _ClassVar[int]
    SIZE_FIELD_NUMBER: _ClassVar[int]
    RECEIVED_FIELD_NUMBER: _ClassVar[int]
    REFS_FIELD_NUMBER: _ClassVar[int]
    OBJECTS_DONE_FIELD_NUMBER: _ClassVar[int]
    OBJECTS_TOTAL_FIELD_NUMBER: _ClassVar[int]
    LANDINGS_DONE_FIELD_NUMBER: _ClassVar[int]
    LANDINGS_TOTAL_FIELD_NUMBER: _ClassVar[int]
    MARKED_FIELD_NUMBER: _ClassVar[int]
    ASIDE_FIELD_NUMBER: _ClassVar[int]
    POSITION_FIELD_NUMBER: _ClassVar[int]
    ERROR_CODE_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    HINT_FIELD_NUMBER: _ClassVar[int]
    DOCUMENT_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_MS_FIELD_NUMBER: _ClassVar[int]
    UPDATED_AT_MS_FIELD_NUMBER: _ClassVar[int]
    FINISHED_AT_MS_FIELD_NUMBER: _ClassVar[int]
    id: str
    source: str
    from_forge: bool
    state: str
    stage: str
    size: int
    received: int
    refs: int
    objects_done: int
    objects_total: int
    landings_done: int
    landings_total: int
    marked: _containers.ScalarMap[str, int]
    aside: _containers.ScalarMap[str, str]
    position: int
    error_code: str
    error: str
    hint: str
    document: str
    created_at_ms: int
    updated_at_ms: int
    finished_at_ms: int
    def __init__(self, id: _Optional[str] = ..., source: _Optional[str] = ..., from_forge: _Optional[bool] = ..., state: _Optional[str] = ..., stage: _Optional[str] = ..., size: _Optional[int] = ..., received: _Optional[int] = ..., refs: _Optional[int] = ..., objects_done: _Optional[int] = ..., objects_total: _Optional[int] = ..., landings_done: _Optional[int] = ..., landings_total: _Optional[int] = ..., marked: _Optional[_Mapping[str, int]] = ..., aside: _Optional[_Mapping[str, str]] = ..., position: _Optional[int] = ..., error_code: _Optional[str] = ..., error: _Optional[str] = ..., hint: _Optional[str] = ..., document: _Optional[str] = ..., created_at_ms: _Optional[int] = ..., updated_at_ms: _Optional[int] = ..., finished_at_ms: _Optional[int] = ...) -> None: ...

class GetImportTipsRequest(_message.Message):
    __slots__ = ("project",)
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    project: ProjectRef
    def __init__(self, project: _Optional[_Union[ProjectRef, _Mapping]] = ...) -> None: ...

class GetImportTipsResponse(_message.Message):
    __slots__ = ("oids",)
    OIDS_FIELD_NUMBER: _ClassVar[int]
    oids: bytes
    def __init__(self, oids: _Optional[bytes] = ...) -> None: ...

class SearchRequest(_message.Message):
    __slots__ = ("query", "kind", "page_size", "page_token")
    QUERY_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    query: str
    kind: str
    page_size: int
    page_token: str
    def __init__(self, query: _Optional[str] = ..., kind: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class FoundLine(_message.Message):
    __slots__ = ("line", "text")
    LINE_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    line: int
    text: str
    def __init__(self, line: _Optional[int] = ..., text: _Optional[str] = ...) -> None: ...

class SearchResult(_message.Message):
    __slots__ = ("kind", "organization", "project", "handle", "name", "path", "language", "lines", "more_lines", "position", "decision", "text", "author", "agent", "at_ms")
    KIND_FIELD_NUMBER: _ClassVar[int]
    ORGANIZATION_FIELD_NUMBER: _ClassVar[int]
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    HANDLE_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    PATH_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_FIELD_NUMBER: _ClassVar[int]
    LINES_FIELD_NUMBER: _ClassVar[int]
    MORE_LINES_FIELD_NUMBER: _ClassVar[int]
    POSITION_FIELD_NUMBER: _ClassVar[int]
    DECISION_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    AUTHOR_FIELD_NUMBER: _ClassVar[int]
    AGENT_FIELD_NUMBER: _ClassVar[int]
    AT_MS_FIELD_NUMBER: _ClassVar[int]
    kind: str
    organization: str
    project: str
    handle: str
    name: str
    path: bytes
    language: str
    lines: _containers.RepeatedCompositeFieldContainer[FoundLine]
    more_lines: bool
    position: int
    decision: int
    text: str
    author: str
    agent: str
    at_ms: int
    def __init__(self, kind: _Optional[str] = ..., organization: _Optional[str] = ..., project: _Optional[str] = ..., handle: _Optional[str] = ..., name: _Optional[str] = ..., path: _Optional[bytes] = ..., language: _Optional[str] = ..., lines: _Optional[_Iterable[_Union[FoundLine, _Mapping]]] = ..., more_lines: _Optional[bool] = ..., position: _Optional[int] = ..., decision: _Optional[int] = ..., text: _Optional[str] = ..., author: _Optional[str] = ..., agent: _Optional[str] = ..., at_ms: _Optional[int] = ...) -> None: ...

class SearchResponse(_message.Message):
    __slots__ = ("results", "next_page_token", "cut")
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    CUT_FIELD_NUMBER: _ClassVar[int]
    results: _containers.RepeatedCompositeFieldContainer[SearchResult]
    next_page_token: str
    cut: bool
    def __init__(self, results: _Optional[_Iterable[_Union[SearchResult, _Mapping]]] = ..., next_page_token: _Optional[str] = ..., cut: _Optional[bool] = ...) -> None: ...

class Message(_message.Message):
    __slots__ = ("role", "author", "text", "at_ms")
    ROLE_FIELD_NUMBER: _ClassVar[int]
    AUTHOR_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    AT_MS_FIELD_NUMBER: _ClassVar[int]
    role: str
    author: str
    text: str
    at_ms: int
    def __init__(self, role: _Optional[str] = ..., author: _Optional[str] = ..., text: _Optional[str] = ..., at_ms: _Optional[int] = ...) -> None: ...

class Alternative(_message.Message):
    __slots__ = ("what", "why_not")
    WHAT_FIELD_NUMBER: _ClassVar[int]
    WHY_NOT_FIELD_NUMBER: _ClassVar[int]
    what: str
    why_not: str
    def __init__(self, what: _Optional[str] = ..., why_not: _Optional[str] = ...) -> None: ...

class Decision(_message.Message):
    __slots__ = ("what", "why", "alternatives", "by", "evidence", "at_ms", "message")
    WHAT_FIELD_NUMBER: _ClassVar[int]
    WHY_FIELD_NUMBER: _ClassVar[int]
    ALTERNATIVES_FIELD_NUMBER: _ClassVar[int]
    BY_FIELD_NUMBER: _ClassVar[int]
    EVIDENCE_FIELD_NUMBER: _ClassVar[int]
    AT_MS_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    what: str
    why: str
    alternatives: _containers.RepeatedCompositeFieldContainer[Alternative]
    by: str
    evidence: str
    at_ms: int
    message: int
    def __init__(self, what: _Optional[str] = ..., why: _Optional[str] = ..., alternatives: _Optional[_Iterable[_Union[Alternative, _Mapping]]] = ..., by: _Optional[str] = ..., evidence: _Optional[str] = ..., at_ms: _Optional[int] = ..., message: _Optional[int] = ...) -> None: ...

class Author(_message.Message):
    __slots__ = ("name", "email")
    NAME_FIELD_NUMBER: _ClassVar[int]
    EMAIL_FIELD_NUMBER: _ClassVar[int]
    name: str
    email: str
    def __init__(self, name: _Optional[str] = ..., email: _Optional[str] = ...) -> None: ...

class Change(_message.Message):
    __slots__ = ("path", "op", "mode", "hash", "size", "base_hash", "base_mode", "kind", "sent_hash", "copied_from")
    class Op(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        ADDED: _ClassVar[Change.Op]
        MODIFIED: _ClassVar[Change.Op]
        DELETED: _ClassVar[Change.Op]
    ADDED: Change.Op
    MODIFIED: Change.Op
    DELETED: Change.Op
    PATH_FIELD_NUMBER: _ClassVar[int]
    OP_FIELD_NUMBER: _ClassVar[int]
    MODE_FIELD_NUMBER: _ClassVar[int]
    HASH_FIELD_NUMBER: _ClassVar[int]
    SIZE_FIELD_NUMBER: _ClassVar[int]
    BASE_HASH_FIELD_NUMBER: _ClassVar[int]
    BASE_MODE_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    SENT_HASH_FIELD_NUMBER: _ClassVar[int]
    COPIED_FROM_FIELD_NUMBER: _ClassVar[int]
    path: bytes
    op: Change.Op
    mode: int
    hash: bytes
    size: int
    base_hash: bytes
    base_mode: int
    kind: int
    sent_hash: bytes
    copied_from: bytes
    def __init__(self, path: _Optional[bytes] = ..., op: _Optional[_Union[Change.Op, str]] = ..., mode: _Optional[int] = ..., hash: _Optional[bytes] = ..., size: _Optional[int] = ..., base_hash: _Optional[bytes] = ..., base_mode: _Optional[int] = ..., kind: _Optional[int] = ..., sent_hash: _Optional[bytes] = ..., copied_from: _Optional[bytes] = ...) -> None: ...

class Brought(_message.Message):
    __slots__ = ("forge", "project", "session", "position")
    FORGE_FIELD_NUMBER: _ClassVar[int]
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    SESSION_FIELD_NUMBER: _ClassVar[int]
    POSITION_FIELD_NUMBER: _ClassVar[int]
    forge: str
    project: str
    session: str
    position: int
    def __init__(self, forge: _Optional[str] = ..., project: _Optional[str] = ..., session: _Optional[str] = ..., position: _Optional[int] = ...) -> None: ...

class Session(_message.Message):
    __slots__ = ("id", "state", "goal", "author", "agent", "base_position", "landed_position", "created_at_ms", "updated_at_ms", "conversation", "decisions", "changes", "owner", "git_commit", "additions", "deletions", "files", "pushed_at_ms", "refusal", "touch", "came_from", "came_at", "writers", "attributed", "based_on", "brought", "transcript", "usage")
    ID_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    GOAL_FIELD_NUMBER: _ClassVar[int]
    AUTHOR_FIELD_NUMBER: _ClassVar[int]
    AGENT_FIELD_NUMBER: _ClassVar[int]
    BASE_POSITION_FIELD_NUMBER: _ClassVar[int]
    LANDED_POSITION_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_MS_FIELD_NUMBER: _ClassVar[int]
    UPDATED_AT_MS_FIELD_NUMBER: _ClassVar[int]
    CONVERSATION_FIELD_NUMBER: _ClassVar[int]
    DECISIONS_FIELD_NUMBER: _ClassVar[int]
    CHANGES_FIELD_NUMBER: _ClassVar[int]
    OWNER_FIELD_NUMBER: _ClassVar[int]
    GIT_COMMIT_FIELD_NUMBER: _ClassVar[int]
    ADDITIONS_FIELD_NUMBER: _ClassVar[int]
    DELETIONS_FIELD_NUMBER: _ClassVar[int]
    FILES_FIELD_NUMBER: _ClassVar[int]
    PUSHED_AT_MS_FIELD_NUMBER: _ClassVar[int]
    REFUSAL_FIELD_NUMBER: _ClassVar[int]
    TOUCH_FIELD_NUMBER: _ClassVar[int]
    CAME_FROM_FIELD_NUMBER: _ClassVar[int]
    CAME_AT_FIELD_NUMBER: _ClassVar[int]
    WRITERS_FIELD_NUMBER: _ClassVar[int]
    ATTRIBUTED_FIELD_NUMBER: _ClassVar[int]
    BASED_ON_FIELD_NUMBER: _ClassVar[int]
    BROUGHT_FIELD_NUMBER: _ClassVar[int]
    TRANSCRIPT_FIELD_NUMBER: _ClassVar[int]
    USAGE_FIELD_NUMBER: _ClassVar[int]
    id: bytes
    state: str
    goal: str
    author: Author
    agent: str
    base_position: int
    landed_position: int
    created_at_ms: int
    updated_at_ms: int
    conversation: _containers.RepeatedCompositeFieldContainer[Message]
    decisions: _containers.RepeatedCompositeFieldContainer[Decision]
    changes: _containers.RepeatedCompositeFieldContainer[Change]
    owner: str
    git_commit: bytes
    additions: int
    deletions: int
    files: int
    pushed_at_ms: int
    refusal: str
    touch: str
    came_from: bytes
    came_at: int
    writers: _containers.RepeatedCompositeFieldContainer[Writer]
    attributed: _containers.RepeatedCompositeFieldContainer[FileLines]
    based_on: bytes
    brought: Brought
    transcript: KeptTranscript
    usage: _containers.RepeatedCompositeFieldContainer[Usage]
    def __init__(self, id: _Optional[bytes] = ..., state: _Optional[str] = ..., goal: _Optional[str] = ..., author: _Optional[_Union[Author, _Mapping]] = ..., agent: _Optional[str] = ..., base_position: _Optional[int] = ..., landed_position: _Optional[int] = ..., created_at_ms: _Optional[int] = ..., updated_at_ms: _Optional[int] = ..., conversation: _Optional[_Iterable[_Union[Message, _Mapping]]] = ..., decisions: _Optional[_Iterable[_Union[Decision, _Mapping]]] = ..., changes: _Optional[_Iterable[_Union[Change, _Mapping]]] = ..., owner: _Optional[str] = ..., git_commit: _Optional[bytes] = ..., additions: _Optional[int] = ..., deletions: _Optional[int] = ..., files: _Optional[int] = ..., pushed_at_ms: _Optional[int] = ..., refusal: _Optional[str] = ..., touch: _Optional[str] = ..., came_from: _Optional[bytes] = ..., came_at: _Optional[int] = ..., writers: _Optional[_Iterable[_Union[Writer, _Mapping]]] = ..., attributed: _Optional[_Iterable[_Union[FileLines, _Mapping]]] = ..., based_on: _Optional[bytes] = ..., brought: _Optional[_Union[Brought, _Mapping]] = ..., transcript: _Optional[_Union[KeptTranscript, _Mapping]] = ..., usage: _Optional[_Iterable[_Union[Usage, _Mapping]]] = ...) -> None: ...

class Usage(_message.Message):
    __slots__ = ("model", "read", "written", "cached", "source")
    MODEL_FIELD_NUMBER: _ClassVar[int]
    READ_FIELD_NUMBER: _ClassVar[int]
    WRITTEN_FIELD_NUMBER: _ClassVar[int]
    CACHED_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    model: str
    read: int
    written: int
    cached: int
    source: str
    def __init__(self, model: _Optional[str] = ..., read: _Optional[int] = ..., written: _Optional[int] = ..., cached: _Optional[int] = ..., source: _Optional[str] = ...) -> None: ...

class KeptTranscript(_message.Message):
    __slots__ = ("seen_by", "messages", "conversation")
    SEEN_BY_FIELD_NUMBER: _ClassVar[int]
    MESSAGES_FIELD_NUMBER: _ClassVar[int]
    CONVERSATION_FIELD_NUMBER: _ClassVar[int]
    seen_by: str
    messages: int
    conversation: _containers.RepeatedCompositeFieldContainer[Message]
    def __init__(self, seen_by: _Optional[str] = ..., messages: _Optional[int] = ..., conversation: _Optional[_Iterable[_Union[Message, _Mapping]]] = ...) -> None: ...

class Writer(_message.Message):
    __slots__ = ("kind", "name", "message")
    KIND_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    kind: str
    name: str
    message: int
    def __init__(self, kind: _Optional[str] = ..., name: _Optional[str] = ..., message: _Optional[int] = ...) -> None: ...

class FileLines(_message.Message):
    __slots__ = ("path", "content", "runs")
    PATH_FIELD_NUMBER: _ClassVar[int]
    CONTENT_FIELD_NUMBER: _ClassVar[int]
    RUNS_FIELD_NUMBER: _ClassVar[int]
    path: bytes
    content: bytes
    runs: _containers.RepeatedCompositeFieldContainer[LineRun]
    def __init__(self, path: _Optional[bytes] = ..., content: _Optional[bytes] = ..., runs: _Optional[_Iterable[_Union[LineRun, _Mapping]]] = ...) -> None: ...

class LineRun(_message.Message):
    __slots__ = ("first", "lines", "writer")
    FIRST_FIELD_NUMBER: _ClassVar[int]
    LINES_FIELD_NUMBER: _ClassVar[int]
    WRITER_FIELD_NUMBER: _ClassVar[int]
    first: int
    lines: int
    writer: int
    def __init__(self, first: _Optional[int] = ..., lines: _Optional[int] = ..., writer: _Optional[int] = ...) -> None: ...

class StartSessionRequest(_message.Message):
    __slots__ = ("project", "session_id", "goal", "base_position", "agent")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    GOAL_FIELD_NUMBER: _ClassVar[int]
    BASE_POSITION_FIELD_NUMBER: _ClassVar[int]
    AGENT_FIELD_NUMBER: _ClassVar[int]
    project: ProjectRef
    session_id: bytes
    goal: str
    base_position: int
    agent: str
    def __init__(self, project: _Optional[_Union[ProjectRef, _Mapping]] = ..., session_id: _Optional[bytes] = ..., goal: _Optional[str] = ..., base_position: _Optional[int] = ..., agent: _Optional[str] = ...) -> None: ...

class SessionResponse(_message.Message):
    __slots__ = ("session",)
    SESSION_FIELD_NUMBER: _ClassVar[int]
    session: Session
    def __init__(self, session: _Optional[_Union[Session, _Mapping]] = ...) -> None: ...

class LandSessionRequest(_message.Message):
    __slots__ = ("project", "session", "frames", "packs", "asynchronous", "pushed")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    SESSION_FIELD_NUMBER: _ClassVar[int]
    FRAMES_FIELD_NUMBER: _ClassVar[int]
    PACKS_FIELD_NUMBER: _ClassVar[int]
    ASYNCHRONOUS_FIELD_NUMBER: _ClassVar[int]
    PUSHED_FIELD_NUMBER: _ClassVar[int]
    project: ProjectRef
    session: Session
    frames: _containers.RepeatedCompositeFieldContainer[BlobFrame]
    packs: _containers.RepeatedScalarFieldContainer[bytes]
    asynchronous: bool
    pushed: bool
    def __init__(self, project: _Optional[_Union[ProjectRef, _Mapping]] = ..., session: _Optional[_Union[Session, _Mapping]] = ..., frames: _Optional[_Iterable[_Union[BlobFrame, _Mapping]]] = ..., packs: _Optional[_Iterable[bytes]] = ..., asynchronous: _Optional[bool] = ..., pushed: _Optional[bool] = ...) -> None: ...

class PushSessionRequest(_message.Message):
    __slots__ = ("project", "session", "frames", "packs", "after_ms")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    SESSION_FIELD_NUMBER: _ClassVar[int]
    FRAMES_FIELD_NUMBER: _ClassVar[int]
    PACKS_FIELD_NUMBER: _ClassVar[int]
    AFTER_MS_FIELD_NUMBER: _ClassVar[int]
    project: ProjectRef
    session: Session
    frames: _containers.RepeatedCompositeFieldContainer[BlobFrame]
    packs: _containers.RepeatedScalarFieldContainer[bytes]
    after_ms: int
    def __init__(self, project: _Optional[_Union[ProjectRef, _Mapping]] = ..., session: _Optional[_Union[Session, _Mapping]] = ..., frames: _Optional[_Iterable[_Union[BlobFrame, _Mapping]]] = ..., packs: _Optional[_Iterable[bytes]] = ..., after_ms: _Optional[int] = ...) -> None: ...

class Clash(_message.Message):
    __slots__ = ("path", "reason", "base_hash", "ours_hash", "theirs_hash", "theirs_position")
    PATH_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    BASE_HASH_FIELD_NUMBER: _ClassVar[int]
    OURS_HASH_FIELD_NUMBER: _ClassVar[int]
    THEIRS_HASH_FIELD_NUMBER: _ClassVar[int]
    THEIRS_POSITION_FIELD_NUMBER: _ClassVar[int]
    path: bytes
    reason: str
    base_hash: bytes
    ours_hash: bytes
    theirs_hash: bytes
    theirs_position: int
    def __init__(self, path: _Optional[bytes] = ..., reason: _Optional[str] = ..., base_hash: _Optional[bytes] = ..., ours_hash: _Optional[bytes] = ..., theirs_hash: _Optional[bytes] = ..., theirs_position: _Optional[int] = ...) -> None: ...

class LandSessionResponse(_message.Message):
    __slots__ = ("session", "position", "tree", "clashes", "merged", "already_landed", "queued")
    SESSION_FIELD_NUMBER: _ClassVar[int]
    POSITION_FIELD_NUMBER: _ClassVar[int]
    TREE_FIELD_NUMBER: _ClassVar[int]
    CLASHES_FIELD_NUMBER: _ClassVar[int]
    MERGED_FIELD_NUMBER: _ClassVar[int]
    ALREADY_LANDED_FIELD_NUMBER: _ClassVar[int]
    QUEUED_FIELD_NUMBER: _ClassVar[int]
    session: Session
    position: int
    tree: bytes
    clashes: _containers.RepeatedCompositeFieldContainer[Clash]
    merged: _containers.RepeatedCompositeFieldContainer[Change]
    already_landed: bool
    queued: bool
    def __init__(self, session: _Optional[_Union[Session, _Mapping]] = ..., position: _Optional[int] = ..., tree: _Optional[bytes] = ..., clashes: _Optional[_Iterable[_Union[Clash, _Mapping]]] = ..., merged: _Optional[_Iterable[_Union[Change, _Mapping]]] = ..., already_landed: _Optional[bool] = ..., queued: _Optional[bool] = ...) -> None: ...

class AwaitLandingRequest(_message.Message):
    __slots__ = ("project", "session_id", "wait_ms")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    WAIT_MS_FIELD_NUMBER: _ClassVar[int]
    project: ProjectRef
    session_id: bytes
    wait_ms: int
    def __init__(self, project: _Optional[_Union[ProjectRef, _Mapping]] = ..., session_id: _Optional[bytes] = ..., wait_ms: _Optional[int] = ...) -> None: ...

class AbandonSessionRequest(_message.Message):
    __slots__ = ("project", "session_id", "session", "after_ms")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    SESSION_FIELD_NUMBER: _ClassVar[int]
    AFTER_MS_FIELD_NUMBER: _ClassVar[int]
    project: ProjectRef
    session_id: bytes
    session: Session
    after_ms: int
    def __init__(self, project: _Optional[_Union[ProjectRef, _Mapping]] = ..., session_id: _Optional[bytes] = ..., session: _Optional[_Union[Session, _Mapping]] = ..., after_ms: _Optional[int] = ...) -> None: ...

class GetSessionRequest(_message.Message):
    __slots__ = ("project", "session_id", "position", "id_prefix")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    POSITION_FIELD_NUMBER: _ClassVar[int]
    ID_PREFIX_FIELD_NUMBER: _ClassVar[int]
    project: ProjectRef
    session_id: bytes
    position: int
    id_prefix: str
    def __init__(self, project: _Optional[_Union[ProjectRef, _Mapping]] = ..., session_id: _Optional[bytes] = ..., position: _Optional[int] = ..., id_prefix: _Optional[str] = ...) -> None: ...

class ListSessionsRequest(_message.Message):
    __slots__ = ("project", "state", "page_size", "page_token", "resumable", "goal", "author", "agent", "path")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    RESUMABLE_FIELD_NUMBER: _ClassVar[int]
    GOAL_FIELD_NUMBER: _ClassVar[int]
    AUTHOR_FIELD_NUMBER: _ClassVar[int]
    AGENT_FIELD_NUMBER: _ClassVar[int]
    PATH_FIELD_NUMBER: _ClassVar[int]
    project: ProjectRef
    state: str
    page_size: int
    page_token: str
    resumable: bool
    goal: str
    author: str
    agent: str
    path: bytes
    def __init__(self, project: _Optional[_Union[ProjectRef, _Mapping]] = ..., state: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., resumable: _Optional[bool] = ..., goal: _Optional[str] = ..., author: _Optional[str] = ..., agent: _Optional[str] = ..., path: _Optional[bytes] = ...) -> None: ...

class ListSessionsResponse(_message.Message):
    __slots__ = ("sessions", "next_page_token")
    SESSIONS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    sessions: _containers.RepeatedCompositeFieldContainer[Session]
    next_page_token: str
    def __init__(self, sessions: _Optional[_Iterable[_Union[Session, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class ListLandingsRequest(_message.Message):
    __slots__ = ("project", "before_position", "page_size", "page_token", "path", "after_position")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    BEFORE_POSITION_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    PATH_FIELD_NUMBER: _ClassVar[int]
    AFTER_POSITION_FIELD_NUMBER: _ClassVar[int]
    project: ProjectRef
    before_position: int
    page_size: int
    page_token: str
    path: bytes
    after_position: int
    def __init__(self, project: _Optional[_Union[ProjectRef, _Mapping]] = ..., before_position: _Optional[int] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., path: _Optional[bytes] = ..., after_position: _Optional[int] = ...) -> None: ...

class ListLandingsResponse(_message.Message):
    __slots__ = ("landings", "next_page_token")
    LANDINGS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    landings: _containers.RepeatedCompositeFieldContainer[Session]
    next_page_token: str
    def __init__(self, landings: _Optional[_Iterable[_Union[Session, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class BlameFileRequest(_message.Message):
    __slots__ = ("project", "path", "position", "head", "first_line", "lines", "why")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    PATH_FIELD_NUMBER: _ClassVar[int]
    POSITION_FIELD_NUMBER: _ClassVar[int]
    HEAD_FIELD_NUMBER: _ClassVar[int]
    FIRST_LINE_FIELD_NUMBER: _ClassVar[int]
    LINES_FIELD_NUMBER: _ClassVar[int]
    WHY_FIELD_NUMBER: _ClassVar[int]
    project: ProjectRef
    path: bytes
    position: int
    head: bool
    first_line: int
    lines: int
    why: bool
    def __init__(self, project: _Optional[_Union[ProjectRef, _Mapping]] = ..., path: _Optional[bytes] = ..., position: _Optional[int] = ..., head: _Optional[bool] = ..., first_line: _Optional[int] = ..., lines: _Optional[int] = ..., why: _Optional[bool] = ...) -> None: ...

class BlameHunk(_message.Message):
    __slots__ = ("first_line", "lines", "position", "first_line_there", "path", "not_further", "written_by", "of_line", "writer", "message", "alike")
    FIRST_LINE_FIELD_NUMBER: _ClassVar[int]
    LINES_FIELD_NUMBER: _ClassVar[int]
    POSITION_FIELD_NUMBER: _ClassVar[int]
    FIRST_LINE_THERE_FIELD_NUMBER: _ClassVar[int]
    PATH_FIELD_NUMBER: _ClassVar[int]
    NOT_FURTHER_FIELD_NUMBER: _ClassVar[int]
    WRITTEN_BY_FIELD_NUMBER: _ClassVar[int]
    OF_LINE_FIELD_NUMBER: _ClassVar[int]
    WRITER_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    ALIKE_FIELD_NUMBER: _ClassVar[int]
    first_line: int
    lines: int
    position: int
    first_line_there: int
    path: bytes
    not_further: bool
    written_by: str
    of_line: bool
    writer: str
    message: int
    alike: bool
    def __init__(self, first_line: _Optional[int] = ..., lines: _Optional[int] = ..., position: _Optional[int] = ..., first_line_there: _Optional[int] = ..., path: _Optional[bytes] = ..., not_further: _Optional[bool] = ..., written_by: _Optional[str] = ..., of_line: _Optional[bool] = ..., writer: _Optional[str] = ..., message: _Optional[int] = ..., alike: _Optional[bool] = ...) -> None: ...

class BlamedLanding(_message.Message):
    __slots__ = ("session", "written_by")
    SESSION_FIELD_NUMBER: _ClassVar[int]
    WRITTEN_BY_FIELD_NUMBER: _ClassVar[int]
    session: Session
    written_by: str
    def __init__(self, session: _Optional[_Union[Session, _Mapping]] = ..., written_by: _Optional[str] = ...) -> None: ...

class Why(_message.Message):
    __slots__ = ("position", "path", "about_file", "numbers", "decisions", "others", "lines")
    POSITION_FIELD_NUMBER: _ClassVar[int]
    PATH_FIELD_NUMBER: _ClassVar[int]
    ABOUT_FILE_FIELD_NUMBER: _ClassVar[int]
    NUMBERS_FIELD_NUMBER: _ClassVar[int]
    DECISIONS_FIELD_NUMBER: _ClassVar[int]
    OTHERS_FIELD_NUMBER: _ClassVar[int]
    LINES_FIELD_NUMBER: _ClassVar[int]
    position: int
    path: bytes
    about_file: bool
    numbers: _containers.RepeatedScalarFieldContainer[int]
    decisions: _containers.RepeatedCompositeFieldContainer[Decision]
    others: int
    lines: _containers.RepeatedCompositeFieldContainer[DecidedLines]
    def __init__(self, position: _Optional[int] = ..., path: _Optional[bytes] = ..., about_file: _Optional[bool] = ..., numbers: _Optional[_Iterable[int]] = ..., decisions: _Optional[_Iterable[_Union[Decision, _Mapping]]] = ..., others: _Optional[int] = ..., lines: _Optional[_Iterable[_Union[DecidedLines, _Mapping]]] = ...) -> None: ...

class DecidedLines(_message.Message):
    __slots__ = ("number", "first", "last")
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    FIRST_FIELD_NUMBER: _ClassVar[int]
    LAST_FIELD_NUMBER: _ClassVar[int]
    number: int
    first: int
    last: int
    def __init__(self, number: _Optional[int] = ..., first: _Optional[int] = ..., last: _Optional[int] = ...) -> None: ...

class BlameFileResponse(_message.Message):
    __slots__ = ("position", "written_at", "hash", "size", "total_lines", "hunks", "landings", "whys", "next_line")
    POSITION_FIELD_NUMBER: _ClassVar[int]
    WRITTEN_AT_FIELD_NUMBER: _ClassVar[int]
    HASH_FIELD_NUMBER: _ClassVar[int]
    SIZE_FIELD_NUMBER: _ClassVar[int]
    TOTAL_LINES_FIELD_NUMBER: _ClassVar[int]
    HUNKS_FIELD_NUMBER: _ClassVar[int]
    LANDINGS_FIELD_NUMBER: _ClassVar[int]
    WHYS_FIELD_NUMBER: _ClassVar[int]
    NEXT_LINE_FIELD_NUMBER: _ClassVar[int]
    position: int
    written_at: int
    hash: bytes
    size: int
    total_lines: int
    hunks: _containers.RepeatedCompositeFieldContainer[BlameHunk]
    landings: _containers.RepeatedCompositeFieldContainer[BlamedLanding]
    whys: _containers.RepeatedCompositeFieldContainer[Why]
    next_line: int
    def __init__(self, position: _Optional[int] = ..., written_at: _Optional[int] = ..., hash: _Optional[bytes] = ..., size: _Optional[int] = ..., total_lines: _Optional[int] = ..., hunks: _Optional[_Iterable[_Union[BlameHunk, _Mapping]]] = ..., landings: _Optional[_Iterable[_Union[BlamedLanding, _Mapping]]] = ..., whys: _Optional[_Iterable[_Union[Why, _Mapping]]] = ..., next_line: _Optional[int] = ...) -> None: ...
