import type { Value } from '../../cdc/index.ts';
import type { ColumnDescription } from '../../cdc/values/describe.ts';

/** What a driver binds so that a column of the monolith's holds this canonical value; in a session that speaks UTC. */
export function columnValue({ type }: Pick<ColumnDescription, 'type'>, value: Value, isJson = false): Bound {
  if (value === null) return null;
  if (isJson) return JSON.stringify(value);
  switch (type) {
    case 'timestamp':
      return String(value).replace('Z', '');
    case 'float':
      // The shortest text of the largest FLOAT is larger than it is.
      return Math.fround(value as number);
    case 'set':
      return (value as readonly string[]).join(',');
    case 'bit':
    case 'binary':
    case 'varbinary':
    case 'tinyblob':
    case 'blob':
    case 'mediumblob':
    case 'longblob':
      return Buffer.from(value as string, 'base64');
    default:
      return value as string | number;
  }
}

export type Bound = string | number | Buffer | null;
