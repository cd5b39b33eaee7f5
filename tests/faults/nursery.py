"""Processes that index and can be killed. Started once with everything imported, it forks one child for each line of its input.

Input: a JSON object {"notes", "index", "seconds"}; the child indexes and embeds `notes` into `index` and ends, or is killed after
`seconds`. Output: {"seconds": how long it ran, "killed": whether it was, "failed": whether it ended by an error}.
"""

import asyncio
import json
import os
import signal
import sys
import time


def main() -> None:
    import chromadb  # noqa: F401 - imported once for all children
    import onnxruntime  # noqa: F401

    from khojd.config import Config, Embedding, Folder, Index
    from khojd.engine import Engine

    async def run(notes: str, index: str) -> None:
        from pathlib import Path

        config = Config(folders=(Folder(path=notes),), index=Index(watch="off", workers=2), embedding=Embedding(threads=1))
        engine = await Engine.open(config, index_dir=Path(index))
        await engine.update(embed=True)
        await engine.close()

    for line in sys.stdin:
        order = json.loads(line)
        started = time.monotonic()
        child = os.fork()
        if child == 0:
            status = 1
            try:
                asyncio.run(run(order["notes"], order["index"]))
                status = 0
            finally:
                os._exit(status)
        if order["seconds"] is not None:
            time.sleep(order["seconds"])
            os.kill(child, signal.SIGKILL)
        _, ended = os.waitpid(child, 0)
        print(
            json.dumps(
                {
                    "pid": child,
                    "seconds": time.monotonic() - started,
                    "killed": os.WIFSIGNALED(ended),
                    "failed": os.WIFEXITED(ended) and os.WEXITSTATUS(ended) != 0,
                }
            ),
            flush=True,
        )
