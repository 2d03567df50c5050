#!/usr/bin/env bash
# What tinyproxy answers to a client without a password, and to one with a wrong one.
#
# A good guess: a proxy that wants a password says 407 with Proxy-Authenticate, and says the same to whoever comes with
# a wrong one (RFC 9110, 11.7.1 and 15.5.8). 401 with WWW-Authenticate is the server's word.
#
# What happens (tinyproxy 1.11.1 of Debian 12): 407 where there is no Proxy-Authorization, and 401 "Unauthorized" with
# WWW-Authenticate where there is one that is wrong, for GET through the proxy and for CONNECT alike. The server has
# never been asked. A client that goes by the number says that the server wants a password, and people look there. A 401
# that comes by a plain proxy, or as an answer to CONNECT, may be the proxy's own: an error has to name both.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
export TMPDIR=$folder
cd "$folder"
apt-get download tinyproxy-bin 2>/dev/null >/dev/null
dpkg -x tinyproxy-bin_*.deb root
cat >ask.py <<'PYTHON'
import base64
import http.client
import pathlib
import socket
import subprocess
import sys
import time

program = "root/usr/bin/tinyproxy"
with socket.create_server(("127.0.0.1", 0)) as free:
    port = free.getsockname()[1]
pathlib.Path("proxy.conf").write_text(
    f"Port {port}\nListen 127.0.0.1\nTimeout 10\nMaxClients 5\nBasicAuth reader right\n"
)
print(subprocess.run([program, "-v"], capture_output=True, text=True, check=True).stdout.strip())
proxy = subprocess.Popen([program, "-d", "-c", "proxy.conf"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
origin = socket.create_server(("127.0.0.1", 0))
origin.settimeout(0.2)
server = f"127.0.0.1:{origin.getsockname()[1]}"


def ask(method, password):
    for attempt in range(100):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        headers = {}
        if password is not None:
            word = base64.b64encode(f"reader:{password}".encode()).decode()
            headers["Proxy-Authorization"] = f"Basic {word}"
        try:
            connection.request(method, f"http://{server}/a.npy" if method == "GET" else server, headers=headers)
            answer = connection.getresponse()
        except OSError:
            time.sleep(0.1)
            continue
        challenge = [name for name in ("Proxy-Authenticate", "WWW-Authenticate") if name in answer.headers]
        connection.close()
        return answer.status, challenge
    sys.exit("the proxy does not answer")


found = []
try:
    for password in (None, "wrong"):
        for method in ("GET", "CONNECT"):
            seen = ask(method, password)
            print(f"{method}, password {password}: {seen[0]}, {', '.join(seen[1])}")
            found.append(seen)
    try:
        origin.accept()
        was_asked = True
    except TimeoutError:
        was_asked = False
finally:
    proxy.terminate()
    proxy.wait()
print(f"the server was asked: {was_asked}")
as_found = found == [(407, ["Proxy-Authenticate"])] * 2 + [(401, ["WWW-Authenticate"])] * 2 and not was_asked
sys.exit(0 if as_found else "it does something else now")
PYTHON
python3 ask.py
