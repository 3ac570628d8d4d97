import type { IncomingMessage, ServerResponse } from 'node:http';
import { Attempt } from './attempt.ts';
import { POSITION_COOKIE, SESSION_COOKIE, setCookie } from './cookies.ts';
import type { DataPlane, Service } from './data-plane.ts';
import { bodyOf } from './held-body.ts';
import { type Intake, takeIn } from './intake.ts';
import { type ProblemCode, sendProblem } from './problem.ts';
import { forwardedHeaders, serviceHeaders } from './request-headers.ts';
import { hasHeader, relayBody, relayHead } from './response-head.ts';

/** One request and its answer. Until the head of an answer is relayed it can change sides, from service to monolith. */
export class Exchange {
  readonly #plane: DataPlane;
  readonly #req: IncomingMessage;
  readonly #res: ServerResponse;
  readonly #startedAt = performance.now();
  #attempt: Attempt | undefined;
  #side: 'router' | 'monolith' | 'service' = 'router';
  #domain = '-';
  #reason = '';
  /** Of a write that has waited. */
  #body: Buffer | undefined;
  /** The domain of a write that the monolith has under way. */
  #underWay: string | undefined;

  constructor(plane: DataPlane, req: IncomingMessage, res: ServerResponse) {
    this.#plane = plane;
    this.#req = req;
    this.#res = res;
    res.once('close', () => this.#closed());
  }

  start(): void {
    // After an upgrade that it was told to pass over, Node loses what else has arrived with it; nothing may be read on
    // from the middle of that.
    if (this.#req.headers.upgrade !== undefined) this.#res.shouldKeepAlive = false;
    const intake = takeIn(this.#plane, this.#req);
    if (typeof intake === 'string') this.#refuse(intake);
    else this.#route(intake);
  }

  #route(intake: Intake): void {
    const { verdict } = intake;
    this.#domain = verdict.domain ?? '-';
    switch (verdict.to) {
      case 'monolith':
        this.#toMonolith(intake, verdict.reason);
        break;
      case 'service':
        this.#toService(intake, this.#plane.services.get(verdict.domain) as Service, verdict.reason);
        break;
      case 'hold':
        void this.#hold(intake, verdict.domain);
        break;
    }
  }

  async #hold(intake: Intake, domain: string): Promise<void> {
    const left = new AbortController();
    this.#res.once('close', () => left.abort());
    const released = this.#plane.holds.wait(domain, left.signal);
    if (intake.hasBody) this.#body ??= await bodyOf(this.#req);
    if (intake.hasBody && !this.#body) left.abort();
    const moved = await released;
    if (this.#res.destroyed) return;
    if (moved) this.start();
    else this.#refuse('BNY-ROUTER-HELD');
  }

  #toService(intake: Intake, service: Service, reason: string): void {
    const { identities, metrics } = this.#plane;
    const asked = identities?.signedFor(intake.credentials, () => forwardedHeaders(intake));
    const send = (identity?: string) => {
      if (intake.writes) this.#writeToService(intake, service, reason, identity);
      else this.#sendToService(intake, service, reason, identity);
    };
    const missed = () => {
      metrics.identitiesMissed.add(service.domain);
      if (intake.writes) this.#refuse('BNY-ROUTER-HELD');
      else this.#toMonolith(intake, 'identity-missing');
    };
    if (asked instanceof Promise) void asked.then(send, missed);
    else send(asked);
  }

  #sendToService(intake: Intake, { breaker, domain, upstream }: Service, reason: string, identity?: string): void {
    if (this.#res.destroyed) return;
    const { metrics, settings } = this.#plane;
    const fallBack = (why: string) => {
      metrics.fallbacks.add(domain, why);
      this.#toMonolith(intake, `fallback-${why}`);
    };
    const failed = (why: string) => {
      breaker.failed(performance.now());
      fallBack(why);
    };
    const attempt = new Attempt(
      {
        req: this.#req,
        target: intake.target,
        headers: serviceHeaders(intake, identity),
        hasBody: false,
        timeoutMs: settings.limits.serviceTimeoutMs,
      },
      {
        answered: (answer) => {
          const behind = hasHeader(answer, 'banyan-behind');
          const broken = !behind && (answer.statusCode ?? 0) >= 500;
          if (behind || broken) attempt.discard(answer);
          if (!broken) breaker.succeeded();
          if (broken) failed('status');
          else if (behind) fallBack('behind');
          else if (!this.#relay(attempt, answer, intake)) failed('protocol');
        },
        failed,
        left: () => breaker.abandoned(),
        brokeOff: () => this.#res.destroy(),
      },
    );
    breaker.sent();
    this.#goTo('service', reason, attempt);
    upstream.send(attempt);
  }

  /** The monolith cannot answer in its place: what the service has begun nobody else may do. */
  #writeToService(intake: Intake, { domain, upstream }: Service, reason: string, identity?: string): void {
    if (this.#res.destroyed) return;
    const attempt = new Attempt(
      {
        req: this.#req,
        target: intake.target,
        headers: serviceHeaders(intake, identity),
        hasBody: intake.hasBody,
        body: this.#body,
      },
      {
        answered: (answer) => this.#relayOrRefuse(attempt, answer, intake),
        failed: (failure, error) => {
          this.#plane.log.warn({ domain, failure, err: error }, 'a service did not answer a write');
          this.#refuse(failure === 'timeout' ? 'BNY-ROUTER-TIMEOUT' : 'BNY-ROUTER-UNREACHABLE');
        },
        brokeOff: () => this.#res.destroy(),
      },
    );
    this.#goTo('service', reason, attempt);
    upstream.send(attempt);
  }

  #toMonolith(intake: Intake, reason: string): void {
    if (this.#res.destroyed) return;
    if (intake.writes && intake.verdict.domain !== undefined) {
      this.#underWay = intake.verdict.domain;
      this.#plane.holds.began(this.#underWay);
    }
    const attempt = new Attempt(
      {
        req: this.#req,
        target: intake.target,
        headers: forwardedHeaders(intake),
        hasBody: intake.hasBody,
        body: this.#body,
      },
      {
        answered: (answer) => {
          if (intake.writes) this.#answeredWrite(attempt, answer, intake);
          else this.#relayOrRefuse(attempt, answer, intake);
        },
        failed: (failure, error) => {
          this.#plane.log.warn({ failure, err: error }, 'the monolith did not answer');
          this.#forgetIdentity(intake);
          this.#refuse(failure === 'timeout' ? 'BNY-ROUTER-TIMEOUT' : 'BNY-ROUTER-UNREACHABLE');
        },
        left: () => this.#forgetIdentity(intake),
        brokeOff: () => this.#res.destroy(),
      },
    );
    this.#goTo('monolith', reason, attempt);
    this.#plane.monolith.send(attempt);
  }

  /** The head waits for the position that this session's reads must show from now on. */
  #answeredWrite(attempt: Attempt, answer: IncomingMessage, intake: Intake): void {
    this.#forgetIdentity(intake);
    if ((answer.statusCode ?? 0) >= 500) {
      this.#relayOrRefuse(attempt, answer, intake);
      return;
    }
    const { positions, settings } = this.#plane;
    void positions.newest().then((position) => {
      if (attempt.destroyed) return;
      const attributes = { secure: settings.secureCookies, maxAgeSeconds: settings.positionTtlSeconds };
      const cookie = setCookie(POSITION_COOKIE, position, attributes);
      this.#relayOrRefuse(attempt, answer, intake, ['Banyan-Position', position, 'Set-Cookie', cookie]);
    });
  }

  #relayOrRefuse(attempt: Attempt, answer: IncomingMessage, intake: Intake, added?: string[]): void {
    if (!this.#relay(attempt, answer, intake, added)) this.#refuse('BNY-ROUTER-UNREACHABLE');
  }

  /** Whoever a write has logged in or out must not be known as the one before. */
  #forgetIdentity({ writes, credentials }: Intake): void {
    if (writes) this.#plane.identities?.forget(credentials);
  }

  /** False if the head cannot be said to a client; then the client has seen nothing. */
  #relay(attempt: Attempt, answer: IncomingMessage, intake: Intake, added: string[] = []): boolean {
    const { draining, log, settings } = this.#plane;
    const res = this.#res;
    added.push('Banyan-Served-By', this.#servedBy());
    if (intake.newSession !== undefined) {
      added.push('Set-Cookie', setCookie(SESSION_COOKIE, intake.newSession, { secure: settings.secureCookies }));
    }
    if (draining) res.shouldKeepAlive = false;
    try {
      relayHead(answer, res, added);
    } catch (error) {
      log.warn({ err: error, side: this.#side }, 'the head of an answer is not HTTP');
      attempt.release(false);
      return false;
    }
    relayBody(answer, res);
    return true;
  }

  #servedBy(): string {
    return `${this.#side};domain=${this.#domain};reason=${this.#reason}`;
  }

  #goTo(side: 'monolith' | 'service', reason: string, attempt: Attempt): void {
    this.#side = side;
    this.#reason = reason;
    this.#attempt = attempt;
  }

  #refuse(code: ProblemCode): void {
    if (this.#side === 'router') this.#reason = code;
    sendProblem(this.#res, code);
  }

  #closed(): void {
    const { headersSent, statusCode, writableFinished } = this.#res;
    this.#attempt?.release(writableFinished);
    if (this.#underWay !== undefined) this.#plane.holds.ended(this.#underWay);
    const status = writableFinished && headersSent ? `${Math.floor(statusCode / 100)}xx` : 'aborted';
    this.#plane.metrics.requests.add(this.#domain, this.#side, this.#reason, status);
    this.#plane.metrics.durations.add(this.#side, (performance.now() - this.#startedAt) / 1000);
  }
}
