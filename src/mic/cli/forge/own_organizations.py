"""The organizations of whoever asks, page by page."""

from __future__ import annotations

from mic.rpc.client import Client
from mic.rpc.v1 import mic_pb2 as pb


def all_organizations(client: Client) -> list[pb.Organization]:
    """The organizations of whoever asks."""
    found: list[pb.Organization] = []
    request = pb.ListOrganizationsRequest(page_size=1000)
    while True:
        page = client.call(client.organizations.ListOrganizations, request)
        found.extend(page.organizations)
        if not page.next_page_token:
            return found
        request.page_token = page.next_page_token
