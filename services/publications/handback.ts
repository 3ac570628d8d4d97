import { columns, type Handbacks, type RowChange } from '../kit/index.ts';
import type { events, Publication, Submission } from './events.ts';

export const handback: Handbacks<typeof events> = {
  PublicationFounded: ({ data }) => publication(data),
  PublicationEdited: ({ data: { changed: _, ...data } }) => publication(data),
  PublicationErased: ({ data }) => [{ table: 'publications', delete: columns(data) }],
  EditorAdded: ({ data }) => [{ table: 'publication_editors', put: columns(data) }],
  EditorRemoved: ({ data }) => [{ table: 'publication_editors', delete: columns(data) }],
  SubmissionReceived: ({ data }) => submission(data),
  SubmissionAccepted: ({ data }) => submission(data),
  SubmissionRefused: ({ data }) => submission(data),
  SubmissionErased: ({ data }) => [{ table: 'submissions', delete: columns(data) }],
};

const publication = (data: Publication): RowChange[] => [{ table: 'publications', put: columns(data) }];
const submission = (data: Submission): RowChange[] => [{ table: 'submissions', put: columns(data) }];
