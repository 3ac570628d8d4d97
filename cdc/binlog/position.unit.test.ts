import { describe, expect, it } from '@jest/globals';
import { fileNumber, formatPosition, parsePosition, StreamPosition } from './position.ts';

describe('a position', () => {
  it('compares as text, across files and beyond 4 GB', () => {
    const positions = [
      formatPosition(9, 5e9),
      formatPosition(10, 4),
      formatPosition(10, 999),
      formatPosition(10, 1000),
    ];
    expect(positions.every((position, i) => i === 0 || position > (positions[i - 1] ?? ''))).toBe(true);
    expect(positions[1]).toBe('0000000010:000000000004');
    expect(parsePosition(positions[0] ?? '')).toEqual({ file: 9, offset: 5e9 });
  });

  it('takes the number of the file from its name', () => {
    expect(fileNumber('mysql-bin.000042')).toBe(42);
    expect(fileNumber('host.example.com-bin.1000000')).toBe(1_000_000);
    expect(() => fileNumber('binlog')).toThrow(TypeError);
  });
});

describe('the position of the stream', () => {
  it('grows on when the 32 bits of an event end begin anew', () => {
    const position = new StreamPosition(formatPosition(1, 4));
    position.enter('binlog.000003', 4);
    for (const end of [1000, 2 ** 31, 2 ** 32 - 10, 500, 2 ** 31, 100]) position.advance(end);
    expect(position.toString()).toBe(formatPosition(3, 2 * 2 ** 32 + 100));
  });

  it('starts in the right 4 GB of the file it resumes in, and at the start of any other', () => {
    const known = formatPosition(3, 5 * 2 ** 32 + 77);
    const resumed = new StreamPosition(known);
    resumed.enter('binlog.000003', 4);
    resumed.advance(300);
    resumed.atTransaction();
    resumed.advance(119);
    expect(resumed.toString()).toBe(formatPosition(3, 5 * 2 ** 32 + 119));
    resumed.enter('binlog.000004', 4);
    resumed.atTransaction();
    resumed.advance(50);
    expect(resumed.toString()).toBe(formatPosition(4, 50));
  });
});
