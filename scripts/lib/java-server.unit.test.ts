import { describe, expect, it } from '@jest/globals';
import { propertiesText } from './java-server.ts';

describe('a properties file', () => {
  it('gives Java the text that was put in', () => {
    expect(
      propertiesText({ regex: 'a\\..*', lines: 'a\nb', folder: '/tmp/bücher 🙂', jaas: 'x password="p=1";' }),
    ).toBe('regex=a\\\\..*\nlines=a\\nb\nfolder=/tmp/b\\u00fccher \\ud83d\\ude42\njaas=x password="p=1";\n');
  });
});
