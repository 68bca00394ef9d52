/**
 * The JSON schema of the settings file, for editors: `node infra/settings-schema.ts` writes it anew. A test holds the
 * written file to the settings. It says less than the settings check: what one value asks of another is told when the
 * file is loaded.
 */
import { realpathSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import * as z from 'zod';
import { Settings } from './settings.ts';

export const SCHEMA_FILE = path.resolve(import.meta.dirname, 'settings.schema.json');

const WORDS: Readonly<Record<string, string>> = {
  atlas: 'The Atlas API, and the accounts the functions act as, each by the name of its secret.',
  rotation: 'Secrets of service accounts that are rotated.',
  audit: 'The backup policy, and how it is applied.',
  migration: 'Live migrations.',
  tickets: 'Where alerts become tickets.',
  webhooks: 'What Atlas signs its webhooks with.',
  schedules: 'When the functions run that nobody calls.',
  concurrency: 'How many of a function run at once.',
  egress: 'From which addresses the functions reach the internet.',
  data: 'How long state, reports and messages are kept, and under which keys.',
  alarms: 'Who hears of alarms.',
  stack: 'The CloudFormation stacks: name, account, region, tags.',
  stages: 'One entry for each place it is deployed to, with what is other there than in the rest of the file.',
};

const ObjectShape = z.looseObject({ properties: z.record(z.string(), z.looseObject({})) });

export function settingsSchema(): object {
  const schema = ObjectShape.parse(z.toJSONSchema(Settings, { io: 'input', unrepresentable: 'any' }));
  const stage = {
    type: 'object',
    properties: { account: { type: 'string', pattern: '^\\d{12}$' }, region: { type: 'string' } },
    required: ['account', 'region'],
  };
  const sections = { ...schema.properties, stages: { type: 'object', additionalProperties: stage } };
  const properties = Object.fromEntries(
    Object.entries(sections).map(([name, section]) => [name, { description: WORDS[name], ...section }]),
  );
  return { ...schema, title: 'Settings of Atlas Automation', properties };
}

const isScript = process.argv[1] !== undefined && realpathSync(process.argv[1]) === import.meta.filename;
if (isScript) writeFileSync(SCHEMA_FILE, `${JSON.stringify(settingsSchema())}\n`);
