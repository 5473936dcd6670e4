/** nginx's configuration: the page and the way to the broker, over TLS 1.2 and newer, for nobody without a name. Pure. */
import { filesOf, type Place } from "./place.ts";
import type { Register } from "./register.ts";

/** A connection that says nothing for so long is dead: the page sends a ping each minute. */
const silentSeconds = 180;

/** `account` null: the workers run as whoever starts nginx. */
export function webText(place: Place, { ports }: Register, account: string | null): string {
  const files = filesOf(place);
  return `# Made from station.json; what is written here by hand is lost.
${account === null ? "" : `user ${account};\n`}worker_processes 1;
daemon off;
pid ${files.webProcess};
error_log stderr warn;
events { worker_connections 1024; }
http {
  types { text/html html; application/json json; application/x-x509-ca-cert crt; text/javascript js; text/css css; image/svg+xml svg; image/png png; }
  default_type application/octet-stream;
  access_log off;
  server_tokens off;
  gzip on;
  gzip_types application/json text/javascript text/css image/svg+xml;
  client_max_body_size 1k;
  client_body_temp_path ${place.webRun}/body;
  proxy_temp_path ${place.webRun}/proxy;
  fastcgi_temp_path ${place.webRun}/fastcgi;
  uwsgi_temp_path ${place.webRun}/uwsgi;
  scgi_temp_path ${place.webRun}/scgi;
  limit_req_zone $binary_remote_addr zone=logins:1m rate=2r/s;
  limit_conn_zone $binary_remote_addr zone=people:1m;
  server {
    listen ${ports.https} ssl;
    ssl_certificate ${files.brokerCertificate};
    ssl_certificate_key ${files.brokerKey};
    ssl_protocols TLSv1.2 TLSv1.3;
    ssl_session_cache shared:tls:1m;
    root ${place.page};
    add_header Content-Security-Policy "default-src 'none'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; connect-src 'self' wss://$http_host; manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'" always;
    add_header X-Content-Type-Options nosniff always;
    add_header Referrer-Policy no-referrer always;
    add_header Cache-Control no-cache always;
    location / { try_files $uri $uri/index.html =404; }
    location = /mqtt {
      # Each connection is a login: a guesser gets two a second.
      limit_req zone=logins burst=40 nodelay;
      limit_conn people 64;
      proxy_pass http://127.0.0.1:${ports.websocket};
      proxy_http_version 1.1;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection upgrade;
      proxy_set_header Host $host;
      proxy_read_timeout ${silentSeconds}s;
      proxy_send_timeout ${silentSeconds}s;
    }
  }
}
`;
}
