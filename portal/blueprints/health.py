"""Whether the process lives, for a supervisor or a load balancer. It depends on nothing."""

from __future__ import annotations

from flask import Blueprint

from portal.web import public

bp = Blueprint("health", __name__)


@bp.get("/healthz")
@public
def healthz() -> str:
    return "ok\n"
