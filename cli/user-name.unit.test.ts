import { describe, expect, it } from '@jest/globals';
import { userName } from './user-name.ts';

const nobody = () => {
  throw new Error('uv_os_get_passwd returned ENOENT');
};

describe('the name of who runs the process', () => {
  it('is that of the account', () => expect(userName(() => 'ann', { USER: 'bob' })).toBe('ann'));
  it('is that of the environment where the uid has no account', () =>
    expect(userName(nobody, { USER: 'bob' })).toBe('bob'));
  it('is the uid where nothing names it', () => expect(userName(nobody, {})).toBe(`uid ${process.getuid?.()}`));
});
