"""Why nothing was found, where the index itself is the reason."""

from khojd.cli import output
from khojd.daemon.client import Client
from khojd.errors import NotFound
from khojd.server.types import IndexStatus, NoParams


def why_nothing(client: Client, folders: tuple[str, ...] = ()) -> str:
    """Why there may be no hit, for a person. Raises NotFound when a folder that was asked for is not indexed."""
    status = client.call("khoj/index/status", NoParams(), IndexStatus)
    roots = [folder.path for folder in status.folders]
    for path in folders:
        if not any(_holds(root, path) or _holds(path, root) for root in roots):
            raise NotFound(f"{path} is in none of the indexed folders; add it with `khojd index --add {path}`", path=path)
    if not roots:
        return "nothing found: no folder is indexed yet; add one with `khojd index --add FOLDER`"
    if status.running or status.queue or status.words_pending or status.vectors_pending:
        return "nothing found so far: notes are still being read (see `khojd status`)"
    return f"nothing found in {output.count(status.indexed, 'file')}"


def _holds(folder: str, path: str) -> bool:
    return path == folder or path.startswith(folder.rstrip("/") + "/")
