import { describe, expect, it } from 'vitest';
import {
  Config,
  Event,
  RotationSettings,
  SweepEvent,
} from '../../../functions/rotate-service-account-secret/contract.ts';

describe('the event', () => {
  const event = {
    SecretId: 'arn:aws:secretsmanager:us-east-1:000000000000:secret:s-abcdef',
    ClientRequestToken: 'a'.repeat(36),
    Step: 'createSecret',
  };

  it.each([
    ['createSecret', 'create_secret'],
    ['setSecret', 'set_secret'],
    ['testSecret', 'test_secret'],
    ['finishSecret', 'finish_secret'],
  ])('takes %s in both spellings', (camel, snake) => {
    expect(Event.parse({ ...event, Step: camel }).Step).toBe(camel);
    expect(Event.parse({ ...event, Step: snake }).Step).toBe(camel);
  });

  it('keeps the rotation token of another account’s role', () => {
    expect(Event.parse({ ...event, RotationToken: 'rt' }).RotationToken).toBe('rt');
  });

  it.each([
    ['no secret', { SecretId: undefined }],
    ['a token that is none', { ClientRequestToken: 'short' }],
    ['a step there is not', { Step: 'deleteSecret' }],
  ])('is refused with %s', (_, wrong) => {
    expect(Event.safeParse({ ...event, ...wrong }).success).toBe(false);
  });
});

describe('the environment', () => {
  it.each([
    [undefined, 'https://cloud.mongodb.com'],
    ['https://cloud.mongodb.com/', 'https://cloud.mongodb.com'],
    ['https://cloud.mongodbgov.com/api', 'https://cloud.mongodbgov.com'],
    ['http://127.0.0.1:8080', 'http://127.0.0.1:8080'],
    ['http://localhost:8080/', 'http://localhost:8080'],
  ])('%s means %s', (MONGODB_ATLAS_BASE_URL, expected) => {
    expect(Config.parse({ MONGODB_ATLAS_BASE_URL }).MONGODB_ATLAS_BASE_URL).toBe(expected);
  });

  it.each(['http://cloud.mongodb.com', 'http://127.0.0.1.evil.test', 'ftp://x', 'cloud.mongodb.com', ''])(
    'refuses %s: credentials would go there in the clear, or nowhere',
    (url) => {
      expect(Config.safeParse({ MONGODB_ATLAS_BASE_URL: url }).success).toBe(false);
    },
  );
});

describe('the settings', () => {
  it('need nothing', () => {
    expect(RotationSettings.parse({})).toMatchObject({
      secretExpiresAfterHours: 2160,
      graceHours: 24,
      everyDays: 30,
      secrets: [],
      fleet: { expiringWithinDays: 14, unusedAfterDays: 90, accounts: [] },
    });
  });

  it('name every problem at once, by path', () => {
    const result = RotationSettings.safeParse({
      secretExpiresAfterHours: 720,
      secrets: [
        { secret: 'a', graceHours: 168, everyDays: 7, secretExpiresAfterHours: 400 },
        { secret: 'a', secretExpiresAfterHours: 2160, nope: 1 },
      ],
    });
    expect(result.error?.issues.map((i) => i.path.join('.'))).toEqual([
      'secrets.1',
      'secretExpiresAfterHours',
      'secrets.0.graceHours',
      'secrets.1.secret',
    ]);
  });
});

describe('an event of the sweep', () => {
  const secretId = 'a'.repeat(24);

  it.each([
    ['by hand', {}, { action: 'sweep', secrets: undefined, dryRun: false, givenUp: false }],
    ['by hand, named', { action: 'sweep', dryRun: true }, { action: 'sweep', dryRun: true }],
    ['the schedule’s', { source: 'aws.events', 'detail-type': 'Scheduled Event' }, { action: 'sweep', givenUp: false }],
    [
      'of a rotation given up',
      { detail: { eventName: 'RotationFailed', additionalEventData: { SecretId: 's' } } },
      { action: 'sweep', secrets: ['s'], givenUp: true },
    ],
    ['a rollback', { action: 'rollback', secret: 's' }, { action: 'rollback', secret: 's', dryRun: false }],
    [
      'a revocation',
      { action: 'revoke-now', secret: 's', secretId, reason: 'INC-1', dryRun: true },
      { action: 'revoke-now', secret: 's', secretId, reason: 'INC-1', dryRun: true },
    ],
  ])('%s', (_, event, expected) => expect(SweepEvent.parse(event)).toMatchObject(expected));

  it.each([
    ['a misspelt dry run', { dryrun: true }],
    ['a verb there is not', { action: 'revoke', secret: 's', secretId, reason: 'x' }],
    ['a rollback of nothing', { action: 'rollback' }],
    ['a rollback with a misspelt dry run', { action: 'rollback', secret: 's', dry: true }],
    ['a revocation that names no secret of the account', { action: 'revoke-now', secret: 's', reason: 'x' }],
    ['a revocation without a reason', { action: 'revoke-now', secret: 's', secretId }],
  ])('%s is refused', (_, event) => expect(SweepEvent.safeParse(event).success).toBe(false));
});
