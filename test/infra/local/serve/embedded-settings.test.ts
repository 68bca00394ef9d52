import { describe, expect, it } from 'vitest';
import { embeddedSettings } from '../../../../infra/local/serve/embedded-settings.ts';
import { agreementFor, partsOf } from '../../../../infra/local/serve/modes.ts';
import { createTicketSandbox } from '../../../../infra/local/ticket-sandbox/sandbox.ts';
import { loadSettings, Settings } from '../../../../infra/settings.ts';
import { EXAMPLE } from './probe-host.ts';

const ORIGIN = 'http://127.0.0.1:9';
const tickets = createTicketSandbox();

describe('the settings on one machine', () => {
  it('send no ticket, no value and no finding anywhere else, and say so', () => {
    const asked = {
      ...EXAMPLE,
      audit: { ...EXAMPLE.audit, securityHub: { accountId: '123456789012', region: 'eu-central-1', partition: 'aws' } },
    };
    const { settings, changes, trackers } = embeddedSettings(asked, tickets, ORIGIN, 'embedded');
    expect(settings.tickets.destinations).toMatchObject([
      { id: 'incidents', type: 'github', baseUrl: `${ORIGIN}/github` },
    ]);
    expect([...trackers]).toEqual([['incidents', 'github']]);
    expect(settings.rotation.secrets.flatMap(({ fanOut }) => fanOut.map(({ type }) => type))).toEqual(['ssm']);
    expect(settings.audit).not.toHaveProperty('securityHub');
    expect(changes.join(' ')).toMatch(/incidents.*github-actions.*kubernetes.*Security Hub/);
    expect(JSON.stringify(settings.tickets.destinations)).not.toContain('https://');
  });

  it('belong to no account, reach nothing by a gateway, and let this machine’s own webhooks in', () => {
    const { settings, changes } = embeddedSettings(
      loadSettings('infra/examples/bank.yaml'),
      tickets,
      ORIGIN,
      'embedded',
    );
    expect(settings.stack).toEqual({
      name: 'atlas-automation',
      logRetentionDays: 3653,
      tags: { owner: 'platform-team' },
    });
    expect(settings).not.toHaveProperty('egress');
    expect(settings.webhooks).toEqual({ atlas: { secret: 'atlas-automation/webhook' } });
    expect(changes.join(' ')).toMatch(/own address.*every address/);
  });

  it('name secrets by name where the stack names them by ARN', () => {
    const secret = 'arn:aws:secretsmanager:eu-central-1:123456789012:secret:atlas/own-AbCdEf';
    const asked = Settings.parse({ atlas: { credentials: { audit: { secret } } } });
    expect(embeddedSettings(asked, tickets, ORIGIN, 'embedded').settings.atlas.credentials.audit?.secret).toBe(
      'atlas/own',
    );
  });

  it('rotate nothing of a real Atlas: those values are elsewhere', () => {
    const { settings, changes } = embeddedSettings(EXAMPLE, tickets, ORIGIN, 'real');
    expect(settings.rotation.secrets).toEqual([]);
    expect(changes.join(' ')).toContain('No secret is rotated');
  });
});

describe('what is real', () => {
  it('is said, and needs a yes where it could be changed', () => {
    expect(agreementFor({ atlas: undefined, dryRun: false, data: '/data' })).toBeUndefined();
    expect(agreementFor({ atlas: 'https://cloud.mongodb.com', dryRun: true, data: '/data' })).toBeUndefined();
    expect(agreementFor({ atlas: 'https://cloud.mongodb.com', dryRun: false, data: '/data' })).toContain('--yes');
    expect(partsOf({ atlas: 'https://cloud.mongodb.com', dryRun: false, data: '/data' }).join('\n')).toContain(
      'REAL, at https://cloud.mongodb.com',
    );
    expect(partsOf({ atlas: undefined, dryRun: false, data: '/data' }).join('\n')).toContain('kept in /data');
  });

  it('names the account, and what works there besides', () => {
    const aws = {
      account: '123456789012',
      region: 'eu-central-1',
      endpoint: undefined,
      hasFunctions: true,
      table: 'the-table',
      bucket: 'the-bucket',
      queueUrl: 'https://sqs/the-queue',
    };
    const asked = { atlas: 'https://cloud.mongodb.com', aws, dryRun: false, data: '/data' };
    const said = partsOf(asked).join('\n');
    expect(said).toMatch(/AWS: REAL, the account 123456789012 in eu-central-1: .*the-table.*the-bucket.*the-queue/);
    expect(said).toMatch(/Ticket systems: REAL[\s\S]*functions deployed there go on/);
    expect(said).not.toContain('sandbox');
    expect(agreementFor(asked)).toMatch(/in the account 123456789012 .*--yes/);
    expect(partsOf({ ...asked, aws: { ...aws, hasFunctions: false } }).join('\n')).toContain('nothing is rotated');
  });
});
