import { createServer, type Server } from 'node:http';
import express from 'express';
import type { DataPlane } from './data-plane.ts';
import { EMPTY_STATE } from './routing-state.ts';

/** Reads only: what changes a router is in the control topic. */
export function adminServer(plane: DataPlane): Server {
  const app = express().disable('x-powered-by');
  const server = createServer(app);
  app.use((req, res, next) => {
    // A page that a browser has open may have its own name resolved to this address; it cannot forge the Host.
    if (allowedHosts(plane, server).has(req.headers.host ?? '')) return next();
    res.status(421).type('application/problem+json');
    res.send({
      type: 'about:blank',
      title: 'this Host is not allowed',
      status: 421,
      detail: 'Name it in router.adminAllowedHosts.',
    });
  });
  app.get('/livez', (_req, res) => void res.type('text').send('ok\n'));
  app.get('/readyz', (_req, res) => {
    const notReady = plane.draining ? 'draining' : plane.state === EMPTY_STATE ? 'no routing state yet' : undefined;
    res
      .status(notReady ? 503 : 200)
      .type('text')
      .send(`${notReady ?? 'ok'}\n`);
  });
  app.get('/metrics', async (_req, res) => {
    const { registry } = plane.metrics;
    res.type(registry.contentType).send(await registry.metrics());
  });
  app.get('/state', (_req, res) => void res.json(plane.state));
  return server;
}

function allowedHosts({ settings }: DataPlane, server: Server): Set<string> {
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : undefined;
  const names = [settings.admin.host, '127.0.0.1', 'localhost', '[::1]'];
  return new Set([...names.map((name) => `${name}:${port}`), ...settings.admin.allowedHosts]);
}
