import { afterAll, beforeAll } from '@jest/globals';
import { type Mariadb, startMariadb } from '../../../../scripts/lib/mariadb.ts';
import { testStores } from '../contract.ts';
import { Session } from './session.ts';
import { openMysqlStores } from './stores.ts';

let server: Mariadb;
let root: Session;
beforeAll(async () => {
  server = await startMariadb();
  root = await Session.open(server);
});
afterAll(async () => {
  root.close();
  await server.stop();
});

let tests = 0;
testStores('MariaDB', async () => {
  const prefix = `t${++tests}_`;
  const databases = async () =>
    (await root.query(`SHOW DATABASES LIKE '${prefix}%'`)).map((row) => Object.values(row)[0]);
  return {
    open: (origin) => openMysqlStores({ server, prefix, domain: 'things', ...origin }),
    async sql(store, text) {
      const refuse = `FOR EACH ROW IF NEW.name = 'broken' THEN SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'refused'; END IF`;
      await root.query(`USE ${prefix}things_${store}`);
      await root.query(text.replace('FOR EACH ROW @REFUSE@', refuse));
    },
    traces: databases,
    async dispose() {
      for (const name of await databases()) await root.query(`DROP DATABASE ${name}`);
    },
  };
});
