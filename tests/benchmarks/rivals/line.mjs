// One line of JSON in, one line of JSON out. What a library says on the way goes nowhere.
import { createInterface } from 'node:readline';

for (const name of ['log', 'info', 'warn', 'debug']) console[name] = () => {};

export async function serve(commands) {
  for await (const line of createInterface({ input: process.stdin })) {
    const { does, ...asked } = JSON.parse(line);
    let said;
    try {
      said = (await commands[does](asked)) ?? {};
    } catch (error) {
      said = { error: String(error?.message ?? error) };
    }
    process.stdout.write(JSON.stringify(said) + '\n');
  }
  process.exit(0);
}

export async function fetchJson(url) {
  const reply = await fetch(url);
  if (!reply.ok) throw new Error(`${url}: ${reply.status}`);
  return reply.json();
}
