import { expect, it } from '@jest/globals';
import { galeraFindings, versionFindings } from './check.ts';
import { hasRights } from './grants.ts';

it.each([
  ['10.1.48-MariaDB', 1],
  ['10.2.0-MariaDB-log', 0],
  ['11.8.2-MariaDB', 0],
  ['5.7.44', 1],
  ['8.0.16', 1],
  ['8.0.17', 0],
  ['9.1.0', 0],
])('a server of version %s has %d findings', (version, count) => {
  expect(versionFindings(version)).toHaveLength(count);
});

it('a node of Galera is refused', () => {
  expect(galeraFindings('ON')).toMatchObject([{ level: 'error', found: 'ON' }]);
  expect([...galeraFindings('OFF'), ...galeraFindings(undefined)]).toEqual([]);
});

const ALL = 'SELECT, INSERT, UPDATE, DELETE, CREATE, DROP, INDEX';
it.each([
  [['GRANT ALL PRIVILEGES ON *.* TO `r`@`%` WITH GRANT OPTION'], true],
  [['GRANT USAGE ON *.* TO `s`@`%`', `GRANT ${ALL} ON \`shop\\_%\`.* TO \`s\`@\`%\``], true],
  [[`GRANT ${ALL}, ALTER ON \`shop\\_orders\\_%\`.* TO \`s\`@\`%\``], true],
  [[`GRANT ${ALL} ON \`shop_orders_1\`.* TO \`s\`@\`%\``], true],
  [['GRANT SELECT ON *.* TO `s`@`%`', `GRANT ${ALL.replace('SELECT, ', '')} ON \`shop%\`.* TO \`s\`@\`%\``], true],
  [['GRANT `keeper`@`%` TO `s`@`%`'], true],
  [['GRANT USAGE ON *.* TO `s`@`%`'], false],
  [[`GRANT ${ALL.replace(', DROP', '')} ON \`shop\\_%\`.* TO \`s\`@\`%\``], false],
  [[`GRANT ${ALL} ON \`shop\\_items\\_%\`.* TO \`s\`@\`%\``], false],
  [[`GRANT ${ALL} ON \`shop\\%\`.* TO \`s\`@\`%\``], false],
  [[`GRANT ${ALL} ON \`shop_orders_1\`.\`one\` TO \`s\`@\`%\``], false],
])('of %j the rights on shop_orders_1 are told: %s', (grants, expected) => {
  expect(hasRights(grants, 'shop_orders_1')).toBe(expected);
});
