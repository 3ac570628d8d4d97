import { userInfo } from 'node:os';

/** Who runs this process. A container may run it under a uid that no account has. */
export function userName(account = () => userInfo().username, env: NodeJS.ProcessEnv = process.env): string {
  try {
    return account();
  } catch {
    return env['USER'] || `uid ${process.getuid?.()}`;
  }
}
