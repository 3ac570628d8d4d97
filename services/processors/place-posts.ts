import { defineProcessor } from '../kit/index.ts';
import { events as publications } from '../publications/events.ts';
import { ServiceAccount } from './service-account.ts';

const account = new ServiceAccount();

/** An accepted post goes into its publication. Where the monolith decides it has done so itself, and nothing is left to do. */
export const placePosts = defineProcessor({
  name: 'place-posts',
  topics: [publications],
  handlers: {
    async SubmissionAccepted({ data: { postId, publicationId } }, { router, signal }) {
      const path = `/posts/${postId}/publication`;
      const response = await account.send(router, 'PUT', path, signal, { publicationId });
      // Deleted meanwhile, or already in another: then it stays where it is.
      const isSettled = response.ok || response.status === 404 || response.status === 422;
      if (!isSettled) throw new Error(`the placing was answered with ${response.status}`);
    },
  },
});
