"""allauth keeps addresses in rows of its own, beside the one of the user."""

from __future__ import annotations

from allauth.account.models import EmailAddress

from portal.accounts.models import User


def count_as_verified(user: User) -> None:
    """The address of `user` is one whose mailbox was read, or that was given in the administration.

    Without such a row allauth would take it for an address that is still to be changed to.
    """
    address, _is_new = EmailAddress.objects.get_or_create(user=user, email=user.email)
    if not (address.verified and address.primary):
        address.set_verified()
        address.set_as_primary()
