"""Whether the process lives and is fit to work, for a supervisor or a load balancer; the details for those in charge."""

from __future__ import annotations

from flask import Blueprint, Response, current_app, make_response

from portal.extensions import limiter
from portal.models import Role
from portal.oversight.readiness import LATE, Installation, full, quick
from portal.web import public, reply, roles

bp = Blueprint("health", __name__)


@bp.get("/healthz")
@public
def healthz() -> str:
    return "ok\n"


@bp.get("/readyz")
@public
@limiter.limit("120 per minute")
def readyz() -> Response:
    """One word a check; 503 when one fails. Details are only for people signed in."""
    checks = quick(_installation())
    body = "".join(f"{check.id} {check.word}\n" for check in checks)
    answer = make_response(body, 503 if any(check.tone == LATE for check in checks) else 200)
    answer.mimetype = "text/plain"
    return answer


@bp.get("/admin/readiness")
@roles(Role.ADMINISTRATOR, Role.AUDITOR)
def readiness() -> Response:
    return reply("admin/readiness.html", checks=full(_installation()))


def _installation() -> Installation:
    app = current_app
    return Installation(
        app.extensions["settings"], app.extensions["store"], app.extensions["migrate"].directory
    )
