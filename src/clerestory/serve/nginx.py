"""A configuration for nginx in front of the server: TLS, HTTP/2 and many slow readers are its trade.

It must not make a takedown slower than promised: pages stay in its cache for a second at most, nothing stale
is ever sent, and downloads pass through unbuffered, so that one which is cut behind is cut in front.
"""

from __future__ import annotations

from string import Template

from clerestory.errors import InputError

CACHE_SECONDS = 1
"""Seconds for which nginx keeps a page; with the server's own second, the bound of a takedown behind it."""

_CONFIGURATION = Template(
    """\
# nginx in front of `clerestory serve --port $port --proxy 127.0.0.1`.
# Made by `clerestory serve --nginx`. Answers that nginx gives from its cache are in its own log only.
worker_processes auto;
error_log stderr warn;
pid $folder/nginx.pid;

events { worker_connections 4096; }

http {
    include /etc/nginx/mime.types;
    server_tokens off;
    access_log $folder/nginx-access.log;
    client_body_temp_path $folder/nginx-body;
    proxy_temp_path $folder/nginx-proxy;
    fastcgi_temp_path $folder/nginx-none;
    uwsgi_temp_path $folder/nginx-none;
    scgi_temp_path $folder/nginx-none;

    proxy_cache_path $folder/nginx-cache levels=1:2 keys_zone=site:4m max_size=256m
                     inactive=60s use_temp_path=off;

    # Slow and large requests.
    client_header_timeout 10s;
    client_body_timeout 10s;
    send_timeout 20s;
    keepalive_timeout 15s;
    client_max_body_size 8k;
    client_header_buffer_size 4k;
    large_client_header_buffers 4 8k;
    limit_conn_zone $$binary_remote_addr zone=addresses:4m;
    limit_req_zone $$binary_remote_addr zone=reports:1m rate=5r/m;

    upstream clerestory {
        server 127.0.0.1:$port;
        keepalive 16;
    }

    server {
        listen $listen;
        server_name $name;
        # With a certificate: listen 443 ssl http2; ssl_certificate …; ssl_certificate_key …; and
        # add_header strict-transport-security "max-age=31536000" always;

        limit_conn addresses 64;
        ignore_invalid_headers on;
        merge_slashes off;

        proxy_http_version 1.1;
        proxy_set_header Connection "";
        proxy_set_header Host $$host;
        proxy_set_header X-Forwarded-For $$remote_addr;
        proxy_connect_timeout 2s;
        proxy_read_timeout 20s;
        # One that does not answer is not hidden: nothing stale, no second try elsewhere.
        proxy_next_upstream off;
        proxy_intercept_errors off;

        # Pages: one request behind for many in front, and no answer older than $cache s.
        location / {
            proxy_pass http://clerestory;
            proxy_cache site;
            proxy_cache_key $$request_method$$uri$$is_args$$args$$http_accept_encoding;
            proxy_ignore_headers Cache-Control Expires X-Accel-Expires Vary;
            proxy_cache_valid 200 308 $keep;
            proxy_cache_revalidate on;
            proxy_cache_lock on;
            proxy_cache_lock_timeout 2s;
            proxy_cache_use_stale off;
            proxy_cache_background_update off;
            proxy_no_cache $$http_range;
            proxy_cache_bypass $$http_range;
        }

        # Downloads and everything that may be large: through, piece by piece, never kept.
        location ~ \\.(csv|parquet|arrow|json|jsonl|zip|gz|xlsx|ods|pdf)$$ {
            proxy_pass http://clerestory;
            proxy_buffering off;
            proxy_max_temp_file_size 0;
        }

        location = /report {
            limit_req zone=reports burst=10 nodelay;
            limit_req_status 429;
            proxy_pass http://clerestory;
        }
    }
}
"""
)


def configuration(
    port: int,
    *,
    max_age: int,
    listen: str = "80",
    name: str = "_",
    folder: str = "/var/lib/nginx",
) -> str:
    """The whole nginx.conf. port: the server's; max_age: the server's, which bounds what nginx keeps.

    listen, name: as nginx has them; folder: where nginx keeps its process number, cache and log.
    Raises InputError if the port is none that nginx could be told.
    """
    if not 0 < port < 65536:
        raise InputError("nginx must know the server's port", where=f"--port {port}", fix="name one")
    seconds = min(CACHE_SECONDS, max_age)
    return _CONFIGURATION.substitute(
        port=port,
        listen=listen,
        name=name,
        folder=folder,
        cache=seconds,
        keep=f"{seconds}s" if seconds else "0s",
    )
