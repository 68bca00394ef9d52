import path from 'node:path';
import { App } from 'aws-cdk-lib';
import { ConfigError } from '../lib/errors.ts';
import { addDeployment, refuseElsewhere } from './deployment.ts';
import { loadStages } from './settings.ts';

const app = new App();
try {
  const file: unknown = app.node.tryGetContext('settings');
  if (typeof file !== 'string') throw new ConfigError('Name the settings file: -c settings=settings.yaml');
  const stages = loadStages(path.resolve(file));
  if (stages.length > 1 && !file.endsWith('#all'))
    throw new ConfigError(
      `${file} has several stages: name one (-c settings=${file}#${stages[0]?.stage}), or all of them (${file}#all).`,
    );
  const here = { account: process.env['CDK_DEFAULT_ACCOUNT'], region: process.env['CDK_DEFAULT_REGION'] };
  for (const each of stages) refuseElsewhere(each.settings, here);
  for (const each of stages) addDeployment(app, each, path.resolve(import.meta.dirname, '../dist'));
} catch (error) {
  if (!(error instanceof ConfigError)) throw error;
  const lines = [error.message, ...error.problems.map(({ path, problem }) => `  ${path}: ${problem}`)];
  process.stderr.write(`${lines.join('\n')}\n`);
  // At once: an app that ends by itself would still write an empty template.
  process.exit(1);
}
