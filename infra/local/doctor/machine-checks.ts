import { existsSync } from 'node:fs';
import path from 'node:path';
import { ConfigError } from '../../../lib/errors.ts';
import { LAMBDAS } from '../../build.ts';
import { loadSettings, type Settings } from '../../settings.ts';
import type { Finding } from './finding.ts';

const LEAST_NODE = 24;

export function checkNode(version: string): Finding {
  const isNew = Number(/^v?(\d+)/.exec(version)?.[1]) >= LEAST_NODE;
  return isNew
    ? { area: 'node', verdict: 'ok', text: `Node ${version}` }
    : {
        area: 'node',
        verdict: 'fix',
        text: `Node ${version} is too old: ${LEAST_NODE} is the oldest that works`,
        fix: 'npm ci brings the right one for this project’s scripts; or install Node 24',
      };
}

/** The settings, where they are usable, and one finding for each of their problems. */
export function checkSettings(file: string, isNamed: boolean): { settings?: Settings; findings: Finding[] } {
  if (!isNamed && !existsSync(file)) {
    const text = 'there is no settings.yaml: npm start and npm run serve do without, a deployment does not';
    return {
      findings: [{ area: 'settings', verdict: 'note', text, fix: 'npm run init writes one' }],
    };
  }
  try {
    const settings = loadSettings(file);
    return { settings, findings: [{ area: 'settings', verdict: 'ok', text: `${path.basename(file)} is usable` }] };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return {
      findings: error.problems.map(({ path: at, problem }) => ({
        area: 'settings',
        verdict: 'fix',
        text: `${at} ${problem}`,
        fix: `change it in ${path.basename(file)}`,
      })),
    };
  }
}

export function checkBundles(folder: string): Finding {
  const missing = Object.values(LAMBDAS).filter((lambda) => !existsSync(path.join(folder, lambda, 'index.mjs')));
  return missing.length === 0
    ? { area: 'bundles', verdict: 'ok', text: 'every function is built' }
    : { area: 'bundles', verdict: 'fix', text: `not built: ${missing.join(', ')}`, fix: 'npm run build' };
}

/** What the settings of the ticket destinations leave open. Nothing is sent to a tracker. */
export function checkTickets({ tickets, webhooks, atlas }: Settings): Finding[] {
  if (tickets.destinations.length === 0)
    return [{ area: 'tickets', verdict: 'note', text: 'there are no ticket destinations: alerts become no tickets' }];
  const findings: Finding[] = tickets.destinations.map(({ id, type, webhookSecret }) =>
    webhookSecret === undefined
      ? {
          area: 'tickets',
          verdict: 'note',
          text: `${id} (${type}) has no webhookSecret: what people do there is not heard of`,
          fix: 'name the secret that signs its webhooks, and enter the address of receive-ticket-update there',
        }
      : { area: 'tickets', verdict: 'ok', text: `${id} (${type}) is complete` },
  );
  if (!webhooks.atlas)
    findings.push({
      area: 'tickets',
      verdict: 'note',
      text: 'webhooks.atlas names no secret: alerts are found up to five minutes late, by looking',
      fix: 'name the secret of the webhook in Atlas',
    });
  if (!atlas.credentials.tickets)
    findings.push({
      area: 'tickets',
      verdict: 'note',
      text: 'atlas.credentials.tickets is not set: tickets say less, and taking one acknowledges nothing',
    });
  return findings;
}
