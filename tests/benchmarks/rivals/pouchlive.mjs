// Two PouchDBs kept live with one express-pouchdb server. Arguments: folder, server.
import { createRequire } from 'node:module';
import { serve } from './line.mjs';

const PouchDB = createRequire(import.meta.url)('pouchdb');
const [folder, server] = process.argv.slice(2);
const [a, b] = ['a', 'b'].map((name) => new PouchDB(`${folder}/live-${name}`));
const remote = new PouchDB(`${server}/live`);
const seen = new Map();

await serve({
  begin: async () => {
    await remote.info();
    for (const local of [a, b]) local.sync(remote, { live: true, retry: true });
    b.changes({ since: 'now', live: true }).on('change', ({ id }) => seen.get(id)?.());
  },
  give: async ({ id, at }) => {
    const there = new Promise((resolve) => seen.set(id, resolve));
    await a.put({ _id: id, points: 1, at });
    await there;
    return { balance: (await b.get(id)).points };
  },
});
