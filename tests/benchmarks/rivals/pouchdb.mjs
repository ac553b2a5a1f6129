// PouchDB on LevelDB, replicating from an express-pouchdb server (see pouchserver.mjs). Arguments: folder, server.
import { createRequire } from 'node:module';
import { fetchJson, serve } from './line.mjs';

const PouchDB = createRequire(import.meta.url)('pouchdb');
const [folder, server] = process.argv.slice(2);
const local = new PouchDB(`${folder}/local`);
const remote = new PouchDB(`${server}/members`);

let waiting, target;

async function put(url) {
  const rows = await fetchJson(url);
  const known = await remote.allDocs({ keys: rows.map((row) => row.id) });
  const docs = rows.map(({ id, ...row }, place) => ({ ...row, _id: id, _rev: known.rows[place].value?.rev }));
  await remote.bulkDocs(docs);
}
const replicate = () => local.replicate.from(remote, { batch_size: 1000, batches_limit: 4 });

await serve({
  begin: async () => {
    await remote.info();
  },
  // At the server: not what is measured.
  put: ({ url }) => put(url),
  fill: async () => void (await replicate()),
  pull: async () => void (await replicate()),
  // Operations that wait, into a database of their own; and from there to the server.
  collect: async ({ url, turn }) => {
    waiting = new PouchDB(`${folder}/waiting${turn}`);
    target = new PouchDB(`${server}/taken${turn}`);
    await target.info();
    await waiting.bulkDocs(await fetchJson(url));
  },
  push: async () => {
    const done = await waiting.replicate.to(target, { batch_size: 1000, batches_limit: 4 });
    return { count: done.docs_written };
  },
  count: async () => ({ count: (await local.info()).doc_count }),
  read: async ({ id }) => ({ row: await local.get(id) }),
});
