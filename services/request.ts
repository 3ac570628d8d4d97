import { type QueryRequest, reply } from './kit/index.ts';

/** How the example's domains read a request: as its monolith does. */

export const notFound = () => reply(404, { error: 'not-found', message: 'There is nothing here.' });

/** What cannot be an id names nothing. */
export function idOf({ params: { id = '' } }: QueryRequest): number {
  if (!/^[1-9]\d{0,14}$/.test(id)) throw notFound();
  return Number(id);
}

/** A slug, tag or username; what cannot be one names nothing. */
export function handleOf({ params }: QueryRequest, name: string, max: number): string {
  const handle = params[name] ?? '';
  if (handle.length > max || !/^[a-z0-9]+(-[a-z0-9]+)*$/.test(handle)) throw notFound();
  return handle;
}

export function pageOf({ query: { page = '1' } }: QueryRequest): number {
  if (typeof page !== 'string' || !/^[1-9]\d{0,4}$/.test(page)) {
    throw reply(400, { error: 'malformed', message: 'page must be a number from 1 to 99999.' });
  }
  return Number(page);
}
