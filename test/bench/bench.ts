/** `npm run bench -- <what>`: measures on this machine and prints a table. */
import { benchClient } from './client.ts';
import { benchCold } from './cold.ts';

const benches: Readonly<Record<string, () => Promise<string>>> = { client: benchClient, cold: benchCold };

const wanted = process.argv[2] ?? '';
const bench = benches[wanted];
if (bench) {
  process.stdout.write(`Node ${process.version}, ${process.platform} ${process.arch}\n${await bench()}`);
} else {
  process.stderr.write(`usage: npm run bench -- ${Object.keys(benches).join(' | ')}\n`);
  process.exitCode = 2;
}
