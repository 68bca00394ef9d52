"""The independent AWS emulator on a free port of loopback; prints its address.

Started here rather than by its own command for one reason: its threads check a condition of DynamoDB and then write, and
nothing holds the two together, so that of two writers who saw the same version both may win. DynamoDB itself never does
that: its requests wait for each other here.
"""

import threading

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server

emulator = DomainDispatcherApplication(create_backend_app)
one_at_a_time = threading.Lock()


def answer(environ, start_response):
    if environ.get("HTTP_X_AMZ_TARGET", "").startswith("DynamoDB_"):
        with one_at_a_time:
            return list(emulator(environ, start_response))
    return emulator(environ, start_response)


server = make_server("127.0.0.1", 0, answer, threaded=True)
print(f"http://127.0.0.1:{server.server_port}", flush=True)
server.serve_forever()
