import { type ErrorCatalogue, faultsOf } from '../log/errors.ts';

export const ROUTER_ERRORS = {
  'BNY-ROUTER-OPTIONS': {
    means: 'the router cannot start with these options',
    normal: 'never',
    cure: 'Correct the options named in the message.',
  },
  'BNY-ROUTER-ROUTES': {
    means: 'the declared routes are not a clear table',
    normal: 'never',
    cure: 'Correct the routes named in the message; every method and path leads to one domain.',
  },
  'BNY-ROUTER-STATE': {
    means: 'the routing state that was applied is not valid; the former one stays in force',
    normal: 'never',
    cure: 'This is a defect of Banyan: please report it.',
  },
  'BNY-ROUTER-PORT-IN-USE': {
    means: 'another process listens on the port',
    normal: 'when a former router is still draining',
    cure: 'Stop the other process, or choose another port.',
    retryable: true,
  },
  'BNY-ROUTER-LISTEN': {
    means: 'the router cannot listen on this address',
    normal: 'never',
    cure: 'Use an address of this machine, and a port that this user may open.',
  },
  'BNY-ROUTER-NOT-CANONICAL': {
    means: 'the path of the request can be read in more than one way',
    normal: 'when someone probes the site',
    cure: 'Send the path without empty or dot segments, parameters and needless escapes.',
  },
  'BNY-ROUTER-HOST': {
    means: 'the request has more than one Host, or one that is not valid',
    normal: 'when someone probes the site',
    cure: 'Send one valid Host header.',
  },
  'BNY-ROUTER-METHOD': {
    means: 'the router does not forward this method or protocol',
    normal: 'when someone probes the site',
    cure: 'Use a method other than CONNECT and TRACE, and no upgrade other than to websocket.',
  },
  'BNY-ROUTER-UNREACHABLE': {
    means: 'no answer could be had from the server behind the router',
    normal: 'while the monolith restarts',
    cure: 'Check that the monolith runs and that its address in the configuration is right.',
    retryable: true,
  },
  'BNY-ROUTER-TIMEOUT': {
    means: 'the server behind the router did not answer in time',
    normal: 'while the monolith is overloaded',
    cure: 'Look at the load of the monolith. The outcome of a write is unknown: look before you repeat it.',
    retryable: true,
  },
  'BNY-ROUTER-HELD': {
    means: 'the write has waited too long for its domain to change its owner, or could not wait',
    normal: 'while the writes of a domain are moved, when too many come at once or one is larger than 64 kB',
    cure: 'Send it again after the seconds of Retry-After. It has not been carried out.',
    retryable: true,
  },
} as const satisfies ErrorCatalogue;

export type RouterErrorCode = keyof typeof ROUTER_ERRORS;

export const routerFault = faultsOf(ROUTER_ERRORS);
