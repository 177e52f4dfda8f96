"""The phone's end of Apple's web services: curl with the hello of Safari on iOS (curl-impersonate), steered.

  apple_web_client.py IMPERSONATED

A request's moment is when curl had its connection ready (CURLINFO_PRETRANSFER_TIME), so after TLS.
"""

import asyncio
import concurrent.futures
import os
import pathlib
import sys
import time

from curl_cffi import CurlHttpVersion, CurlInfo
from curl_cffi.requests import Session

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import bodies  # noqa: E402
from agent import serve  # noqa: E402

sessions, thread = {}, concurrent.futures.ThreadPoolExecutor(1)


def perform(url, method, fields, body, bytes, seed, agent, version, keep):
    data = bodies.make(body, bytes, seed)[1] if body else None
    host = url.split("/")[2]
    session = sessions.pop(host, None) or Session(
        impersonate=sys.argv[1], verify=os.environ["SSL_CERT_FILE"], default_headers=False, timeout=30, trust_env=False,
        curl_infos=[CurlInfo.PRETRANSFER_TIME])
    begin = time.time()
    options = {"http_version": CurlHttpVersion.V1_1} if version == 1 else {}
    try:
        answer = session.request(method, url, data=data, headers={"user-agent": agent} | fields, **options)
        real = begin + answer.infos[CurlInfo.PRETRANSFER_TIME]
        return {"real": round(real, 6), "status": answer.status_code, "received": len(answer.content),
                "local": [answer.local_ip, answer.local_port], "remote": [answer.primary_ip, answer.primary_port]}
    finally:
        if keep:
            sessions[host] = session
        else:
            session.close()


async def request(url, method="GET", fields=None, body=None, bytes=0, seed=0, agent="", version=2, keep=False):
    # One thread for all: a session has a curl, and so connections, for each thread that asks.
    return await asyncio.get_running_loop().run_in_executor(
        thread, perform, url, method, fields or {}, body, bytes, seed, agent, version, keep)


async def at_end():
    for session in sessions.values():
        session.close()


asyncio.run(serve({"request": request}, at_end))
