import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Finding } from '../../../../cdc/index.ts';

/** Whether files can be made in this folder, or it where it is to be. Makes nothing. */
export async function checkFolder(folder: string): Promise<Finding[]> {
  try {
    await access(folder, constants.W_OK | constants.X_OK);
    return [];
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' && dirname(folder) !== folder) return checkFolder(dirname(folder));
    const cure = 'Let the user of Banyan’s processes write there, or name another `data` folder.';
    return [{ check: 'stores', level: 'error', found: message, needed: 'a folder that can be written to', cure }];
  }
}
