"""Workers on this machine."""

import json
import socket


def tf_configs(count: int) -> list[str]:
    """Return what ``TF_CONFIG`` holds for each of some workers, on ports that are free now."""
    sockets = [socket.create_server(("localhost", 0)) for _ in range(count)]
    cluster = {"worker": [f"localhost:{one.getsockname()[1]}" for one in sockets]}
    for one in sockets:
        one.close()
    tasks = ({"type": "worker", "index": index} for index in range(count))
    return [json.dumps({"cluster": cluster, "task": task}) for task in tasks]
