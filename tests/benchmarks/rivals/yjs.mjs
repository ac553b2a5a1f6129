// Yjs: one map of members in memory; updates over HTTP as they came from the other side.
import { createRequire } from 'node:module';
import { fetchJson, serve } from './line.mjs';

const Y = createRequire(import.meta.url)('yjs');
const local = new Y.Doc();
const remote = new Y.Doc();
let update;

await serve({
  begin: () => {},
  put: async ({ url }) => {
    const rows = await fetchJson(url);
    const before = Y.encodeStateVector(remote);
    remote.transact(() => rows.forEach((row) => remote.getMap('members').set(row.id, row)));
    update = Y.encodeStateAsUpdate(remote, before);
  },
  fill: () => void Y.applyUpdate(local, update),
  pull: () => void Y.applyUpdate(local, update),
  count: () => ({ count: local.getMap('members').size }),
  read: ({ id }) => ({ row: local.getMap('members').get(id) }),
});
