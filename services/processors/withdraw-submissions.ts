import { defineProcessor } from '../kit/index.ts';
import { events as profiles } from '../profiles/events.ts';
import { ServiceAccount } from './service-account.ts';

const account = new ServiceAccount();

/** Nobody decides about what a suspended member has submitted: it is withdrawn, as the administrator would do it. */
export const withdrawSubmissions = defineProcessor({
  name: 'withdraw-submissions',
  topics: [profiles],
  handlers: {
    // The route does nothing the second time, so the event needs no record of its own.
    async MemberSuspended({ data }, { router, signal }) {
      const response = await account.send(router, 'DELETE', `/members/${data.id}/submissions`, signal);
      if (!response.ok) throw new Error(`the withdrawal was answered with ${response.status}`);
    },
  },
});
