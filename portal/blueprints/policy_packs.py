"""What the policy packs set, each value with its document and clause; open to everybody signed in."""

from __future__ import annotations

from flask import Blueprint, Response, request
from flask_login import current_user

from portal.blueprints import local_conditions
from portal.cases.offices import policy_of
from portal.oversight.policy_reading import groups
from portal.policies import PolicyError, all_policies
from portal.web import actor, found, reply

bp = Blueprint("policy_packs", __name__, url_prefix="/policy")


@bp.get("")
def index() -> Response:
    """The pack of the own office, or the one asked for."""
    packs = all_policies()
    own = _own_code()
    shown = found(packs.get(request.args.get("pack", "") or own or next(iter(packs))))
    parent = packs[shown.lineage[1]] if len(shown.lineage) > 1 else None
    return reply(
        "policy/index.html",
        packs=packs,
        own=own,
        shown=shown,
        parent=parent,
        groups=groups(shown, parent),
        local=actor().role in local_conditions.READERS,
    )


def _own_code() -> str:
    try:
        return policy_of(current_user.account.office).code
    except PolicyError:
        return ""
