import { fileURLToPath } from 'node:url';
import { median, spread } from '../lib/statistics.ts';
import type { LoadOptions, LoadResult } from './load-process.ts';
import { isInstalled, load, usageOf } from './machine.ts';
import { startNginx } from './nginx.ts';
import { atLeast, atMost, type Benchmark, type Row, type Setting } from './types.ts';
import type { Part } from './workshop.ts';

/** The measured server has this core to itself, the servers behind it and the load have the other. */
const MEASURED_CORE = 0;
const OTHER_CORE = 1;
const CONNECTIONS = 64;

interface Target {
  name: string;
  server: Server;
  path: string;
  cookie?: string;
  /** What `Banyan-Served-By` must begin with. */
  servedBy?: string;
  rates: number[];
  p99Ms: number[];
  /** CPU of the measured server, a request. */
  cpuMicroseconds: number[];
}

interface Server {
  origin: string;
  part: Part;
}

const SIGNED_IN = 'sid=3f1c9a7e5b2d4860a1c3e5f7';

/** Requests a second through the router on one core, beside bare http-proxy-middleware and nginx. */
export const router: Benchmark = async (setting) => {
  const { quick, say } = setting;
  const { origin } = await server(setting, new URL('./upstream-process.ts', import.meta.url), [], OTHER_CORE);
  const routed = await server(setting, new URL('./router-process.ts', import.meta.url), [origin], MEASURED_CORE);
  const bare = await server(setting, new URL('./proxy-process.ts', import.meta.url), [origin], MEASURED_CORE);
  const nginx = isInstalled('nginx') ? await startNginx(setting.workshop, origin, MEASURED_CORE) : undefined;
  const targets = [
    target('bare http-proxy-middleware', bare, '/posts/7'),
    target('a route that nobody lists', routed, '/lists/7', { servedBy: 'monolith;domain=-;reason=unlisted' }),
    target('a read at 0 %, to the monolith', routed, '/posts/7/claps', {
      servedBy: 'monolith;domain=claps;reason=ramp',
    }),
    target('a read at 100 %, to the service', routed, '/posts/7', { servedBy: 'service;domain=posts' }),
    target('the same, signed in, identity cached', routed, '/posts/7', {
      servedBy: 'service;domain=posts',
      cookie: SIGNED_IN,
    }),
    target('everything: 50 %, signed in, own writes', routed, '/publications/rust-review-1', {
      servedBy: 'service;domain=publications',
      cookie: `${SIGNED_IN}; banyan_position=0000000001:000000000000004711`,
    }),
    ...(nginx ? [target('nginx', nginx, '/posts/7')] : []),
  ];
  for (const each of targets) await check(each);
  const rounds = quick ? 3 : 11;
  for (let round = 0; round <= rounds; round++) {
    // Short and by turns, so that what else goes on hits all alike. The first round warms everything up.
    for (const each of targets) await loadOn(setting, each, quick ? 1 : 2, round > 0);
    if (round > 0) say(`round ${round} of ${rounds}, load average ${load()}`);
  }
  return { rows: rowsOf(targets), notes: notesOn(targets, rounds) };
};

function target(name: string, server: Server, path: string, more: Partial<Target> = {}): Target {
  return { name, server, path, rates: [], p99Ms: [], cpuMicroseconds: [], ...more };
}

/** Starts one of the servers here; it answers with its origin. */
async function server({ workshop }: Setting, file: URL, args: string[], core: number): Promise<Server> {
  const part = workshop.node(fileURLToPath(file), args, { core, profiled: core === MEASURED_CORE });
  workshop.defer(() => part.stop());
  return { origin: await part.line(), part };
}

/** Is it answered as it should be, and by whom it should be? */
async function check({ name, server, path, cookie, servedBy = '' }: Target): Promise<void> {
  for (let again = 0; again < 3; again++) {
    const response = await fetch(server.origin + path, { headers: cookie === undefined ? {} : { cookie } });
    const body = await response.text();
    const by = response.headers.get('banyan-served-by') ?? '';
    if (response.status !== 200 || body.length !== 1024 || !by.startsWith(servedBy)) {
      throw new Error(`${name}: ${response.status}, ${body.length} bytes, served by ${by}`);
    }
  }
}

async function loadOn(setting: Setting, target: Target, seconds: number, counts: boolean): Promise<void> {
  const { server, path, cookie, rates, p99Ms, cpuMicroseconds } = target;
  const url = server.origin + path;
  const before = usageOf(server.part.pid);
  const result = isInstalled('wrk')
    ? await wrk(setting, url, cookie, seconds)
    : await ownLoad(setting, { url, seconds, connections: CONNECTIONS, ...(cookie !== undefined && { cookie }) });
  if (!counts) return;
  rates.push(result.requestsPerSecond);
  p99Ms.push(result.p99Ms);
  const cpuSeconds = usageOf(server.part.pid).cpuSeconds - before.cpuSeconds;
  cpuMicroseconds.push((cpuSeconds / (result.requestsPerSecond * seconds)) * 1e6);
}

async function wrk({ workshop }: Setting, url: string, cookie: string | undefined, seconds: number) {
  const options = ['-t1', `-c${CONNECTIONS}`, `-d${seconds}s`, '--latency'];
  const headers = cookie === undefined ? [] : ['-H', `Cookie: ${cookie}`];
  const text = await workshop.start('wrk', [...options, ...headers, url], { core: OTHER_CORE }).output();
  const rate = /Requests\/sec:\s+([\d.]+)/.exec(text)?.[1];
  const [, p99 = '', unit = ''] = /99%\s+([\d.]+)(us|ms|s)/.exec(text) ?? [];
  const errors = /Non-2xx.*|Socket errors.*/.exec(text)?.[0];
  if (rate === undefined || errors !== undefined) throw new Error(`wrk on ${url}: ${errors ?? text}`);
  return { requestsPerSecond: Number(rate), p99Ms: Number(p99) * ({ us: 0.001, ms: 1, s: 1000 }[unit] ?? 1) };
}

async function ownLoad({ workshop }: Setting, options: LoadOptions): Promise<LoadResult> {
  const args = [JSON.stringify(options)];
  return JSON.parse(
    await workshop.node('scripts/benchmarks/load-process.ts', args, { core: OTHER_CORE }).output(),
  ) as LoadResult;
}

function rowsOf([bare, ...others]: Target[]): Row[] {
  const figure = (each: Target, name: string, against: Target) => ({
    name,
    value: median(each.rates),
    unit: 'requests/s',
    reference: { name: against.name, value: median(against.rates) },
  });
  if (!bare) return [];
  const proxied = others.filter(({ name }) => name !== 'nginx');
  const nginx = others.find(({ name }) => name === 'nginx');
  const everything = proxied.at(-1) as Target;
  return [
    ...proxied.map((each) => atLeast(1, figure(each, each.name, bare))),
    atLeast(2, figure(everything, 'everything: the next goal', bare)),
    ...(nginx ? [atLeast(null, figure(everything, 'everything, beside nginx', nginx))] : []),
    atMost(null, {
      name: 'CPU of a request, everything',
      value: median(everything.cpuMicroseconds),
      unit: 'µs',
      reference: { name: bare.name, value: median(bare.cpuMicroseconds) },
    }),
  ];
}

function notesOn(targets: Target[], rounds: number): string[] {
  const tool = isInstalled('wrk') ? 'wrk' : 'a load of our own';
  const cores = `the measured server on core ${MEASURED_CORE}, all else on core ${OTHER_CORE}`;
  return [
    `1 kB of JSON, ${CONNECTIONS} connections, medians of ${rounds} rounds by turns, ${tool}; ${cores}`,
    ...targets.map(
      ({ name, rates, p99Ms, cpuMicroseconds }) =>
        `${name}: ${median(cpuMicroseconds).toFixed(1)} µs of CPU a request, p99 ${median(p99Ms).toFixed(1)} ms; ${spread(rates)} requests/s`,
    ),
    targets.some(({ name }) => name === 'nginx')
      ? 'nginx may be held up by the core that the load and the server behind share'
      : 'nginx is not installed',
  ];
}
