// Only tests may import this file: members as events tell them, and who they are to a request.

const member = { bio: null, status: 'active', joinedAt: '2025-01-01T08:00:00' };

export const ADMIN = { ...member, id: 1, username: 'admin', name: 'Admin' };
export const ADA = { ...member, id: 2, username: 'ada', name: 'Ada' };
export const BO = { ...member, id: 3, username: 'bo', name: 'Bo' };
export const SUSPENDED = { ...member, id: 4, username: 'cy', name: 'Cy', status: 'suspended' };

export const MEMBERS = [ADMIN, ADA, BO, SUSPENDED].map((data) => ['profiles', 'MemberJoined', data] as const);

export const POST = {
  id: 7,
  authorId: 2,
  publicationId: null,
  slug: 'trees',
  title: 'Trees 🌳',
  body: { blocks: [{ text: 'some words', type: 'p' }] },
  readingMinutes: '0.01',
  status: 'published',
  publishedAt: '2025-01-02T08:00:00',
  createdAt: '2025-01-01T08:00:00',
  updatedAt: '2025-01-02T08:00:00.000Z',
} as const;
export const DRAFT = { ...POST, id: 8, slug: 'draft', status: 'draft', publishedAt: null } as const;
export const DELETED = { ...POST, id: 9, slug: 'gone', status: 'deleted' } as const;

export const FIGS = { id: 5, slug: 'figs', name: 'Figs', description: null, ownerId: 3, settings: {} };
