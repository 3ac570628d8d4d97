import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { table } from '../cli/table.ts';
import { capture } from './benchmarks/capture.ts';
import { etl } from './benchmarks/etl.ts';
import { fence } from './benchmarks/fence.ts';
import { kafka } from './benchmarks/kafka/kafka.ts';
import { latency } from './benchmarks/latency.ts';
import { load, machine } from './benchmarks/machine.ts';
import { memory } from './benchmarks/memory.ts';
import { replay } from './benchmarks/replay.ts';
import { router } from './benchmarks/router.ts';
import { takeover } from './benchmarks/takeover.ts';
import type { Benchmark, Result, Row } from './benchmarks/types.ts';
import { Workshop } from './benchmarks/workshop.ts';

/** `scripts/bench [name …]`: measures, and says which bars are met. Exits with 1 when something could not be measured. */
const BENCHMARKS: Record<string, Benchmark> = { etl, capture, latency, replay, router, memory, takeover, fence, kafka };

const { values: options, positionals } = parse();
const unknown = positionals.filter((name) => !(name in BENCHMARKS));
if (unknown.length > 0) usage(`found ${unknown.join(', ')}`);
const names = positionals.length > 0 ? positionals : Object.keys(BENCHMARKS);

let workshop: Workshop | undefined;
let abandoned: boolean = false;
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void abandon(130));

interface Report extends Result {
  name: string;
  seconds: number;
  loadBefore: number;
  loadAfter: number;
  error?: string;
}

const facts = machine();
const startedAt = new Date().toISOString();
process.stdout.write(
  `${Object.entries(facts)
    .map(([name, value]) => `${name} ${value}`)
    .join(', ')}\n`,
);
const reports: Report[] = [];
for (const name of names) {
  const report = await measure(name, BENCHMARKS[name] as Benchmark);
  reports.push(report);
  print(report);
}
if (options.json) {
  const document = { startedAt, quick: options.quick, machine: facts, benchmarks: reports };
  writeFileSync(options.json, `${JSON.stringify(document, undefined, 2)}\n`);
}
process.exit(reports.some(({ error }) => error !== undefined) ? 1 : 0);

async function measure(name: string, benchmark: Benchmark): Promise<Report> {
  const say = (line: string) => process.stderr.write(`${name}: ${line}\n`);
  const { quick, full, profile } = options;
  workshop = new Workshop(profile === undefined ? undefined : resolve(profile, name));
  const started = performance.now();
  const loadBefore = load();
  let result: Result = { rows: [], notes: [] };
  let error: string | undefined;
  try {
    result = await benchmark({ quick, full, workshop, say });
  } catch (failure) {
    error = failure instanceof Error ? (failure.stack ?? failure.message) : String(failure);
  }
  // What it worked with is being taken away: that is no result.
  if (abandoned) await new Promise(() => undefined);
  const loadAfter = load();
  const seconds = Math.round((performance.now() - started) / 1000);
  await workshop.close();
  return { name, seconds, loadBefore, loadAfter, ...result, ...(error !== undefined && { error }) };
}

function print({ name, seconds, loadBefore, loadAfter, rows, notes, error }: Report): void {
  process.stdout.write(`\n${name} (${seconds} s, load average ${loadBefore} before, ${loadAfter} after)\n`);
  if (error !== undefined) process.stdout.write(`failed: ${error}\n`);
  if (rows.length > 0) {
    const head = ['figure', 'value', 'unit', 'reference', '', 'ratio', 'bar', ''];
    process.stdout.write(`${table(head, rows.map(cells))}\n`);
  }
  for (const note of notes) process.stdout.write(`- ${note}\n`);
}

function cells({ name, value, unit, reference, ratio, bar, better, pass }: Row): string[] {
  const limit = bar === null ? '–' : `${better === 'more' ? '≥' : '≤'} ${bar}×`;
  const verdict = pass === null ? '' : pass ? 'met' : 'MISSED';
  return [name, figure(value), unit, reference.name, figure(reference.value), `${ratio.toFixed(2)}×`, limit, verdict];
}

function figure(value: number): string {
  return value >= 1000 ? Math.round(value).toLocaleString('en') : value.toFixed(value >= 100 ? 0 : 1);
}

/** Ends everything that was started. A second signal does not wait for that. */
async function abandon(code: number): Promise<void> {
  abandoned = true;
  process.stderr.write('stopping\n');
  // Behind all other listeners: a server that was just being started is killed by one of them.
  process.on('exit', () => workshop && removeInsistently(workshop.folder));
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(code));
  await workshop?.close().catch(() => undefined);
  process.exit(code);
}

/** A server that is being killed may still write a file when its folder is removed. */
function removeInsistently(folder: string): void {
  for (let attempt = 0; attempt < 20; attempt++) {
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 50);
    if (!existsSync(folder)) return;
  }
}

function parse() {
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        json: { type: 'string' },
        quick: { type: 'boolean', default: false },
        full: { type: 'boolean', default: false },
        profile: { type: 'string' },
      },
    });
  } catch (error) {
    return usage((error as Error).message);
  }
}

function usage(found: string): never {
  const needed = `[${Object.keys(BENCHMARKS).join('|')}] … [--json FILE] [--quick] [--full] [--profile FOLDER]`;
  process.stderr.write(`scripts/bench: ${found}; needed: ${needed}\n`);
  process.exit(64);
}
