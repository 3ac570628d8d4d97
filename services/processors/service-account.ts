/** Signs in like any member, as `SERVICE_ACCOUNT` (`admin`) with `SERVICE_ACCOUNT_PASSWORD`, and keeps the session. */
export class ServiceAccount {
  #cookie: string | undefined;

  async send(router: string, method: string, path: string, signal: AbortSignal, body?: object): Promise<Response> {
    const known = this.#cookie;
    this.#cookie ??= await signIn(router, signal);
    const headers = { cookie: this.#cookie, ...(body && { 'content-type': 'application/json' }) };
    const sent = body ? JSON.stringify(body) : null;
    const response = await fetch(router + path, { method, headers, signal, body: sent });
    if (response.status !== 401 || known === undefined) return response;
    // The session is over: once more with a new one.
    this.#cookie = undefined;
    return this.send(router, method, path, signal, body);
  }
}

async function signIn(router: string, signal: AbortSignal): Promise<string> {
  const { SERVICE_ACCOUNT: username = 'admin', SERVICE_ACCOUNT_PASSWORD: password } = process.env;
  if (password === undefined) throw new Error('SERVICE_ACCOUNT_PASSWORD is not set');
  const response = await fetch(`${router}/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ username, password }),
    signal,
  });
  const cookies = response.headers.getSetCookie().map((cookie) => cookie.split(';')[0]);
  if (!response.ok) throw new Error(`signing in was answered with ${response.status}`);
  return cookies.find((cookie) => cookie?.startsWith('sid=')) ?? '';
}
