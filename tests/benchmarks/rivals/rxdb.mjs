// RxDB in memory: its own replication, pages over HTTP.
import { addRxPlugin, createRxDatabase } from 'rxdb';
import { replicateRxCollection } from 'rxdb/plugins/replication';
import { getRxStorageMemory } from 'rxdb/plugins/storage-memory';
import { fetchJson, serve } from './line.mjs';

const text = { type: 'string' };
const found = { type: 'string', maxLength: 64 };
const properties = {
  id: found, phone: found, code: found, card_no: found, name: text, email: text, tier: text, alias_of: text,
  home_store: text, joined_at: text, links: { type: 'array' }, consent: { type: 'object' },
};
const schema = {
  version: 0, primaryKey: 'id', type: 'object', properties, required: ['id', 'phone', 'code', 'card_no'],
  indexes: ['phone', 'code', 'card_no'],
};
let members;
let waiting = [];
let replication;

await serve({
  begin: async () => {
    const database = await createRxDatabase({ name: 'members', storage: getRxStorageMemory(), multiInstance: false });
    ({ members } = await database.addCollections({ members: { schema } }));
    replication = replicateRxCollection({
      collection: members, replicationIdentifier: 'pages', live: true, retryTime: 50,
      pull: {
        batchSize: 20000,
        handler: async (checkpoint) => {
          const url = waiting.shift();
          const documents = url ? (await fetchJson(url)).map((row) => ({ ...row, _deleted: false })) : [];
          return { documents, checkpoint: { turn: (checkpoint?.turn ?? 0) + 1 } };
        },
      },
    });
    replication.error$.subscribe((error) => process.stderr.write(`${error}\n`));
    await replication.awaitInitialReplication();
  },
  fill: ({ url }) => take(url),
  pull: ({ url }) => take(url),
  count: async () => ({ count: await members.count().exec() }),
  read: async ({ id }) => ({ row: (await members.findOne(id).exec())?.toJSON() }),
});

async function take(url) {
  waiting.push(url);
  replication.reSync();
  await replication.awaitInSync();
}
