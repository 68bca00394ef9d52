import path from 'node:path';
import { App } from 'aws-cdk-lib';
import { ConfigError } from '../lib/errors.ts';
import { DataStack } from './data-stack.ts';
import { loadSettings } from './settings.ts';
import { AutomationStack, needsData } from './stack.ts';

const app = new App();
try {
  const file: unknown = app.node.tryGetContext('settings');
  if (typeof file !== 'string') throw new ConfigError('Name the settings file: -c settings=settings.json');
  const settings = loadSettings(path.resolve(file));
  const data = needsData(settings) ? new DataStack(app, 'AtlasAutomationData', settings) : undefined;
  new AutomationStack(app, 'AtlasAutomation', {
    settings,
    bundles: path.resolve(import.meta.dirname, '../dist'),
    ...(data && { data }),
  });
} catch (error) {
  if (!(error instanceof ConfigError)) throw error;
  const lines = [error.message, ...error.problems.map(({ path, problem }) => `  ${path}: ${problem}`)];
  process.stderr.write(`${lines.join('\n')}\n`);
  // At once: an app that ends by itself would still write an empty template.
  process.exit(1);
}
