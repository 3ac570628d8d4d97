import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { DataPlane, Service } from './data-plane.ts';
import { type Intake, takeIn } from './intake.ts';
import { endWithProblem, type ProblemCode, statusOf } from './problem.ts';
import { forwardedHeaders, hasBody, type RequestHeaders, serviceHeaders } from './request-headers.ts';
import { UpgradeAttempt } from './upgrade-attempt.ts';

/** Anything else is no upgrade but a request: httpxy would send on a body's length, and not the body. */
export function isWebSocket({ method, headers }: IncomingMessage): boolean {
  return method === 'GET' && headers.upgrade?.toLowerCase() === 'websocket' && !hasBody(headers);
}

/**
 * A WebSocket goes where a request to the same path would go. There is no falling back: by the time a service has failed,
 * httpxy has ended the client's connection.
 */
export async function handleUpgrade(
  plane: DataPlane,
  req: IncomingMessage,
  socket: Socket,
  head: Buffer,
): Promise<void> {
  // Node has taken its own listener away: an error before httpxy sets one would end the process.
  socket.on('error', () => socket.destroy());
  const count = (domain: string, side: string, reason: string, status: number) =>
    plane.metrics.requests.add(domain, side, reason, `${Math.floor(status / 100)}xx`);
  const refuse = (code: ProblemCode) => {
    count('-', 'router', code, statusOf(code));
    endWithProblem(socket, code);
  };
  if (!isWebSocket(req)) return refuse('BNY-ROUTER-METHOD');
  const intake = takeIn(plane, req);
  if (typeof intake === 'string') return refuse(intake);
  if (intake.verdict.to === 'hold') return refuse('BNY-ROUTER-HELD');

  const { service, reason, headers } = await wayOf(plane, intake);
  if (socket.destroyed) return;
  const side = service ? 'service' : 'monolith';
  const domain = intake.verdict.domain ?? '-';
  const attempt = new UpgradeAttempt(
    { req, socket, head, target: intake.target, headers: { ...headers, connection: 'Upgrade', upgrade: 'websocket' } },
    {
      answered(status) {
        if (status >= 500) service?.breaker.failed(performance.now());
        else service?.breaker.succeeded();
        count(domain, side, reason, status);
      },
      failed(error) {
        count(domain, side, reason, 502);
        // The client's own error says nothing of the service.
        if (socket.destroyed) return service?.breaker.abandoned();
        service?.breaker.failed(performance.now());
        plane.log.warn({ err: error, side, domain }, 'an upgrade was not answered');
        endWithProblem(socket, 'BNY-ROUTER-UNREACHABLE');
      },
    },
  );
  service?.breaker.sent();
  (service?.upstream ?? plane.monolith).upgrade(attempt);
}

interface Way {
  readonly service?: Service | undefined;
  readonly reason: string;
  readonly headers: RequestHeaders;
}

async function wayOf(plane: DataPlane, intake: Intake): Promise<Way> {
  const { verdict, credentials } = intake;
  const headers = forwardedHeaders(intake);
  if (verdict.to !== 'service') return { reason: verdict.reason, headers };
  try {
    const identity = await plane.identities?.signedFor(credentials, () => headers);
    const service = plane.services.get(verdict.domain);
    return { service, reason: verdict.reason, headers: serviceHeaders(intake, identity) };
  } catch {
    plane.metrics.identitiesMissed.add(verdict.domain);
    return { reason: 'identity-missing', headers };
  }
}
