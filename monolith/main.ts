import { createApp } from './app.ts';
import { connect, databaseFromEnvironment } from './database.ts';
import { createSchema } from './schema.ts';

const db = connect(databaseFromEnvironment());
await createSchema(db);

const server = createApp(db).listen(
  Number(process.env['PORT'] ?? 3000),
  process.env['HOST'] ?? '127.0.0.1',
  (error) => {
    if (error) throw error;
    console.log('monolith listening on', server.address());
  },
);
// Longer than a proxy in front keeps its connections, so that it never writes into a closing one.
server.keepAliveTimeout = 65_000;

function stop(): void {
  const impatience = setTimeout(() => server.closeAllConnections(), 5_000);
  server.close(() => {
    clearTimeout(impatience);
    db.destroy().catch(console.error);
  });
}
process.once('SIGTERM', stop).once('SIGINT', stop);
