import { type ErrorCatalogue, faultsOf } from '../../log/index.ts';

export const SERVICE_ERRORS = {
  'BNY-SERVICE-DOMAIN': {
    means: "a domain's files do not fit together",
    normal: 'never',
    cure: "Correct the domain's folder; the message names the file's part.",
  },
  'BNY-SERVICE-EVENT': {
    means: 'an event does not fit its schema',
    normal: 'never',
    cure: "Correct the capture or the schema in the domain's events.ts, restart, then `banyan resume <domain>`.",
  },
  'BNY-SERVICE-UNKNOWN-EVENT': {
    means: 'the log holds an event of a type or version that this service does not know',
    normal: 'while a service older than the emitter is still running',
    cure: 'Deploy the version of the service whose events.ts knows it. Nothing was skipped: the projector waits at this event.',
  },
  'BNY-SERVICE-PROJECTION': {
    means: 'a projection could not apply an event',
    normal: 'never',
    cure: "Correct the handler in the domain's projection.ts, or the upcast in its events.ts, and restart the service: it goes on at this event.",
  },
  'BNY-SERVICE-STORE-TAKEN': {
    means: 'another process has written to this store, though this one holds its lock',
    normal: 'never',
    cure: 'Keep the data folder on a local disk: on some network disks locks do not hold. The projector goes on by itself.',
    retryable: true,
  },
  'BNY-SERVICE-STORE-BLOCKED': {
    means: 'the store cannot be written or read at present',
    normal: 'while the disk is full, or the store is being copied',
    cure: 'Make room on the disk; the projector goes on by itself.',
    retryable: true,
  },
  'BNY-SERVICE-STORE-DAMAGED': {
    means: 'the store is damaged, or is no store',
    normal: 'never',
    cure: "Stop the service, delete the store's file (with its -wal and -shm) or drop its database, and start it again: it is rebuilt from the log.",
  },
  'BNY-SERVICE-STORE-UNREACHABLE': {
    means: "the stores' database server does not answer",
    normal: 'while it restarts; reads go to the monolith meanwhile, and the projector goes on by itself',
    cure: 'Check `services.store` in banyan.config.ts, and that the server runs and can be reached from here.',
    retryable: true,
  },
  'BNY-SERVICE-STORE-ACCESS': {
    means: "the stores' database server refuses the account",
    normal: 'never',
    cure: 'Correct user and password (BANYAN_SERVICES_STORE_PASSWORD), or make the account: docs/configuration.md has the SQL.',
  },
  'BNY-SERVICE-STORE-VALUE': {
    means: 'a row does not fit into the store',
    normal: 'never',
    cure: 'Nothing was cut or skipped. Choose a shorter key in projection.ts, or raise what the message names; then restart the service.',
  },
  'BNY-SERVICE-STORE-LOG': {
    means: 'the store was built from another log',
    normal: 'after the log was deleted or replaced',
    cure: 'Restore the right log, or delete the store: it is rebuilt from the log at the next start.',
  },
  'BNY-SERVICE-STORE-SCHEMA': {
    means: "the store was built by another version of the domain's projection",
    normal: 'after a change of projection.ts',
    cure: 'Delete the store and restart the service: it is rebuilt from the log; reads go to the monolith meanwhile.',
  },
  'BNY-SERVICE-PROCESSOR': {
    means: 'a processor is defined wrongly',
    normal: 'never',
    cure: 'Correct its defineProcessor; the message names what does not fit.',
  },
  'BNY-SERVICE-DEADLINE': {
    means: "a processor's handler did not come to an end in time",
    normal: 'when what it calls is slow; it is tried again like every failure',
    cure: 'Let the handler heed `tools.signal`, or give the processor a longer `deadlineMs`.',
  },
  'BNY-SERVICE-BEHIND-DEAD': {
    means: 'an earlier event of the same aggregate is a dead letter: the later ones wait behind it',
    normal: 'after any dead letter',
    cure: '`banyan dead replay <processor>` hands them over in their order.',
  },
  'BNY-SERVICE-DEAD-FULL': {
    means: 'so many dead letters lie open that the processor takes no more events of this partition',
    normal: 'never',
    cure: 'Correct what its handlers fail at (`banyan dead list <processor>`), restart it, then `banyan dead replay <processor> --yes`: it goes on by itself.',
  },
  'BNY-SERVICE-PORT': {
    means: 'the port of a service is in use',
    normal: 'never',
    cure: 'End what listens there, or give the service another port, in banyan.config.ts or with --port.',
  },
} as const satisfies ErrorCatalogue;

export const serviceFault = faultsOf(SERVICE_ERRORS);
