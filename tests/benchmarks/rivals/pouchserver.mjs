// A PouchDB server: express-pouchdb on LevelDB. Argument: a folder.
import { mkdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { serve } from './line.mjs';

const require = createRequire(import.meta.url);
const express = require('express');
const PouchDB = require('pouchdb').defaults({ prefix: `${process.argv[2]}/server/` });
mkdirSync(`${process.argv[2]}/server`, { recursive: true });
const app = express();
app.use('/', require('express-pouchdb')(PouchDB, { mode: 'minimumForPouchDB', inMemoryConfig: true, logPath: `${process.argv[2]}/log` }));

await serve({
  begin: () =>
    new Promise((resolve) => {
      const listener = app.listen(0, '127.0.0.1', () => resolve({ url: `http://127.0.0.1:${listener.address().port}` }));
    }),
});
