import { describe, expect, it } from 'vitest';
import { LAMBDAS } from '../../infra/build.ts';
import { eventKindsOf, eventSchemaOf } from '../../infra/events-in.ts';

describe('what the functions take', () => {
  it.each(Object.values(LAMBDAS))('is known of %s, each kind by a name of its own', (lambda) => {
    const kinds = eventKindsOf(lambda) ?? [];
    expect(kinds.length).toBeGreaterThan(0);
    expect(new Set(kinds.map(({ name }) => name)).size).toBe(kinds.length);
    expect(eventSchemaOf(lambda)).toBeDefined();
  });

  it('leaves out what only AWS sends', () => {
    for (const { fields } of eventKindsOf('sweep-service-account-secrets') ?? [])
      expect(fields.map(({ path }) => path[0])).not.toContain('detail');
  });

  it('has a dry run wherever something is changed', () => {
    for (const lambda of ['command-live-migration', 'sweep-service-account-secrets', 'remediate-snapshot-schedules'])
      expect(eventKindsOf(lambda)?.every(({ hasDryRun }) => hasDryRun)).toBe(true);
  });

  it('takes a few plain values apart, and leaves the rest to JSON', () => {
    const [approve] = (eventKindsOf('command-live-migration') ?? []).filter(({ name }) => name === 'approve-cutover');
    expect(approve?.fields.map(({ path }) => path.join('.'))).toContain('confirms.writesStopped');
    expect(eventKindsOf('nothing')).toBeUndefined();
  });
});
