import { type CommandRequest, type QueryRequest, type Reply, reply } from './kit/index.ts';
import { malformed, notFound, notSignedIn, suspended } from './refusals.ts';

/** How the example's domains read a request: as its monolith does. */

type Parameters = Pick<QueryRequest, 'params'>;

/** What cannot be an id names nothing. */
export function idOf({ params }: Parameters, name = 'id'): number {
  const id = params[name] ?? '';
  if (!/^[1-9]\d{0,14}$/.test(id)) throw notFound();
  return Number(id);
}

const HANDLE = /^[a-z0-9]+(-[a-z0-9]+)*$/;

export const isHandle = (value: unknown, max: number): value is string =>
  typeof value === 'string' && value.length <= max && HANDLE.test(value);

/** Unique handles are lower-case ASCII: no collation takes two of them for one. */
export const handleForm = (handle: string): string => handle;

/** A slug, tag or username; what cannot be one names nothing. */
export function handleOf({ params }: Parameters, name: string, max: number): string {
  const handle = params[name];
  if (!isHandle(handle, max)) throw notFound();
  return handle;
}

export function pageOf({ query: { page = '1' } }: QueryRequest): number {
  if (typeof page !== 'string' || !/^[1-9]\d{0,4}$/.test(page))
    throw malformed('page must be a number from 1 to 99999.');
  return Number(page);
}

export interface Writer {
  id: number;
  username: string;
}

/** The member behind a write: a suspended one keeps the session and reads, but changes nothing. */
export async function writerOf(request: CommandRequest): Promise<Writer> {
  refuseBrokenText(request.body);
  const { db, identity } = request;
  if (!identity) throw notSignedIn();
  const { id, username, status } = identity as unknown as Writer & { status: string };
  // The session may have been asked a while ago; who has just joined may not have come here yet.
  const member = await db('members').where({ id }).first('status');
  if ((member?.status ?? status) === 'suspended') throw suspended();
  return { id, username };
}

/** Half of an emoji would be stored as something else. */
export function refuseBrokenText(body: unknown): void {
  JSON.stringify(body, (key, value: unknown) => {
    if (key.isWellFormed() && (typeof value !== 'string' || value.isWellFormed())) return value;
    throw malformed('The request cannot be read.');
  });
}

export function created(location: string, resource: unknown): Reply {
  return reply(201, resource, { location });
}

/** As a DATETIME has it. */
export const seconds = (now: string): string => now.slice(0, 19);

/** As a DATETIME(3) has it. */
export const milliseconds = (now: string): string => now.slice(0, 23);
