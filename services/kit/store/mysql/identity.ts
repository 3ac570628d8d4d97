import { type Server, Session } from './session.ts';

/** Whether both are one server, under whatever names. No, where one of them cannot be asked. */
export async function isSameServer(one: Server, other: Server): Promise<boolean> {
  if (one.host === other.host && one.port === other.port) return true;
  try {
    const [a, b] = await Promise.all([identityOf(one), identityOf(other)]);
    return a === b;
  } catch {
    return false;
  }
}

async function identityOf({ host, port, user, password, ssl }: Server): Promise<string> {
  const session = await Session.open({ host, port, user, password, ssl });
  try {
    const names = "'hostname', 'port', 'server_uid', 'server_uuid'";
    const rows = await session.query(`SHOW GLOBAL VARIABLES WHERE Variable_name IN (${names})`);
    return rows
      .map((row) => Object.values(row).join(' '))
      .sort()
      .join('\n');
  } finally {
    session.close();
  }
}
