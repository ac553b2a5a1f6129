// WatermelonDB on SQLite (better-sqlite3): its own `synchronize`, pages over HTTP. Argument: a folder.
import { createRequire } from 'node:module';
import { fetchJson, serve } from './line.mjs';

const require = createRequire(import.meta.url);
const { Database, Model, appSchema, tableSchema } = require('@nozbe/watermelondb');
const SQLiteAdapter = require('@nozbe/watermelondb/adapters/sqlite').default;
const { synchronize } = require('@nozbe/watermelondb/sync');
require('@nozbe/watermelondb/utils/common').logger?.silence?.();

class Member extends Model {
  static table = 'members';
}
const plain = ['name', 'email', 'tier', 'alias_of', 'home_store', 'joined_at', 'body'];
const columns = [
  ...plain.map((name) => ({ name, type: 'string' })),
  ...['phone', 'code', 'card_no'].map((name) => ({ name, type: 'string', isIndexed: true })),
];
const schema = appSchema({ version: 1, tables: [tableSchema({ name: 'members', columns })] });
let database;
let clock = 1;

const raw = (row) => ({ ...row, body: JSON.stringify([row.links, row.consent]), links: undefined, consent: undefined });

async function pull(url, asCreated) {
  await synchronize({
    database,
    pullChanges: async () => {
      const rows = (await fetchJson(url)).map(raw);
      const changes = { created: asCreated ? rows : [], updated: asCreated ? [] : rows, deleted: [] };
      return { changes: { members: changes }, timestamp: (clock += 1) };
    },
    sendCreatedAsUpdated: !asCreated,
  });
}

await serve({
  begin: async () => {
    const adapter = new SQLiteAdapter({ schema, dbName: `${process.argv[2]}/watermelon` });
    await adapter.initializingPromise;
    database = new Database({ adapter, modelClasses: [Member] });
  },
  fill: ({ url }) => pull(url, true),
  pull: ({ url }) => pull(url, false),
  count: async () => ({ count: await database.get('members').query().fetchCount() }),
  read: async ({ id }) => ({ row: (await database.get('members').find(id))._raw }),
});
