import { DEBEZIUM_ERRORS } from '../cdc/debezium/errors.ts';
import { CDC_ERRORS } from '../cdc/errors.ts';
import { type ErrorCatalogue, faultsOf, KAFKA_LOG_ERRORS, LOG_ERRORS, SQLITE_LOG_ERRORS } from '../log/index.ts';
import { ROUTER_ERRORS } from '../router/errors.ts';
import { SERVICE_ERRORS } from '../services/kit/index.ts';
import { NODE_ERRORS } from './node-version.ts';

export const CLI_ERRORS = {
  ...NODE_ERRORS,
  'BNY-CLI-NO-CONFIG': {
    means: 'there is no configuration here',
    normal: 'never',
    cure: 'Run banyan in the folder of your banyan.config.ts, or name it with --config.',
  },
  'BNY-CLI-CONFIG': {
    means: 'the configuration is wrong',
    normal: 'never',
    cure: 'Correct the named keys in banyan.config.ts or the environment.',
  },
  'BNY-CLI-UNKNOWN-DOMAIN': {
    means: 'there is no such domain',
    normal: 'never',
    cure: 'Use one of the domains in banyan.config.ts.',
  },
  'BNY-CLI-UNKNOWN-PROCESSOR': {
    means: 'there is no such processor',
    normal: 'never',
    cure: 'Use one of the processors in banyan.config.ts.',
  },
  'BNY-CLI-USAGE': {
    means: 'the command was called wrongly',
    normal: 'never',
    cure: 'See `banyan <command> --help`.',
  },
  'BNY-CLI-REFUSED': {
    means: 'guards refuse this',
    normal: 'while a domain is not ready for the step',
    cure: 'Every guard that refuses is named with its cure; run the command again afterwards.',
  },
  'BNY-CLI-UNCONFIRMED': {
    means: 'nothing was changed, because nobody confirmed the plan',
    normal: 'in scripts and pipes, where nobody can be asked',
    cure: 'Add --yes to act on the plan.',
  },
  'BNY-CLI-UP-TWICE': {
    means: 'another `banyan up` works on this data folder',
    normal: 'never',
    cure: 'End the other one, or give this one another `data` folder.',
  },
} as const satisfies ErrorCatalogue;

export const cliFault = faultsOf(CLI_ERRORS);

/** Every error that Banyan raises on purpose; `docs/errors.md` is printed from this. */
export const CATALOGUE: ErrorCatalogue = {
  ...LOG_ERRORS,
  ...KAFKA_LOG_ERRORS,
  ...SQLITE_LOG_ERRORS,
  ...CDC_ERRORS,
  ...DEBEZIUM_ERRORS,
  ...SERVICE_ERRORS,
  ...ROUTER_ERRORS,
  ...CLI_ERRORS,
};
