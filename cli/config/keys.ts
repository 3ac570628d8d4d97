import { z } from 'zod';
import { configSchema } from './schema.ts';

/** One key of the configuration: what it takes, what it is without it, and what it is for. */
export interface ConfigKey {
  path: string[];
  type: string;
  required: boolean;
  /** Undefined when there is none. */
  default: unknown;
  meaning: string;
  isText: boolean;
  /** Its environment variable; functions and lists have none. */
  variable: string | undefined;
}

export function configKeys(): ConfigKey[] {
  return leaves(z.toJSONSchema(configSchema, { io: 'input', unrepresentable: 'any' }) as JsonSchema);
}

interface JsonSchema {
  type?: string;
  format?: string;
  description?: string;
  default?: unknown;
  properties?: Record<string, JsonSchema>;
  additionalProperties?: JsonSchema | boolean;
  required?: string[];
}

function leaves({ properties = {}, required = [] }: JsonSchema, above: string[] = []): ConfigKey[] {
  return Object.entries(properties).flatMap(([name, schema]) => {
    const path = [...above, name];
    if (schema.properties) return leaves(schema, path);
    const { description = '', default: without } = schema;
    const variable = SCALARS.has(schema.type ?? '') ? variableOf(path) : undefined;
    return [
      {
        path,
        type: typeOf(schema),
        isText: schema.type === 'string',
        required: required.includes(name),
        default: without,
        meaning: description,
        variable,
      },
    ];
  });
}

const SCALARS = new Set(['string', 'integer', 'number', 'boolean']);

function typeOf({ type, format, additionalProperties }: JsonSchema): string {
  if (format === 'uri') return 'URL';
  if (typeof additionalProperties === 'object') return `name → ${typeOf(additionalProperties)}`;
  const names: Record<string, string> = {
    string: 'text',
    integer: 'whole number',
    boolean: 'true or false',
    array: 'list',
  };
  return names[type ?? ''] ?? 'function';
}

/** `monolith.banyanSchema` → `BANYAN_MONOLITH_BANYAN_SCHEMA`. */
function variableOf(path: string[]): string {
  return `BANYAN_${path.map((key) => key.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()).join('_')}`;
}
