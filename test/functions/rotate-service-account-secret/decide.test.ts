import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type AtlasView,
  type Decision,
  decide,
  type Policy,
  type SecretsManagerView,
} from '../../../functions/rotate-service-account-secret/decide.ts';
import {
  lifetimeHours,
  ORPHAN_AGE_MS,
  type Slot,
} from '../../../functions/rotate-service-account-secret/second-slot.ts';
import { assertProperty } from '../../support/properties.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const now = new Date('2030-06-01T00:00:00Z');
const ago = (ms: number) => new Date(now.getTime() - ms);
const ahead = (ms: number) => new Date(now.getTime() + ms);
const arn = 'arn:aws:secretsmanager:us-east-1:000000000000:secret:payments-abcdef';
const policy: Policy = { secretExpiresAfterHours: 720, graceHours: 24, rotatesEveryHours: 360 };
const ours = lifetimeHours(policy.secretExpiresAfterHours, arn);

const slot = (id: string, createdAt: Date, over: Partial<Slot> = {}): Slot => ({
  id,
  createdAt,
  expiresAt: new Date(createdAt.getTime() + ours * HOUR),
  lastUsedAt: undefined,
  ...over,
});
const current = slot('current', ago(10 * DAY), { lastUsedAt: ago(HOUR) });

/** Everything has been looked at, and nothing is going on. */
const idle: SecretsManagerView = {
  arn,
  rotationEnabled: true,
  current: { versionId: 'v1', secretId: 'current' },
  pending: undefined,
  previous: undefined,
  unconfirmed: false,
  superseded: false,
  promotion: { at: ago(10 * DAY), recorded: true },
  unlabelledIds: new Set(),
  waitingFor: [],
};
const previous = { versionId: 'v0', secretId: 'previous' };
const atlasOf = (...slots: Slot[]): AtlasView => ({ slots, maxLifetimeHours: null });

interface Scene {
  readonly slot?: Slot;
  readonly view?: Partial<SecretsManagerView>;
}
const replaced = (promoted: Date, over: Partial<Slot> = {}): Scene => ({
  slot: slot('previous', ago(20 * DAY), { expiresAt: ahead(5 * DAY), ...over }),
  view: { previous, promotion: { at: promoted, recorded: true } },
});

/** The second slot in every state it can be in. */
const seconds = {
  none: {},
  'previous in grace': replaced(ago(23 * HOUR)),
  'previous over': replaced(ago(24 * HOUR)),
  'previous expired': replaced(ago(10 * DAY), { expiresAt: ago(1) }),
  'young orphan': { slot: slot('orphan', ago(ORPHAN_AGE_MS - 1)) },
  'old orphan': { slot: slot('orphan', ago(ORPHAN_AGE_MS)) },
  foreign: { slot: slot('foreign', ago(DAY), { lastUsedAt: ago(HOUR) }) },
} satisfies Record<string, Scene>;
type Second = keyof typeof seconds;

const pendingSlots = {
  alive: slot('pending', ago(60_000)),
  dead: undefined,
  expired: slot('pending', ago(31 * DAY), { expiresAt: ago(1) }),
};
type Pending = 'absent' | 'empty' | keyof typeof pendingSlots;

function see(pending: Pending, { slot: second, view }: Scene): [SecretsManagerView, AtlasView] {
  const stored = pending === 'absent' || pending === 'empty' ? undefined : pendingSlots[pending];
  const slots = [current, ...(second ? [second] : []), ...(stored ? [stored] : [])];
  const version = { versionId: 'v2' };
  const label: SecretsManagerView['pending'] =
    pending === 'absent'
      ? undefined
      : pending === 'empty'
        ? { ...version, state: 'empty', secretId: undefined }
        : { ...version, state: 'stored', secretId: 'pending' };
  return [{ ...idle, ...view, pending: label }, atlasOf(...slots)];
}

/** A decision in a few words. */
function said(decision: Decision): string {
  switch (decision.do) {
    case 'wait':
      return `wait ${decision.why}`;
    case 'delete':
      return `delete ${decision.why}${decision.fence ? ` behind ${decision.fence}` : ''}`;
    case 'alert':
      return `alert ${decision.why}`;
    default:
      return decision.do;
  }
}

/**
 * What is next, written out by hand. With a value stored the other slot has no say: what lives is promoted, what is gone
 * or expired is dropped. With an empty version room is made or a secret minted; with none, what is left is put in order.
 */
const table: Record<Second, Record<Pending, string>> = {
  none: { absent: 'nothing', empty: 'mint', alive: 'promote', dead: 'drop pending', expired: 'drop pending' },
  'previous in grace': {
    absent: 'wait grace',
    empty: 'wait grace',
    alive: 'promote',
    dead: 'drop pending',
    expired: 'drop pending',
  },
  'previous over': {
    absent: 'delete previous behind v0',
    empty: 'delete previous behind v0',
    alive: 'promote',
    dead: 'drop pending',
    expired: 'drop pending',
  },
  'previous expired': {
    absent: 'delete previous behind v0',
    empty: 'delete previous behind v0',
    alive: 'promote',
    dead: 'drop pending',
    expired: 'drop pending',
  },
  'young orphan': {
    absent: 'wait young',
    empty: 'wait young',
    alive: 'promote',
    dead: 'drop pending',
    expired: 'drop pending',
  },
  'old orphan': {
    absent: 'delete orphan',
    empty: 'delete orphan',
    alive: 'promote',
    dead: 'drop pending',
    expired: 'drop pending',
  },
  foreign: {
    absent: 'alert foreign',
    empty: 'alert foreign',
    alive: 'promote',
    dead: 'drop pending',
    expired: 'drop pending',
  },
};

describe('whatever is pending, and whatever the second slot holds', () => {
  const rows = Object.entries(table).flatMap(([second, row]) =>
    Object.entries(row).map(([pending, expected]) => ({
      second: second as Second,
      pending: pending as Pending,
      expected,
    })),
  );

  it('every combination is in the table', () => expect(rows).toHaveLength(7 * 5));

  it.each(rows)('pending $pending, second slot $second: $expected', ({ second, pending, expected }) => {
    const [secretsManager, atlas] = see(pending, seconds[second]);
    expect(said(decide(secretsManager, atlas, now, policy))).toBe(expected);
  });
});

const decideWith = (
  view: Partial<SecretsManagerView>,
  slots: readonly Slot[],
  over: Partial<AtlasView> = {},
  rules: Policy = policy,
): Decision => decide({ ...idle, ...view }, { ...atlasOf(...slots), ...over }, now, rules);
const empty = { versionId: 'v2', state: 'empty', secretId: undefined } as const;
const stored = { versionId: 'v2', state: 'stored', secretId: 'pending' } as const;

describe('what is not known yet', () => {
  it.each<[string, Partial<SecretsManagerView>, Partial<AtlasView>, string]>([
    ['the account', {}, { slots: undefined }, 'account'],
    ['when the current secret was promoted', { promotion: undefined }, {}, 'versions'],
    ['what older versions hold', { unlabelledIds: undefined }, {}, 'unlabelled versions'],
  ])('is looked at first: %s', (_, view, atlas, at) => {
    const stranger = slot('foreign', ago(DAY), { lastUsedAt: ago(1) });
    expect(decideWith(view, [current, stranger], atlas)).toEqual({ do: 'look', at });
  });

  it('is looked at first: the organization’s limit, before a mint', () => {
    expect(decideWith({ pending: empty }, [current], { maxLifetimeHours: undefined })).toEqual({
      do: 'look',
      at: 'lifetime limit',
    });
  });

  it('is looked at first: who has not followed, once the grace is over and not before', () => {
    const over = replaced(ago(24 * HOUR));
    const inGrace = replaced(ago(23 * HOUR));
    const look = { do: 'look', at: 'followers' };
    expect(decideWith({ ...over.view, waitingFor: undefined }, [current, over.slot!])).toEqual(look);
    expect(decideWith({ ...inGrace.view, waitingFor: undefined }, [current, inGrace.slot!])).not.toEqual(look);
  });

  it('is not asked for where the labels say enough', () => {
    const nothing: AtlasView = { slots: undefined, maxLifetimeHours: undefined };
    expect(decide({ ...idle, unconfirmed: true }, nothing, now, policy)).toEqual({ do: 'confirm' });
    expect(decide({ ...idle, pending: stored, superseded: true }, nothing, now, policy)).toEqual({ do: 'abandon' });
    expect(decide({ ...idle, pending: stored }, { ...nothing, provenVersionId: 'v2' }, now, policy)).toEqual({
      do: 'promote',
    });
    expect(decide({ ...idle, current: undefined }, nothing, now, policy)).toMatchObject({ why: 'no current' });
  });
});

describe('a replaced secret', () => {
  it.each<[string, Scene, object]>([
    [
      'that was used in the first hour after',
      replaced(ago(30 * HOUR), { lastUsedAt: ago(29 * HOUR) }),
      { do: 'delete' },
    ],
    [
      'that somebody still uses',
      replaced(ago(30 * HOUR), { lastUsedAt: ago(28 * HOUR) }),
      { do: 'wait', why: 'straggler', until: ahead(5 * DAY) },
    ],
    [
      'whose promotion was never recorded',
      { ...replaced(ago(2 * DAY)), view: { previous, promotion: { at: ago(2 * DAY), recorded: false } } },
      { do: 'wait', why: 'grace', until: ahead(5 * DAY) },
    ],
    [
      'that is used for longer than Atlas lets a replaced one live',
      replaced(ago(8 * DAY), { expiresAt: ahead(50 * DAY), lastUsedAt: ago(HOUR) }),
      { do: 'delete' },
    ],
    [
      'whose successor has not reached every place',
      { ...replaced(ago(2 * DAY)), view: { ...replaced(ago(2 * DAY)).view, waitingFor: ['replica eu-west-1'] } },
      { do: 'wait', why: 'followers', until: ahead(5 * DAY), waitingFor: ['replica eu-west-1'] },
    ],
    [
      'that has leaked, whoever uses it and wherever it is still needed',
      {
        ...replaced(ago(60_000), { lastUsedAt: ago(1) }),
        view: { previous, leakedId: 'previous', waitingFor: ['a place'] },
      },
      { do: 'delete', fence: 'v0' },
    ],
  ])('%s', (_, { slot: second, view }, expected) => {
    expect(decideWith({ ...view }, [current, second!])).toMatchObject(expected);
  });

  it('is waited for until a day before the end of the current one, and no longer', () => {
    const { slot: used, view } = replaced(ago(3 * DAY), { lastUsedAt: ago(HOUR) });
    const ending = { ...current, expiresAt: ahead(2 * DAY) };
    expect(decideWith({ ...view }, [ending, used!])).toMatchObject({ do: 'wait', why: 'straggler', until: ahead(DAY) });
    expect(decideWith({ ...view }, [{ ...ending, expiresAt: ahead(DAY) }, used!])).toMatchObject({ do: 'delete' });
  });

  it('makes room at once where the current one has leaked', () => {
    const { slot: used, view } = replaced(ago(60_000), { lastUsedAt: ago(1) });
    const urgent = { ...policy, urgent: true };
    expect(decideWith({ ...view, pending: empty }, [current, used!], {}, urgent)).toMatchObject({ do: 'delete' });
  });
});

describe('a secret without a label', () => {
  it.each<[string, Slot, Partial<SecretsManagerView>, object]>([
    ['that was replaced, its grace over', slot('dropped', ago(12 * DAY)), {}, { do: 'delete', why: 'unlabelled' }],
    [
      'that was replaced, in its grace',
      slot('dropped', ago(2 * HOUR)),
      { promotion: { at: ago(HOUR), recorded: true } },
      { do: 'wait', why: 'grace' },
    ],
    [
      'that was dropped before its promotion, and used by nobody but our proof',
      slot('dropped', ago(2 * DAY), { lastUsedAt: ago(2 * DAY - 60_000) }),
      {},
      { do: 'delete', why: 'unlabelled' },
    ],
    [
      'that was stored this minute',
      slot('dropped', ago(60_000)),
      {},
      { do: 'wait', why: 'young', until: new Date(ago(60_000).getTime() + ORPHAN_AGE_MS) },
    ],
  ])('%s', (_, second, view, expected) => {
    expect(decideWith({ ...view, unlabelledIds: new Set(['dropped']) }, [current, second])).toMatchObject(expected);
  });
});

describe('a secret that no version holds', () => {
  const lived = (hours: number): Slot =>
    slot('x', ago(HOUR), { expiresAt: new Date(ago(HOUR).getTime() + hours * HOUR) });

  it.each<[string, Slot, Partial<SecretsManagerView>, Partial<AtlasView>, string]>([
    [
      'with the mark of the setting before',
      lived(1234),
      { current: { versionId: 'v1', secretId: 'current', lifetimeHours: 1234 } },
      {},
      'delete orphan',
    ],
    [
      'with the mark of the organization’s limit',
      lived(lifetimeHours(500, arn)),
      {},
      { maxLifetimeHours: 500 },
      'delete orphan',
    ],
    ['with a lifetime we never ask for', lived(720), {}, {}, 'alert foreign'],
    ['that is older than the current one', slot('x', ago(11 * DAY)), {}, {}, 'alert foreign'],
    ['that was used', { ...lived(ours), lastUsedAt: ago(1) }, {}, {}, 'alert foreign'],
    [
      'that expired',
      slot('x', ago(30 * DAY), { expiresAt: ago(DAY), lastUsedAt: ago(2 * DAY) }),
      {},
      {},
      'alert foreign',
    ],
  ])('%s', (_, second, view, atlas, expected) => {
    expect(said(decideWith(view, [current, second], atlas))).toBe(expected);
  });
});

describe('a mint', () => {
  const mint = (maxLifetimeHours: number | null, over: Partial<Policy> = {}): Decision =>
    decideWith({ pending: empty }, [current], { maxLifetimeHours }, { ...policy, ...over });

  it('asks for 1 to 23 hours less than the policy says, the same for the same secret', () => {
    expect(mint(null)).toEqual({ do: 'mint', lifetimeHours: ours });
    expect(policy.secretExpiresAfterHours - ours).toSatisfy((n: number) => n >= 1 && n <= 23);
  });

  it('asks for no more than the organization allows, where that is enough for a late rotation', () => {
    expect(mint(360 + 72)).toEqual({ do: 'mint', lifetimeHours: lifetimeHours(432, arn) });
    expect(mint(8760)).toEqual({ do: 'mint', lifetimeHours: ours });
  });

  it('does not happen where the organization allows too little, and says the numbers', () => {
    expect(mint(360 + 71)).toEqual({ do: 'alert', why: 'lifetime', hours: 431, maxHours: 431, neededHours: 432 });
  });

  it('does not happen with a lifetime of one’s own that ends before the next rotation', () => {
    expect(mint(null, { secretExpiresAfterHours: 359 })).toMatchObject({ do: 'alert', why: 'lifetime', hours: 359 });
  });

  it('happens when the current secret is gone and one slot is free, whoever holds the other', () => {
    expect(decideWith({ pending: empty }, [slot('foreign', ago(DAY))])).toMatchObject({ do: 'mint' });
  });
});

describe('with no rotation under way', () => {
  it('asks for one by the real end of the current secret', () => {
    expect(decideWith({}, [{ ...current, expiresAt: ahead(72 * HOUR - 1) }])).toEqual({ do: 'start' });
    expect(decideWith({}, [{ ...current, expiresAt: ahead(72 * HOUR) }])).toEqual({ do: 'nothing' });
  });

  it('says so where one is needed and switched off, and abandons one that was begun', () => {
    const off = { rotationEnabled: false };
    expect(decideWith(off, [{ ...current, expiresAt: ahead(HOUR) }])).toMatchObject({ why: 'rotation off' });
    expect(decideWith({ ...off, pending: empty }, [current])).toEqual({ do: 'abandon' });
    expect(decideWith({ ...off, pending: stored }, [current, pendingSlots.alive])).toEqual({ do: 'promote' });
  });

  it('puts the one before back where the current one is gone, and deletes nothing', () => {
    const { slot: second, view } = replaced(ago(8 * DAY));
    expect(decideWith({ ...view }, [second!])).toEqual({ do: 'restore' });
    expect(decideWith({ ...view, leakedId: 'previous' }, [second!])).toEqual({ do: 'start' });
    expect(decideWith({}, [slot('foreign', ago(DAY))])).toEqual({ do: 'start' });
  });
});

describe('the last secret that works', () => {
  it('is put back rather than deleted, where the current one has expired and a rotation needs its slot', () => {
    const { slot: second, view } = replaced(ago(HOUR));
    const expired = { ...current, expiresAt: ago(1) };
    expect(decideWith({ ...view, pending: empty }, [expired, second!])).toEqual({ do: 'restore' });
  });
});

describe('whatever the state', () => {
  const when = fc.integer({ min: -40 * 24 * 60, max: 40 * 24 * 60 }).map((minutes) => ahead(minutes * 60_000));
  const id = fc.constantFrom('current', 'previous', 'pending', 'x', 'y');
  const anySlot = fc.record({ id, createdAt: when, expiresAt: when, lastUsedAt: fc.option(when, { nil: undefined }) });
  const version = (versionId: string) =>
    fc.record({ versionId: fc.constant(versionId), secretId: fc.option(id, { nil: undefined }) });
  const manager: fc.Arbitrary<SecretsManagerView> = fc.record({
    arn: fc.constant(arn),
    rotationEnabled: fc.boolean(),
    current: fc.option(version('v1'), { nil: undefined, freq: 20 }),
    pending: fc.option(
      fc.oneof(
        fc.constant(empty),
        version('v2').map((it) => ({ ...it, state: 'stored' as const })),
      ),
      {
        nil: undefined,
        freq: 2,
      },
    ),
    previous: fc.option(version('v0'), { nil: undefined }),
    leakedId: fc.option(fc.constantFrom('previous', 'x'), { nil: undefined, freq: 1 }),
    unconfirmed: fc.oneof({ weight: 9, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
    superseded: fc.oneof({ weight: 9, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
    promotion: fc.option(fc.record({ at: when, recorded: fc.boolean() }), { nil: undefined, freq: 9 }),
    unlabelledIds: fc.option(
      fc.uniqueArray(id).map((ids) => new Set(ids)),
      { nil: undefined, freq: 9 },
    ),
    waitingFor: fc.option(fc.array(fc.constant('a place'), { maxLength: 1 }), { nil: undefined, freq: 9 }),
  });
  const atlas: fc.Arbitrary<AtlasView> = fc.record({
    slots: fc.option(fc.uniqueArray(anySlot, { selector: (one) => one.id, maxLength: 3 }), { nil: undefined, freq: 9 }),
    maxLifetimeHours: fc.option(fc.integer({ min: 8, max: 8760 }), { nil: undefined, freq: 9 }),
    provenVersionId: fc.option(fc.constant('v2'), { nil: undefined, freq: 1 }),
  });
  const rules: fc.Arbitrary<Policy> = fc.record({
    secretExpiresAfterHours: fc.integer({ min: 8, max: 8760 }),
    graceHours: fc.integer({ min: 1, max: 168 }),
    rotatesEveryHours: fc.integer({ min: 0, max: 4000 }),
    urgent: fc.boolean(),
  });
  const always = (holds: (decision: Decision, sm: SecretsManagerView, at: AtlasView, rule: Policy) => void): void =>
    assertProperty(
      fc.property(manager, atlas, rules, (sm, at, rule) => holds(decide(sm, at, now, rule), sm, at, rule)),
      { numRuns: 3_000 },
    );

  it('there is an answer, and what deletes names a secret that is there', () =>
    always((decision, _, { slots }) => {
      expect(decision.do).toBeTypeOf('string');
      if (decision.do === 'delete') expect(slots).toContain(decision.slot);
    }));

  it('the secret behind AWSCURRENT, which an account acts with, and the stored pending one are not deleted', () =>
    always((decision, { current: now_, pending }) => {
      if (decision.do !== 'delete') return;
      expect(decision.slot.id).not.toBe(now_?.secretId);
      expect(decision.slot.id).not.toBe(pending?.secretId);
    }));

  it('a replaced one that works is not deleted in its grace, unless it has leaked or room is needed at once', () =>
    always((decision, { current: now_, previous: before, promotion, leakedId }, { slots }, rule) => {
      if (decision.do !== 'delete' || !before || decision.slot.id !== before.secretId) return;
      if (before.secretId === leakedId || rule.urgent || decision.slot.expiresAt <= now) return;
      const end = slots?.find(({ id: one }) => one === now_?.secretId)?.expiresAt.getTime();
      const graceEnd = (promotion?.at.getTime() ?? 0) + rule.graceHours * HOUR;
      // But not at the price of the current one.
      const currentEnds = end !== undefined && end > now.getTime() && end - now.getTime() <= DAY;
      if (!currentEnds)
        expect(now.getTime()).toBeGreaterThanOrEqual(Math.min(graceEnd, (promotion?.at.getTime() ?? 0) + 7 * DAY));
    }));

  it('a stranger’s is not deleted: nobody used it, no version holds it, and it lives as ours do', () =>
    always((decision, { current: now_, previous: before, leakedId, unlabelledIds }, { maxLifetimeHours }, rule) => {
      if (decision.do !== 'delete' || decision.slot.id === before?.secretId) return;
      if (unlabelledIds?.has(decision.slot.id) || decision.slot.id === leakedId) return;
      const { createdAt, expiresAt, lastUsedAt } = decision.slot;
      expect(lastUsedAt).toBeUndefined();
      expect(now.getTime() - createdAt.getTime()).toBeGreaterThanOrEqual(ORPHAN_AGE_MS);
      const hours = Math.round((expiresAt.getTime() - createdAt.getTime()) / HOUR);
      const marks = [rule.secretExpiresAfterHours, ...(maxLifetimeHours ? [maxLifetimeHours] : [])];
      expect([...marks.map((mark) => lifetimeHours(mark, arn)), now_?.lifetimeHours]).toContain(hours);
    }));

  it('nothing is minted while two are present, unless a rotation is under way, or with too short a life', () =>
    always((decision, { pending, rotationEnabled }, { slots }, rule) => {
      if (decision.do !== 'mint') return;
      expect(slots?.length).toBeLessThan(2);
      expect(pending?.state).toBe('empty');
      expect(rotationEnabled).toBe(true);
      expect(decision.lifetimeHours).toBeGreaterThanOrEqual(Math.max(8, rule.rotatesEveryHours - 23));
    }));

  it('what is gone is not promoted unless it has just been proven', () =>
    always((decision, { pending }, { slots, provenVersionId }) => {
      if (decision.do !== 'promote' || pending?.versionId === provenVersionId) return;
      expect(slots?.find(({ id: one }) => one === pending?.secretId)?.expiresAt.getTime()).toBeGreaterThan(
        now.getTime(),
      );
    }));
});
