import type { Knex } from 'knex';
import { changesIn, email, fieldsOf, handle, text, textOrNull } from '../input.ts';
import { type Command, type Commands, command, differences, type EventOf } from '../kit/index.ts';
import { forbidden, malformed, notFound, refused, taken } from '../refusals.ts';
import { created, idOf, refuseBrokenText, seconds, writerOf } from '../request.ts';
import type { events, Member } from './events.ts';
import { hashPassword } from './password.ts';

export const commands: Commands<typeof events> = {
  'POST /members': command({
    async load(request) {
      refuseBrokenText(request.body);
      const input = fieldsOf(request);
      const username = handle(40)(input, 'username');
      // `/members/me` is taken by the routes.
      if (username === 'me') throw taken('username');
      const member = { username, name: text(100)(input, 'name'), bio: textOrNull(2000)(input, 'bio') };
      const address = email(input, 'email');
      const password = text(200)(input, 'password');
      if (password.length < 8) throw malformed('password must be at least 8 characters long.');
      const other = await request.db('members').where({ username }).first('id');
      const credentials = { email: address, passwordHash: await hashPassword(password) };
      return { isTaken: other !== undefined, member, credentials };
    },
    decide({ isTaken, member, credentials }, { now, newId }) {
      if (isTaken) throw taken('username');
      const id = newId('members');
      const data: Member = { id, ...member, status: 'active', joinedAt: seconds(now) };
      return {
        events: [
          { type: 'MemberJoined', key: id, data },
          { type: 'CredentialsSet', key: id, data: { id, ...credentials } },
        ],
        answer: async (db) => created(`/members/${data.username}`, await profile(db, id)),
      };
    },
  }),

  'PATCH /members/me': command({
    async load(request) {
      const { id } = await writerOf(request);
      const change = changesIn(fieldsOf(request), { name: text(100), bio: textOrNull(2000), email });
      return { change, member: await findMember(request.db, id) };
    },
    decide({ change: { email: address, ...change }, member }) {
      if (!member) throw notFound();
      const { id } = member;
      const events: EventOf<EventsOfProfiles>[] = [];
      const data = { ...member, ...change };
      const changed = differences(member, data);
      if (changed.length > 0) events.push({ type: 'ProfileEdited', key: id, data: { ...data, changed } });
      if (address !== undefined) events.push({ type: 'CredentialsSet', key: id, data: { id, email: address } });
      return { events, answer: (db) => profile(db, id) };
    },
  }),

  'POST /members/:id/suspend': setStatus('suspended', 'MemberSuspended'),
  'POST /members/:id/reinstate': setStatus('active', 'MemberReinstated'),
};

type EventsOfProfiles = typeof events;

function setStatus(status: Member['status'], type: 'MemberSuspended' | 'MemberReinstated'): Command<EventsOfProfiles> {
  return command({
    async load(request) {
      const { id: memberId, username } = await writerOf(request);
      const id = idOf(request);
      if (username !== 'admin') throw forbidden('Only the administrator may do this.');
      if (memberId === id) throw refused('own-account', 'The administrator cannot be suspended.');
      return findMember(request.db, id);
    },
    decide(member) {
      if (!member) throw notFound();
      const { id } = member;
      return {
        events: member.status === status ? [] : [{ type, key: id, data: { ...member, status } }],
        answer: (db) => profile(db, id),
      };
    },
  });
}

async function findMember(db: Knex, id: number): Promise<Member | undefined> {
  return db('members').where({ id }).first();
}

/** The member without posts: what its writes answer. */
async function profile(db: Knex, id: number) {
  const member = (await findMember(db, id)) as Member;
  return { ...member, bio: member.status === 'suspended' ? null : member.bio };
}
