"""khoj/daemon/*: the process itself."""

from khojd.server import types
from khojd.server.method import Method
from khojd.server.session import Session


async def status(session: Session, _: types.NoParams) -> types.DaemonStatus:
    return session.host.status()


async def retire(session: Session, params: types.RetireParams) -> types.RetireResult:
    """Leave, so that a newer daemon can take over. Without `force` only when no other client would notice."""
    reason = "" if params.force else session.host.reason_to_stay(session)
    if not reason:
        session.host.retire()
    return types.RetireResult(retiring=not reason, reason=reason)


METHODS = (
    Method("khoj/daemon/status", types.NoParams, types.DaemonStatus, status),
    Method("khoj/daemon/retire", types.RetireParams, types.RetireResult, retire),
)
