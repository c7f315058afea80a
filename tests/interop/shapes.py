"""Checks a running venue's raw answers against the documented field lists: REST, streams, user data, WebSocket API.

Usage: shapes.py CONFIG.json (see cases.py). The cases are named after the shapes; `only` may name groups by their
beginning: "GET", "POST", "stream", "event", "ws-api".
"""

import cases
import shape_rest  # noqa: F401  its cases register themselves, in this order
import shape_streams  # noqa: F401
import shape_ws_api  # noqa: F401
from shape_world import make_world

if __name__ == "__main__":
    cases.run(make_world)
