"""Serves a folder by a web framework as its own documentation shows it.

    python web_server.py tornado|aiohttp|starlette|bottle FOLDER

Prints HOST:PORT. What it needs is in web_servers.txt.
"""

import socket
import sys

KIND, FOLDER = sys.argv[1:]
LISTENER = socket.create_server(("127.0.0.1", 0), backlog=64)
print("%s:%d" % LISTENER.getsockname(), flush=True)

if KIND == "tornado":
    import asyncio

    from tornado.httpserver import HTTPServer
    from tornado.web import Application, StaticFileHandler

    async def main():
        LISTENER.setblocking(False)
        server = HTTPServer(Application([(r"/(.*)", StaticFileHandler, {"path": FOLDER})]))
        server.add_socket(LISTENER)
        await asyncio.Event().wait()

    asyncio.run(main())
elif KIND == "aiohttp":
    from aiohttp import web

    app = web.Application()
    app.router.add_static("/", FOLDER)
    web.run_app(app, sock=LISTENER, print=None)
elif KIND == "starlette":
    import uvicorn
    from starlette.applications import Starlette
    from starlette.routing import Mount
    from starlette.staticfiles import StaticFiles

    app = Starlette(routes=[Mount("/", StaticFiles(directory=FOLDER))])
    uvicorn.Server(uvicorn.Config(app, log_level="warning")).run(sockets=[LISTENER])
elif KIND == "bottle":
    import waitress
    from bottle import Bottle, static_file

    app = Bottle()
    app.route("/<path:path>", callback=lambda path: static_file(path, root=FOLDER))
    waitress.serve(app, sockets=[LISTENER])
