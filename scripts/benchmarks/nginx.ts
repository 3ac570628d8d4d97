import { mkdirSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../lib/mariadb.ts';
import type { Part, Workshop } from './workshop.ts';

/** A private nginx of one process that proxies to `origin` over kept connections. */
export async function startNginx(
  workshop: Workshop,
  origin: string,
  core: number,
): Promise<{ origin: string; part: Part }> {
  const port = await freePort();
  const folder = workshop.path('nginx');
  mkdirSync(folder);
  const file = workshop.path('nginx', 'nginx.conf');
  writeFileSync(file, configuration(folder, port, new URL(origin).host));
  const part = workshop.start('nginx', ['-p', folder, '-e', 'stderr', '-c', file], { core });
  for (let attempt = 0; attempt < 100 && part.running; attempt++) {
    const ready = await fetch(`http://127.0.0.1:${port}/`).then(
      (response) => response.ok,
      () => false,
    );
    if (ready) return { origin: `http://127.0.0.1:${port}`, part };
    await sleep(50);
  }
  throw part.failure();
}

function configuration(folder: string, port: number, upstream: string): string {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `${name}_temp_path ${folder}/${name};`,
  );
  return `daemon off;
master_process off;
pid ${folder}/pid;
events { worker_connections 1024; }
http {
  access_log off;
  ${temporary.join('\n  ')}
  keepalive_requests 1000000000;
  upstream behind { server ${upstream}; keepalive 64; keepalive_requests 1000000000; }
  server {
    listen 127.0.0.1:${port};
    location / {
      proxy_pass http://behind;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $host;
      proxy_set_header X-Forwarded-For $remote_addr;
      proxy_set_header X-Forwarded-Proto $scheme;
    }
  }
}
`;
}
