import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { App } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import type * as z from 'zod';
import { LAMBDAS } from '../../infra/build.ts';
import { addDeployment } from '../../infra/deployment.ts';
import { loadStages, Settings, type StagedSettings } from '../../infra/settings.ts';
import { AutomationStack } from '../../infra/stack.ts';

/** A folder that looks like dist to the stack: one tiny bundle per Lambda, nothing built. */
export const tinyBundles = (): string => {
  const folder = mkdtempSync(path.join(tmpdir(), 'bundles-'));
  for (const lambda of Object.values(LAMBDAS)) {
    mkdirSync(path.join(folder, lambda));
    writeFileSync(path.join(folder, lambda, 'index.mjs'), 'export const handler = async () => {};\n');
  }
  return folder;
};

/**
 * An app as `cdk synth` would start it: with the feature flags of cdk.json. Without the CDK's own look at the templates, which
 * takes longer than making them; cfn-lint looks at those of every example.
 */
export const newApp = (): App =>
  new App({
    context: JSON.parse(readFileSync(path.join(import.meta.dirname, '../../cdk.json'), 'utf8')).context,
    builtinCloudFormationValidation: false,
  });

/** The template of these settings, and the folder its assets were written to. */
export const synth = (settings: z.input<typeof Settings>, bundles = tinyBundles()) => {
  const app = newApp();
  const stack = new AutomationStack(app, 'Test', { settings: Settings.parse(settings), bundles });
  return { template: Template.fromStack(stack), outdir: app.outdir, stack };
};

/** Everything the settings deploy, as `cdk synth` would write it; assets are of tiny bundles. */
export const deployed = (settings: StagedSettings, bundles = tinyBundles()) => {
  const app = newApp();
  const stacks = addDeployment(app, settings, bundles);
  return { app, stacks, template: Template.fromStack(stacks.functions) };
};

export const EXAMPLES = {
  'settings.example.json': ['settings.example.json'],
  'small-team': ['examples/small-team.yaml'],
  company: ['examples/company.yaml#emea', 'examples/company.yaml#apac', 'examples/company.yaml#labs'],
  bank: ['examples/bank.yaml'],
} as const;

/** Of one of the examples, by its path below infra, with the stage behind `#`. */
export const example = (name: string): StagedSettings => {
  const [one] = loadStages(path.join(import.meta.dirname, '../../infra', name));
  if (!one) throw new Error(`no ${name}`);
  return one;
};

/** Resolves the intrinsic functions a template uses for names and ARNs, enough to compare them as text. */
export const text = (value: unknown): string => {
  if (typeof value === 'string') return value;
  const node = value as Record<string, unknown>;
  if (typeof node['Ref'] === 'string') return `<${node['Ref']}>`;
  const join = node['Fn::Join'] as [string, unknown[]] | undefined;
  if (join) return join[1].map(text).join(join[0]);
  const attribute = node['Fn::GetAtt'] as [string, string] | undefined;
  if (attribute) return `<${attribute.join('.')}>`;
  throw new Error(`not a text: ${JSON.stringify(value)}`);
};
