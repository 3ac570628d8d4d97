import { type Captures, changedFields, fields } from '../kit/index.ts';
import type { events, Publication, Submission } from './events.ts';

/** The event by which a submission gets into a status. */
const ENTERED = {
  pending: 'SubmissionReceived',
  accepted: 'SubmissionAccepted',
  refused: 'SubmissionRefused',
} as const;

export const capture: Captures<typeof events, 'publications' | 'publication_editors' | 'submissions'> = {
  publications(change) {
    const id = change.key[0] as number;
    if (!change.after) return { type: 'PublicationErased', key: id, data: { id } };
    const publication = fields<Publication>(change.after);
    if (!change.before) return { type: 'PublicationFounded', key: id, data: publication };
    return { type: 'PublicationEdited', key: id, data: { ...publication, changed: changedFields(change) } };
  },

  publication_editors({ after, key }) {
    const [publicationId, memberId] = key as [number, number];
    const type = after ? 'EditorAdded' : 'EditorRemoved';
    return { type, key: publicationId, data: { publicationId, memberId } };
  },

  submissions({ after, key }) {
    const id = key[0] as number;
    if (!after) return { type: 'SubmissionErased', key: id, data: { id } };
    const submission = fields<Submission>(after);
    return { type: ENTERED[submission.status], key: id, data: submission };
  },
};
