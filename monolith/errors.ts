/** A refusal as the client sees it: `{error: code, message, ...more}` with a fixed status. */
export class HttpError extends Error {
  readonly status: number;
  readonly code: string;
  readonly more: Record<string, unknown>;

  constructor(status: number, code: string, message: string, more: Record<string, unknown> = {}) {
    super(message);
    this.status = status;
    this.code = code;
    this.more = more;
  }
}

export const malformed = (message: string) => new HttpError(400, 'malformed', message);
export const notSignedIn = () => new HttpError(401, 'not-signed-in', 'Sign in first.');
export const suspended = () => new HttpError(403, 'suspended', 'This account is suspended.');
export const forbidden = (message: string) => new HttpError(403, 'forbidden', message);
export const notFound = () => new HttpError(404, 'not-found', 'There is nothing here.');
export const taken = (what: string) => new HttpError(409, 'taken', `This ${what} is taken.`);
export const refused = (code: string, message: string, more?: Record<string, unknown>) =>
  new HttpError(422, code, message, more);
export const busy = () => new HttpError(503, 'busy', 'Too much at once. Try again.');
