import http from 'node:http';
import { createProxyMiddleware } from 'http-proxy-middleware';
import { exitWhenAsked, listening } from './server.ts';

/** Bare http-proxy-middleware, called from a plain server: `proxy-process.ts ORIGIN`. */
const proxy = createProxyMiddleware({
  target: process.argv[2] ?? '',
  agent: new http.Agent({ keepAlive: true }),
});
const server = http.createServer((req, res) => {
  void proxy(req, res, (error) => {
    res.statusCode = 502;
    res.end(String(error));
  });
});
process.stdout.write(`${await listening(server)}\n`);
exitWhenAsked();
