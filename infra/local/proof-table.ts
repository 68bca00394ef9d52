import { styleText } from 'node:util';
import Table from 'cli-table3';
import type { RotationProof, Verdict } from './rotate-and-prove.ts';

const tail = (id: string | null): string => (id === null ? '?' : `…${id.slice(-6)}`);
const coloured = (verdict: Verdict): string =>
  styleText(({ yes: 'green', no: 'red', unknown: 'yellow' } as const)[verdict], verdict);

/** The outcome on one screen: what was rotated, and what was proven of it. Ends with a newline. */
export function proofTable(proofs: readonly RotationProof[], seconds: number): string {
  const table = new Table({
    head: ['secret', 'account', 'old → new', 'overlap until', 'works: new old', 'Atlas+AWS calls', 'time'],
    // Colours are ours to choose: they must go when the output is no terminal.
    style: { head: [], border: [], compact: true },
  });
  for (const proof of proofs) {
    table.push([
      proof.secret,
      `${tail(proof.account)} ${proof.scope ?? '?'}, ${proof.mode ?? '?'}`,
      `${tail(proof.oldSecretId)} → ${tail(proof.newSecretId)}`,
      proof.overlapUntil === null ? '?' : `${proof.overlapUntil.slice(0, 16)}Z`,
      `${coloured(proof.newWorks)} ${coloured(proof.oldWorks)}`,
      proof.calls === null ? '–' : `${proof.calls.atlas} + ${proof.calls.aws}`,
      `${proof.seconds.toFixed(2)} s`,
    ]);
  }
  const failed = proofs.filter(({ problem }) => problem !== null);
  const lines = failed.map(({ secret, problem }) => `${styleText('red', 'failed')} ${secret}: ${problem}`);
  const summary =
    failed.length === 0
      ? `${proofs.length} secrets rotated: every new value mints a token, every replaced one still works, AWSCURRENT moved.`
      : `${failed.length} of ${proofs.length} secrets were not rotated.`;
  return `${[table.toString(), ...lines, `${summary} ${seconds.toFixed(1)} s in all.`].join('\n')}\n`;
}
