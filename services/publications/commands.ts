import type { Knex } from 'knex';
import { changesIn, fieldsOf, handle, jsonObject, text, textOrNull } from '../input.ts';
import { type CommandRequest, type Commands, command, differences, type EventOf } from '../kit/index.ts';
import { forbidden, notFound, taken } from '../refusals.ts';
import { created, handleOf, idOf, type Writer, writerOf } from '../request.ts';
import type { events, Publication } from './events.ts';
import { publicationView } from './queries.ts';
import { commands as submissions } from './submissions.ts';

export const commands: Commands<typeof events> = {
  ...submissions,

  'POST /publications': command({
    async load(request) {
      const owner = await writerOf(request);
      const input = fieldsOf(request);
      const slug = handle(120)(input, 'slug');
      const publication = {
        slug,
        name: text(100)(input, 'name'),
        description: textOrNull(2000)(input, 'description'),
        ownerId: owner.id,
        settings: jsonObject(input, 'settings'),
      };
      const other = await request.db('publications').where({ slug }).first('id');
      return { isTaken: other !== undefined, publication };
    },
    decide({ isTaken, publication }, { newId }) {
      if (isTaken) throw taken('slug');
      const id = newId('publications');
      return {
        events: [{ type: 'PublicationFounded', key: id, data: { id, ...publication } }],
        answer: async (db) => created(`/publications/${publication.slug}`, await publicationView(db, id)),
      };
    },
  }),

  'PATCH /publications/:slug': command({
    async load(request) {
      const member = await writerOf(request);
      const slug = handleOf(request, 'slug', 120);
      const readers = { name: text(100), description: textOrNull(2000), settings: jsonObject };
      const change = changesIn(fieldsOf(request), readers);
      return { change, publication: await ownPublication(request, slug, member) };
    },
    decide({ change, publication }) {
      const { id } = publication;
      const data = { ...publication, ...change };
      const changed = differences(publication, data);
      return {
        events: changed.length === 0 ? [] : [{ type: 'PublicationEdited', key: id, data: { ...data, changed } }],
        answer: (db) => publicationView(db, id),
      };
    },
  }),

  'PUT /publications/:slug/editors/:memberId': command({
    async load(request) {
      const state = await editorState(request);
      const member = await request.db('members').where({ id: state.memberId }).first('id');
      return { ...state, isMember: member !== undefined };
    },
    decide({ isMember, isEditor, ...state }) {
      if (!isMember) throw notFound();
      return editorDecision(isEditor ? undefined : 'EditorAdded', state);
    },
  }),

  'DELETE /publications/:slug/editors/:memberId': command({
    load: editorState,
    decide: ({ isEditor, ...state }) => editorDecision(isEditor ? 'EditorRemoved' : undefined, state),
  }),
};

interface EditorState {
  publicationId: number;
  memberId: number;
  isEditor: boolean;
}

async function editorState(request: CommandRequest): Promise<EditorState> {
  const member = await writerOf(request);
  const memberId = idOf(request, 'memberId');
  const { id: publicationId } = await ownPublication(request, handleOf(request, 'slug', 120), member);
  const editor = await request.db('editors').where({ publicationId, memberId }).first('memberId');
  return { publicationId, memberId, isEditor: editor !== undefined };
}

function editorDecision(type: 'EditorAdded' | 'EditorRemoved' | undefined, data: Omit<EditorState, 'isEditor'>) {
  const { publicationId: key } = data;
  const happened: EventOf<typeof events>[] = type ? [{ type, key, data }] : [];
  return { events: happened, answer: (db: Knex) => publicationView(db, key) };
}

/** Only its owner changes a publication. */
async function ownPublication({ db }: CommandRequest, slug: string, member: Writer): Promise<Publication> {
  const row = await db('publications').where({ slug }).first();
  if (!row) throw notFound();
  if (row.ownerId !== member.id) throw forbidden('This publication is not yours.');
  return { ...row, settings: JSON.parse(row.settings) };
}
