/** `npm run bench -- <what>`: measures on this machine and prints a table. */
import { benchAudit } from './audit.ts';
import { benchBridge } from './bridge.ts';
import { benchClient } from './client.ts';
import { benchCold } from './cold.ts';
import { benchCost, benchCostMeasure } from './cost.ts';
import { benchMigration } from './migration.ts';
import { benchServe } from './serve.ts';

const benches: Readonly<Record<string, () => Promise<string>>> = {
  audit: benchAudit,
  bridge: benchBridge,
  client: benchClient,
  cold: benchCold,
  cost: benchCost,
  'cost-measure': benchCostMeasure,
  migration: benchMigration,
  serve: benchServe,
};

const wanted = process.argv[2] ?? '';
const bench = benches[wanted];
if (bench) {
  process.stdout.write(`Node ${process.version}, ${process.platform} ${process.arch}\n${await bench()}`);
} else {
  process.stderr.write(`usage: npm run bench -- ${Object.keys(benches).join(' | ')}\n`);
  process.exitCode = 2;
}
